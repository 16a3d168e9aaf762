import type { Inst, Op } from "./ir.ts";

/** What gives a number that is known where its operands are. */
const COMPUTES: ReadonlySet<Op> = new Set<Op>([
  "add",
  "sub",
  "mul",
  "and",
  "or",
  "xor",
  "shl",
  "lshr",
  "ashr",
  "neg",
  "zext",
  "sext",
]);

/**
 * Whether a value is one number on each way that the verifier follows, as far as can be seen at once: a constant, and what loops
 * count from one by constants.
 */
export function isCounted(inst: Inst): boolean {
  const seen = new Set<Inst>();
  // Of a phi that is looked at already nothing else is said: what it comes round to is for its other operands to decide.
  const counted = (one: Inst): boolean => {
    if (one.op === "const" || seen.has(one)) return true;
    if (one.op !== "phi" && !COMPUTES.has(one.op)) return false;
    seen.add(one);
    return one.args.every((arg) => counted(arg as Inst));
  };
  return counted(inst);
}
