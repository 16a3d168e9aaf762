import { ElfError } from "./elf-error.ts";
import { cString, type ElfTables, fileOffsetOf, type ReadFile, readTables, viewOf, wordReader } from "./elf-tables.ts";
import { notesOf } from "./notes.ts";

/**
 * One place of a probe that is written into a program (`DTRACE_PROBE`, `STAP_PROBE`; the notes are described at
 * https://sourceware.org/systemtap/wiki/UserSpaceProbeImplementation). A probe has as many places as the compiler made
 * copies of the code around it.
 */
export interface UsdtPlace {
  readonly provider: string;
  readonly name: string;
  /** Where its arguments are, as the compiler wrote it: `-4@%edi 8@-16(%rbp)`. */
  readonly argumentText: string;
  /** Its address, as the file counts before it is loaded. */
  readonly address: number;
  /** Bytes from the beginning of the file to it. */
  readonly fileOffset: number;
  /** Where in the file the counter is that says whether somebody looks; undefined where there is none. */
  readonly semaphoreOffset: number | undefined;
}

interface UsdtPlaces {
  readonly tables: ElfTables;
  readonly places: readonly UsdtPlace[];
}

const NOTES = ".note.stapsdt";
const BASE = ".stapsdt.base";
const STAPSDT = 3;

/** All places of all probes of a program or library, of either class. Reads only what tells of them. Throws ElfError. */
export function readUsdtPlaces(read: ReadFile): UsdtPlaces {
  const tables = readTables(read);
  const places: UsdtPlace[] = [];
  const base = tables.sections.find(({ name }) => name === BASE)?.address;
  for (const { name, offset, size } of tables.sections) {
    if (name !== NOTES) continue;
    const bytes = read(offset, size);
    for (const note of notesOf(bytes, tables.little, NOTES)) {
      if (note.owner === "stapsdt" && note.type === STAPSDT) places.push(readPlace(note.description, tables, base));
    }
  }
  return { tables, places };
}

function readPlace(description: Uint8Array, tables: ElfTables, base: number | undefined): UsdtPlace {
  const size = tables.bits === 32 ? 4 : 8;
  const texts = textsOf(description, 3 * size);
  if (texts === undefined) throw new ElfError(`A note of section ${NOTES} does not have the three texts of a probe.`);
  const [provider, name, argumentText] = texts;
  const word = wordReader(size, tables.little);
  const view = viewOf(description);
  // The note has the addresses as they were when it was made; prelink moves the file's own and leaves the note alone.
  const moved = base === undefined ? 0 : base - word(view, size);
  const address = word(view, 0) + moved;
  const semaphore = word(view, 2 * size);
  const fileOffset = fileOffsetOf(tables, address);
  if (fileOffset === undefined)
    throw new ElfError(
      `Probe ${provider}:${name} is said to be at 0x${address.toString(16)}, which no part of the file is loaded to.`,
    );
  const semaphoreOffset = semaphore === 0 ? undefined : fileOffsetOf(tables, semaphore + moved);
  if (semaphore !== 0 && semaphoreOffset === undefined)
    throw new ElfError(`The counter of probe ${provider}:${name} is in no part that is loaded from the file.`);
  return { provider, name, argumentText, address, fileOffset, semaphoreOffset };
}

function textsOf(bytes: Uint8Array, from: number): readonly [string, string, string] | undefined {
  const texts: string[] = [];
  for (let at = from; texts.length < 3; ) {
    const end = bytes.indexOf(0, at);
    if (end < 0 || at > bytes.length) return undefined;
    texts.push(cString(bytes, at));
    at = end + 1;
  }
  return texts as unknown as [string, string, string];
}
