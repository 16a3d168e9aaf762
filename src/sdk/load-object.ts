import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type ObjectSpec, readObject } from "../object/spec/index.ts";
import { type LoadedObject, loadObject as loadSpec, type ObjectLoadOptions } from "../runtime/load/index.ts";

/**
 * Reads an object file (`x.bpf.o`) into plain data, which can be printed, changed, copied and loaded as often as wanted.
 * Throws what `readObject` throws, and Node's own error for a file that cannot be read.
 */
export function openObject(path: string | URL): ObjectSpec {
  // `opensnoop.bpf.o` is called opensnoop, as other loaders call it.
  const file = basename(typeof path === "string" ? path : path.pathname);
  return readObject(readFileSync(path), { name: file.split(".")[0] ?? file });
}

/**
 * Loads an object into the kernel: a file, the bytes of one, or a spec. Fits its programs to the kernel's types (CO-RE),
 * finds what it wants of the kernel by name, creates its maps and fills them, loads its programs. When one part fails,
 * those made before it are closed again: the kernel is left as it was.
 *
 * Throws ElfError, BtfError, ObjectFileError (the file), CoreError, ObjectError (it does not fit this kernel), SystemError,
 * VerifierError (the kernel refuses it). Needs CAP_BPF, and CAP_PERFMON for tracing or CAP_NET_ADMIN for networking programs.
 * The caller closes the object.
 */
export function loadObject<const S extends ObjectSpec>(
  source: S | string | URL | Uint8Array,
  options: ObjectLoadOptions = {},
): LoadedObject<S> {
  if (typeof source === "string" || source instanceof URL) return loadSpec(openObject(source) as S, options);
  if (source instanceof Uint8Array) return loadSpec(readObject(source) as S, options);
  return loadSpec(source, options);
}
