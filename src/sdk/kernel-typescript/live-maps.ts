import { bucketRange, type LinearBuckets, linearBucketRange } from "../../language/kernel/index.ts";
import { isPerCpu } from "../../object/spec/index.ts";
import type { KeyedMap } from "../../runtime/map/index.ts";
import {
  type AggregateKind,
  type BucketKey,
  bucketsByKey,
  GREATEST,
  joinValues,
  type KeyBuckets,
  keyText,
  LEAST,
} from "./aggregate-values.ts";
import { HistogramValue } from "./histogram-value.ts";

/** An array map of a loaded program. Every index is there: reading one outside of it throws RangeError. */
export class LiveArray<V> implements Iterable<V> {
  /** The map itself, with all that maps can. */
  readonly map: KeyedMap<number, V>;

  constructor(map: KeyedMap<number, V>) {
    this.map = map;
  }

  /** How many values it has. */
  get length(): number {
    return this.map.info.maxEntries;
  }

  /** The value at an index; of per-CPU arrays one for each CPU. Throws RangeError. */
  get(index: number): V {
    const value = this.#isIndex(index) ? this.map.get(index) : undefined;
    if (value === undefined) throw this.#outside(index);
    return value;
  }

  /** Writes the value at an index. Throws RangeError, CodecError. */
  set(index: number, value: V): void {
    if (!this.#isIndex(index)) throw this.#outside(index);
    this.map.set(index, value);
  }

  /** The values in order. */
  [Symbol.iterator](): IterableIterator<V> {
    return this.map.values();
  }

  #isIndex(index: number): boolean {
    return Number.isInteger(index) && index >= 0 && index < this.length;
  }

  #outside(index: number): RangeError {
    return new RangeError(`Array map "${this.map.name}" has ${this.length} entries, from 0 on: there is no ${index}.`);
  }
}

/** Call stacks of a loaded program, by the numbers that its programs have of them. */
export class LiveStacks {
  /** The map itself. */
  readonly map: KeyedMap<number, bigint[]>;

  constructor(map: KeyedMap<number, bigint[]>) {
    this.map = map;
  }

  /** The addresses of a stack, from the innermost on; empty for a number that stands for none, negative ones among them. */
  get(id: number | bigint): bigint[] {
    const number = Number(id);
    const addresses = number >= 0 && number < 2 ** 32 ? this.map.get(number) : undefined;
    if (addresses === undefined) return [];
    const end = addresses.indexOf(0n);
    return end < 0 ? addresses : addresses.slice(0, end);
  }
}

/** What an aggregation of a loaded program has for each key. */
export class LiveAggregate<K, V> implements Iterable<[K, V]> {
  /** The map itself, in the form that programs count in. */
  readonly map: KeyedMap<unknown, unknown>;
  readonly #read: () => IterableIterator<[K, V]>;
  readonly #find: (key: K) => V;

  constructor(map: KeyedMap<unknown, unknown>, read: () => IterableIterator<[K, V]>, find: (key: K) => V) {
    this.map = map;
    this.#read = read;
    this.#find = find;
  }

  /** What it has for a key; what stands for nothing (0, no values) for one that was never recorded. */
  get(key: K): V {
    return this.#find(key);
  }

  /** All keys with what they have, in no order. */
  [Symbol.iterator](): IterableIterator<[K, V]> {
    return this.#read();
  }

  /** Forgets everything. What programs record meanwhile may be forgotten, too. */
  clear(): void {
    this.map.deleteMany([...this.map.keys()]);
  }
}

/** What an aggregation without a key of a loaded program has. */
export class LiveTotal<V> {
  /** The map itself, in the form that programs count in. */
  readonly map: KeyedMap<unknown, unknown>;
  readonly #read: () => V;
  readonly #clear: () => void;

  constructor(map: KeyedMap<unknown, unknown>, read: () => V, clear: () => void) {
    this.map = map;
    this.#read = read;
    this.#clear = clear;
  }

  /** What it has now. */
  get value(): V {
    return this.#read();
  }

  /** Begins anew. What programs record meanwhile may be forgotten, too. */
  clear(): void {
    this.#clear();
  }
}

