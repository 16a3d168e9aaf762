import { kernelOnly } from "./kernel-only.ts";

/** A scalar in place: of a map's value (`map.ref(key)`) or of a global variable. The methods are atomic. */
export interface Cell<K> {
  /** The value; reading it and writing it back is not one step: see `add`. */
  value: K;
  /** Adds to it; programs on other CPUs do not lose theirs. */
  add(amount: number): void;
  /** Puts a value there and gives the one before. Linux 5.12. */
  xchg(value: K): K;
  /** Puts a value there if it is `expected`, and gives what it was. Linux 5.12. */
  cas(expected: K, value: K): K;
}

/**
 * A number that stands in a struct, an array or a ring's record, in place: `cell(stat.packets).add(1)`,
 * `cell(hist.slots[i]).add(1)`. `stat.packets += 1` reads and writes in two steps, and loses what another CPU adds between them.
 */
export function cell<K extends number | boolean>(_place: K): Cell<K> {
  return kernelOnly("cell()");
}

/** What `ref` gives: a cell for scalars, the value itself in place for structs, arrays, texts and bytes. */
export type Ref<K> = [K] extends [number | boolean] ? Cell<K> : K;
