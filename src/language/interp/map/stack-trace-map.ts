import { EEXIST, EFAULT } from "./errno.ts";
import { MachineMap } from "./machine-map.ts";

const ADDRESS = 8;
const REUSE = 1 << 10;
const FAST = 1 << 9;

/** Stacks by number, as `get_stackid` keeps them: `get(id)` has the addresses, innermost first. */
export class StackTraceMachineMap extends MachineMap {
  readonly #stacks = new Map<number, readonly bigint[]>();

  /** The stack of an id that `get_stackid` gave; undefined when there is none. */
  get(id: number): readonly bigint[] | undefined {
    return this.#stacks.get(id);
  }

  /** Removes a stack; whether it was there. */
  delete(id: number): boolean {
    return this.#stacks.delete(id);
  }

  /** All stacks by id. */
  entries(): IterableIterator<[number, readonly bigint[]]> {
    return this.#stacks.entries();
  }

  /** As `entries()`. */
  [Symbol.iterator](): IterableIterator<[number, readonly bigint[]]> {
    return this.entries();
  }

  /** How many stacks there are. */
  get size(): number {
    return this.#stacks.size;
  }

  /** @internal The id of a stack, or −errno. */
  _keep(stack: readonly bigint[], flags: number): number {
    const kept = stack.slice(0, Math.floor(this.valueSize / ADDRESS));
    if (kept.length === 0) return EFAULT;
    let hash = 0x811c9dc5;
    for (const address of kept) {
      hash = Math.imul(hash ^ Number(BigInt.asUintN(32, address)), 0x01000193);
      hash = Math.imul(hash ^ Number(BigInt.asUintN(32, address >> 32n)), 0x01000193);
    }
    const id = (hash >>> 0) % this.maxEntries;
    const there = this.#stacks.get(id);
    if (there !== undefined) {
      const same = there.length === kept.length && there.every((address, i) => address === kept[i]);
      if (same || (flags & FAST) !== 0) return id;
      if ((flags & REUSE) === 0) return EEXIST;
    }
    this.#stacks.set(id, kept);
    return id;
  }
}
