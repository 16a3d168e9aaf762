import { ElfError } from "./elf-error.ts";
import { cString, viewOf } from "./elf-tables.ts";

export interface ElfNote {
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
}

/**
 * The notes of a section (System V gABI, "Note Section"): sizes and type, then owner and description, each padded to 4 bytes.
 * Throws ElfError.
 */
export function* notesOf(bytes: Uint8Array, little: boolean, section: string): IterableIterator<ElfNote> {
  const view = viewOf(bytes);
  const pad = (size: number) => Math.ceil(size / 4) * 4;
  for (let at = 0; at + 12 <= bytes.length; ) {
    const size = view.getUint32(at + 4, little);
    const start = at + 12 + pad(view.getUint32(at, little));
    if (start + size > bytes.length) throw new ElfError(`A note of section ${section} lies beyond its end.`);
    const type = view.getUint32(at + 8, little);
    yield { owner: cString(bytes, at + 12), type, description: bytes.subarray(start, start + size) };
    at = start + pad(size);
  }
}
