import { powerOfTwo } from "./fold.ts";
import type { Inst } from "./ir.ts";
import type { Leaves } from "./leaves.ts";

/**
 * Algebra that needs new constants; otherwise like `simplify`. Division and remainder by powers of two become a shift and a mask,
 * which the kernel's analysis understands: of quotients it knows nothing.
 */
export function strengthen(inst: Inst, leaves: Leaves): undefined {
  const b = inst.args[1];
  const power = b?.op === "const" ? powerOfTwo(b.imm) : -1;
  if (b === undefined || power === -1) return;
  if (inst.op === "udiv") {
    inst.op = "lshr";
    inst.args[1] = leaves.constant(BigInt(power));
  } else if (inst.op === "umod") {
    inst.op = "and";
    inst.args[1] = leaves.constant(b.imm - 1n);
  }
}
