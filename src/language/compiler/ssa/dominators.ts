import type { Block, Func } from "./ir.ts";

/**
 * Which block is passed on every way to another, and the order that passes go in: reverse postorder, in which a block comes after
 * all its predecessors but those of edges that go back (Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm, 2001).
 * Holds until edges change.
 */
export class Dominators {
  /** What can be reached, in reverse postorder. */
  readonly order: readonly Block[];
  /** Position in `order` by the block's id; -1 of what cannot be reached. */
  readonly #position: Int32Array;
  /** Position of the immediate dominator by position; of the first block itself. */
  readonly #idom: Int32Array;
  /** Where the block's subtree of the dominator tree begins and ends, by position. */
  readonly #enter: Int32Array;
  readonly #leave: Int32Array;

  constructor(func: Func) {
    const order = reversePostorder(func, (block) => block.end?.succs ?? []);
    const position = new Int32Array(func.blockCount).fill(-1);
    for (let i = 0; i < order.length; i++) position[order[i]!.id] = i;
    const idom = new Int32Array(order.length).fill(-1);
    idom[0] = 0;
    for (let changed = true; changed; ) {
      changed = false;
      for (let i = 1; i < order.length; i++) {
        let found = -1;
        for (const pred of order[i]!.preds) {
          let at = position[pred.id]!;
          if (at === -1 || idom[at] === -1) continue;
          if (found === -1) found = at;
          // The two fingers walk up until they meet.
          while (at !== found)
            if (at > found) at = idom[at]!;
            else found = idom[found]!;
        }
        if (idom[i] !== found) {
          idom[i] = found;
          changed = true;
        }
      }
    }
    this.order = order;
    this.#position = position;
    this.#idom = idom;
    // Subtree sizes from the leaves up; then each subtree is a range of numbers.
    const size = new Int32Array(order.length).fill(1);
    for (let i = order.length - 1; i > 0; i--) size[idom[i]!]! += size[i]!;
    const enter = new Int32Array(order.length);
    const next = new Int32Array(order.length);
    next[0] = 1;
    for (let i = 1; i < order.length; i++) {
      const parent = idom[i]!;
      enter[i] = next[parent]!;
      next[parent]! += size[i]!;
      next[i] = enter[i]! + 1;
    }
    this.#enter = enter;
    this.#leave = size.map((n, i) => enter[i]! + n);
  }

  /** Whether the block can be reached. */
  reaches(block: Block): boolean {
    return this.#position[block.id]! !== -1;
  }

  /** The nearest other block on every way to `block`; undefined of the first. */
  idom(block: Block): Block | undefined {
    const at = this.#position[block.id]!;
    return at <= 0 ? undefined : this.order[this.#idom[at]!];
  }

  /** Whether every way to `b` passes `a`; a block dominates itself. */
  dominates(a: Block, b: Block): boolean {
    const i = this.#position[a.id]!;
    const j = this.#position[b.id]!;
    return i !== -1 && j !== -1 && this.#enter[i]! <= this.#enter[j]! && this.#enter[j]! < this.#leave[i]!;
  }
}

/**
 * What can be reached from the first block, each after its predecessors but for edges that go back. The first of its successors
 * comes directly behind a block, where nothing else leads to that one.
 */
export function reversePostorder(func: Func, succsOf: (block: Block) => readonly Block[]): Block[] {
  const seen = new Uint8Array(func.blockCount);
  const postorder: Block[] = [];
  const stack: { readonly block: Block; readonly succs: readonly Block[]; next: number }[] = [];
  const enter = (block: Block): void => {
    seen[block.id] = 1;
    const succs = succsOf(block);
    // The last successor first: what is walked last stands first in the end.
    stack.push({ block, succs, next: succs.length - 1 });
  };
  enter(func.blocks[0]!);
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    if (top.next < 0) {
      postorder.push(top.block);
      stack.pop();
      continue;
    }
    const succ = top.succs[top.next--]!;
    if (seen[succ.id] === 0) enter(succ);
  }
  return postorder.reverse();
}
