import type { Block, Inst } from "../ssa/ir.ts";
import type { Lowering } from "./lowering.ts";

/** Where a turn of a loop goes: on, or out. */
export interface Ways {
  readonly again: Block;
  readonly end: Block;
}

/**
 * A jump back as long as a number, which begins with `start` and grows by `step`, is below `limit`, `most` times at most; the number
 * that it ends with.
 */
export function counting(
  l: Lowering,
  start: Inst,
  limit: Inst,
  step: bigint,
  most: number,
  turn: (at: Inst, ways: Ways) => void,
): Inst {
  const { b } = l;
  const at = l.newVariable();
  b.write(at, start);
  const [head, body, again, end] = [b.newBlock(), b.newBlock(), b.newBlock(), b.newBlock()];
  head.turns = most;
  b.jump(head);
  b.at(head);
  // Of a limit that is not known the kernel may know less than is true. Where it is to be spared it is told how often at most.
  if (limit.op !== "const" && l.unit.manner === "sparing") {
    const last = b.add(start, b.constant(BigInt(most) * step));
    const goesOn = b.newBlock();
    b.branch("ult", b.read(at), last, goesOn, end);
    b.enter(goesOn);
  }
  b.branch("ult", b.read(at), limit, body, end);
  b.enter(body);
  turn(b.read(at), { again, end });
  b.enter(again);
  b.write(at, b.add(b.read(at), b.constant(step)));
  b.jump(head);
  b.seal(head);
  b.enter(end);
  return b.read(at);
}