/** How the values of an aggregation are read: from the form that programs count in, of one or of each CPU. */
export interface Reading<V> {
  /** What stands for nothing. */
  readonly none: V;
  /** What a value of the map says; of several, one for each CPU, together. */
  readonly join: (values: readonly unknown[]) => V;
  /** What a value begins with; 0 when left out. */
  readonly initial?: unknown;
}

const reading = (kind: AggregateKind, initial?: unknown): Reading<number | undefined> => ({
  none: undefined,
  join: (values) => {
    const value = joinValues(kind, values);
    return value === undefined ? undefined : Number(value);
  },
  initial,
});
const total = (kind: "counter" | "sum"): Reading<number> => ({
  none: 0,
  join: (values) => Number(joinValues(kind, values)),
});

/** How counters, sums, means and extremes are read. */
export const READINGS: Readonly<
  Record<"counter" | "sum", Reading<number>> & Record<"avg" | "min" | "max", Reading<number | undefined>>
> = {
  counter: total("counter"),
  sum: total("sum"),
  avg: reading("avg", { sum: 0n, count: 0n }),
  min: reading("min", GREATEST),
  max: reading("max", LEAST),
};

/** An aggregation with a key, each value by itself. */
export function keyedAggregate<K, V>(map: KeyedMap<unknown, unknown>, { none, join }: Reading<V>): LiveAggregate<K, V> {
  const live = map as KeyedMap<K, unknown>;
  return new LiveAggregate<K, V>(
    map,
    function* () {
      for (const [key, value] of live.entries()) yield [key, join([value])];
    },
    (key) => {
      const value = live.get(key);
      return value === undefined ? none : join([value]);
    },
  );
}

/** An aggregation without a key: one element of an array, or one for each CPU. */
export function totalAggregate<V>(map: KeyedMap<unknown, unknown>, { join, initial = 0n }: Reading<V>): LiveTotal<V> {
  const live = map as KeyedMap<number, unknown>;
  const values = (): readonly unknown[] => {
    const found = live.get(0);
    return isPerCpu(map.info.type) ? (found as unknown[]) : [found];
  };
  const clear = () => live.set(0, isPerCpu(map.info.type) ? values().map(() => initial) : initial);
  return new LiveTotal(map, () => join(values()), clear);
}

/** What a histogram's buckets hold, by their numbers. */
type Range = (bucket: number) => { readonly from: bigint | undefined; readonly to: bigint | undefined };

/** The ranges of a histogram of powers of two. */
export function logarithmic(bits: number): Range {
  return (bucket) => {
    const { from, to } = bucketRange(bucket, bits);
    // Negative values share a bucket, of which nobody knows where it begins.
    return { from: from < 0n ? undefined : from, to };
  };
}

/** The ranges of a histogram with steps of one size. */
export function stepped(steps: { readonly min: number; readonly max: number; readonly step: number }): Range {
  const buckets: LinearBuckets = { min: BigInt(steps.min), max: BigInt(steps.max), step: BigInt(steps.step) };
  return (bucket) => linearBucketRange(bucket, buckets);
}

/** A histogram with a key: its map has an entry for each key and bucket. */
export function keyedHistogram<K>(map: KeyedMap<unknown, unknown>, range: Range): LiveAggregate<K, HistogramValue> {
  const read = () => bucketsByKey((map as KeyedMap<BucketKey, bigint>).entries());
  const histogram = ({ counts }: KeyBuckets) =>
    new HistogramValue([...counts].map(([bucket, count]) => ({ ...range(bucket), count })));
  return new LiveAggregate<K, HistogramValue>(
    map,
    function* () {
      for (const one of read().values()) yield [one.key as K, histogram(one)];
    },
    (key) => histogram(read().get(keyText(key)) ?? { key, counts: new Map() }),
  );
}

/** A histogram without a key: its map has an entry for each bucket. */
export function totalHistogram(map: KeyedMap<unknown, unknown>, range: Range): LiveTotal<HistogramValue> {
  const live = map as KeyedMap<BucketKey, bigint>;
  return new LiveTotal(
    map,
    () => new HistogramValue([...live].map(([{ bucket }, count]) => ({ ...range(bucket), count: Number(count) }))),
    () => void live.deleteMany([...live.keys()]),
  );
}
