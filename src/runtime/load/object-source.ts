import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type ObjectSpec, readObject } from "../../object/spec/index.ts";

/** Where an object comes from: a file by its path, the bytes of one, or a spec. */
export type ObjectSource = ObjectSpec | string | URL | Uint8Array;

/**
 * Reads an object file (`x.bpf.o`) into plain data, which can be printed, changed, copied and loaded as often as wanted.
 * Throws what `readObject` throws, and Node's own error for a file that cannot be read.
 */
export function openObject(path: string | URL): ObjectSpec {
  // `opensnoop.bpf.o` is called opensnoop, as other loaders call it.
  const file = basename(typeof path === "string" ? path : path.pathname);
  return readObject(readFileSync(path), { name: file.split(".")[0] ?? file });
}

/** The spec itself, or that of a file or its bytes. */
export function specOf(source: ObjectSource): ObjectSpec {
  if (typeof source === "string" || source instanceof URL) return openObject(source);
  return source instanceof Uint8Array ? readObject(source) : source;
}
