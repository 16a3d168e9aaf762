import { ElfError } from "./elf-error.ts";
import { cString, viewOf } from "./elf-tables.ts";

/** A library that the dynamic linker knows. */
interface CachedLibrary {
  /** As programs ask for it: `libssl.so.3`. */
  readonly name: string;
  readonly path: string;
  /** The kind of library: 0x0303 for x86-64, 0x0a03 for arm64, 3 for x86. */
  readonly flags: number;
}

const OLD = new TextEncoder().encode("ld.so-1.7.0");
const NEW = new TextEncoder().encode("glibc-ld.so.cache1.1");
/** Sizes of the headers and entries of either form (glibc, dl-cache.h). */
const OLD_HEADER = 16;
const OLD_ENTRY = 12;
const NEW_HEADER = 48;
const NEW_ENTRY = 24;

/**
 * The libraries in the dynamic linker's cache (`/etc/ld.so.cache`, ldconfig(8)), in its order. Knows the form of glibc before
 * 2.1, the present one, and the one that has both. Throws ElfError for bytes that are none, or are cut short.
 */
export function readLibraryCache(bytes: Uint8Array): readonly CachedLibrary[] {
  const view = viewOf(bytes);
  const begins = (text: Uint8Array, at: number) => text.every((letter, i) => bytes[at + i] === letter);
  const entries = (first: number, count: number, size: number, texts: number) => {
    if (first + count * size > bytes.length) throw new ElfError("The dynamic linker's cache is cut short.");
    return Array.from({ length: count }, (_, i): CachedLibrary => {
      const at = first + i * size;
      const text = (field: number) => cString(bytes, texts + view.getUint32(at + field, true));
      return { flags: view.getInt32(at, true), name: text(4), path: text(8) };
    });
  };
  let at = 0;
  if (begins(OLD, 0) && bytes.length >= OLD_HEADER) {
    const count = view.getUint32(12, true);
    const end = OLD_HEADER + count * OLD_ENTRY;
    at = Math.ceil(end / 8) * 8;
    if (!begins(NEW, at)) return entries(OLD_HEADER, count, OLD_ENTRY, end);
  } else if (!begins(NEW, 0)) {
    throw new ElfError("The bytes are no cache of the dynamic linker: they do not begin as one does.");
  }
  if (at + NEW_HEADER > bytes.length) throw new ElfError("The dynamic linker's cache is cut short.");
  return entries(at + NEW_HEADER, view.getUint32(at + 20, true), NEW_ENTRY, at);
}
