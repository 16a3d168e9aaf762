import type { Expr } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { CALLEE } from "./callees.ts";
import type { Lowering } from "./lowering.ts";
import { nameOf } from "./places.ts";
import { value } from "./value.ts";

// Maps whose slots refer to things of the kernel: programs, cgroups.

type Op<Name extends Expr["op"]> = Extract<Expr, { readonly op: Name }>;

/** `programs.tailCall(index)`. It comes back only where it cannot be done; what is held would never be given back. */
export function tailCall(l: Lowering, { map, index, span }: Op<"tailCall">): void {
  const { b } = l;
  if (l.outline !== undefined || l.regions.length > 0) {
    l.report("EB4303", span, "there is something to be given back before the program can go on in another", {
      why: "A tail call never returns: a record that is reserved, or a loop that the kernel counts, would stay open.",
      help: "Submit or discard the record first, in a block of its own, and leave the loop.",
    });
    return;
  }
  const slot = value(l, index);
  b.call(CALLEE.tailCall, [l.context(), b.map(map.name), slot]);
}

/** `cgroups.currentTaskUnder(index)`: 1 where it is; a slot that is empty has nothing under it. */
export function taskUnder(l: Lowering, { map, index }: Op<"taskUnder">): Inst {
  const given = value(l, index);
  const slot = given.op === "const" ? given : l.bound(given, map.maxEntries, `\`${map.name}\``, nameOf(index));
  // An error is negative, in the lower half of the register.
  const found = l.b.zext(l.b.call(CALLEE.taskUnder, [l.b.map(map.name), slot]), 4);
  return l.truth("eq", found, l.one());
}
