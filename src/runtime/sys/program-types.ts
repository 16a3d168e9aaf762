import { Btf } from "../../object/btf/index.ts";
import { btfBytes } from "./btf-info.ts";
import type { Fd } from "./fd.ts";
import { openId } from "./ids.ts";
import { objectInfo } from "./object-info.ts";

/** A function that a program cannot be attached to. */
export class ProgramFunctionError extends Error {
  override readonly name = "ProgramFunctionError";
  readonly code = "SKEP_PROGRAM_FUNCTION";
}

// struct bpf_prog_info (linux/bpf.h) as far as what is used of it.
const INFO_SIZE = 148;
const BTF_ID = 128;
const FUNCTION_SIZE = 132;
const FUNCTIONS = 136;
const FUNCTION_COUNT = 144;

/**
 * The id, in the types of a loaded program, of one of its functions: of the program itself when `name` is left out. Throws
 * ProgramFunctionError, SystemError. Needs CAP_SYS_ADMIN.
 */
export function programFunction(program: { readonly fd: Fd; readonly name: string }, name?: string): number {
  const ids = functionIds(program.fd);
  if (ids.types === 0 || ids.functions.length === 0)
    throw new ProgramFunctionError(
      `Program "${program.name}" was loaded without types, and its functions cannot be named: compile it with -g.`,
    );
  const first = ids.functions[0] as number;
  if (name === undefined) return first;
  const types = programTypes(ids.types);
  const found = ids.functions.find((id) => types.type(id).name === name);
  if (found !== undefined) return found;
  const there = ids.functions.map((id) => types.type(id).name).join(", ");
  throw new ProgramFunctionError(
    `Program "${program.name}" has no function "${name}" (it has: ${there}). One that is static may be inlined; mark it __noinline.`,
  );
}

function functionIds(fd: Fd): { readonly types: number; readonly functions: readonly number[] } {
  const first = objectInfo(fd, new Uint8Array(INFO_SIZE));
  const [count, size] = [first.getUint32(FUNCTION_COUNT, true), first.getUint32(FUNCTION_SIZE, true)];
  if (count === 0) return { types: first.getUint32(BTF_ID, true), functions: [] };
  const rows = new Uint8Array(count * size);
  const info = new Uint8Array(INFO_SIZE);
  const asked = new DataView(info.buffer);
  asked.setUint32(FUNCTION_SIZE, size, true);
  asked.setUint32(FUNCTION_COUNT, count, true);
  const view = objectInfo(fd, info, [[FUNCTIONS, rows]]);
  const table = new DataView(rows.buffer);
  // struct bpf_func_info: the instruction that it begins at, and its type.
  const functions = Array.from({ length: count }, (_, i) => table.getUint32(i * size + 4, true));
  return { types: view.getUint32(BTF_ID, true), functions };
}

function programTypes(id: number): Btf {
  using fd = openId("BPF_BTF_GET_FD_BY_ID", id, "types");
  return Btf.parse(btfBytes(fd));
}
