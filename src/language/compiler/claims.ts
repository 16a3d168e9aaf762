import type { Func } from "./ssa/ir.ts";

/** Takes claims (`bound`, `fits`) out of a function: their values stand for themselves. */
export function dropClaims(func: Func): void {
  for (const block of func.blocks) {
    for (const inst of [...block.phis, ...block.insts, ...(block.end === undefined ? [] : [block.end])]) {
      for (const [i, arg] of inst.args.entries()) {
        let value = arg;
        while (value.op === "bound" || value.op === "fits") value = value.args[0] as typeof value;
        inst.args[i] = value;
      }
    }
    block.insts = block.insts.filter(({ op }) => op !== "bound" && op !== "fits");
  }
}
