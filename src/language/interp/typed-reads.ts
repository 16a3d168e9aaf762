import { Callee, Helper, type Instruction, Opcode } from "../../object/asm/index.ts";
import type { ProgramSpec, ProgramTypeName } from "../../object/spec/index.ts";

/** Types of programs whose arguments are pointers to the kernel's types. */
const TYPED: readonly ProgramTypeName[] = ["tracing", "lsm", "struct_ops"];
/** Helpers that give such pointers to programs of other types. */
const HELPERS: readonly number[] = [
  Helper.get_current_task_btf,
  Helper.task_pt_regs,
  Helper.sock_from_file,
  Helper.skc_to_tcp_sock,
  Helper.skc_to_tcp6_sock,
  Helper.skc_to_tcp_timewait_sock,
  Helper.skc_to_tcp_request_sock,
  Helper.skc_to_udp6_sock,
  Helper.skc_to_unix_sock,
  Helper.skc_to_mptcp_sock,
];

/**
 * Whether a program has pointers to the kernel's types, which it reads through without asking whether they are null: the kernel
 * gives zero for what cannot be read.
 */
export function readsTyped({ type, instructions }: ProgramSpec): boolean {
  return TYPED.includes(type) || instructions.some(givesTyped);
}

/** Functions of the kernel, too, give typed pointers. */
function givesTyped({ opcode, src, imm, extern }: Instruction): boolean {
  if (opcode !== Opcode.CALL) return false;
  return extern !== undefined || src === Callee.KFUNC || (src === Callee.HELPER && HELPERS.includes(imm));
}
