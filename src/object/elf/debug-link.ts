import { cString, type ElfTables, type ReadFile, viewOf } from "./elf-tables.ts";
import { notesOf } from "./notes.ts";

/** What a stripped file says of the one that has its symbols. */
export interface DebugLink {
  /** The hash of what was linked, in hexadecimal, which both files have. */
  readonly buildId: string | undefined;
  /** The other file's name, and the CRC-32 of its bytes. */
  readonly file: { readonly name: string; readonly crc: number } | undefined;
}

const BUILD_ID = 3;

/** Reads `.note.gnu.build-id` and `.gnu_debuglink` (GDB's manual, "Separate Debug Files"). */
export function readDebugLink({ sections, little }: ElfTables, read: ReadFile): DebugLink {
  let buildId: string | undefined;
  let file: DebugLink["file"];
  for (const { name, offset, size } of sections) {
    if (name === ".note.gnu.build-id") {
      for (const { owner, type, description } of notesOf(read(offset, size), little, name)) {
        if (owner === "GNU" && type === BUILD_ID)
          buildId = [...description].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      }
    } else if (name === ".gnu_debuglink") {
      const bytes = read(offset, size);
      // The name, its NUL, zeros up to a multiple of 4, the CRC.
      const end = Math.ceil((bytes.indexOf(0) + 1) / 4) * 4;
      if (end >= 4 && end + 4 <= bytes.length)
        file = { name: cString(bytes, 0), crc: viewOf(bytes).getUint32(end, little) };
    }
  }
  return { buildId, file };
}
