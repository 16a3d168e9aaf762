import { kernelOnly } from "./kernel-only.ts";
import type { MapOptions } from "./map.ts";
import { Descriptor } from "./origin.ts";
import { isType, type Type } from "./type.ts";

/** How an aggregation is made. */
export type AggregateOptions = Pick<MapOptions, "max" | "pinned">;

/** What aggregations have in common. `KK` and `DK` are `undefined` where it has no key. */
abstract class Aggregate<KK, DK, O extends AggregateOptions = AggregateOptions> extends Descriptor {
  readonly key: Type<KK, DK> | undefined;
  readonly options: O;

  constructor(key: Type<KK, DK> | undefined, options: O) {
    super();
    this.key = key;
    this.options = options;
  }
}

/** The key, and then what is recorded; without a key what is recorded alone. */
type Keyed<KK, Rest extends unknown[]> = [KK] extends [undefined] ? Rest : [key: KK, ...Rest];

/** How often something happened. Made by `counter()` and `counter(key)`. */
export class Counter<KK, DK> extends Aggregate<KK, DK> {
  readonly kind = "counter";

  /** Counts one more. */
  inc(..._key: Keyed<KK, []>): void {
    kernelOnly("counter.inc()");
  }

  /** Counts so many more. */
  add(..._keyAndAmount: Keyed<KK, [amount: number]>): void {
    kernelOnly("counter.add()");
  }
}

/** A sum of what was added. Made by `sum()` and `sum(key)`. */
export class Sum<KK, DK> extends Aggregate<KK, DK> {
  readonly kind = "sum";

  /** Adds a value. */
  add(..._keyAndValue: Keyed<KK, [value: number]>): void {
    kernelOnly("sum.add()");
  }
}

/** The mean of what was recorded. Made by `avg()` and `avg(key)`. */
export class Average<KK, DK> extends Aggregate<KK, DK> {
  readonly kind = "avg";

  /** Records a value. */
  record(..._keyAndValue: Keyed<KK, [value: number]>): void {
    kernelOnly("avg.record()");
  }
}

/** The least of what was recorded. Made by `min()` and `min(key)`. */
export class Minimum<KK, DK> extends Aggregate<KK, DK> {
  readonly kind = "min";

  /** Records a value. */
  record(..._keyAndValue: Keyed<KK, [value: number]>): void {
    kernelOnly("min.record()");
  }
}

/** The greatest of what was recorded. Made by `max()` and `max(key)`. */
export class Maximum<KK, DK> extends Aggregate<KK, DK> {
  readonly kind = "max";

  /** Records a value. */
  record(..._keyAndValue: Keyed<KK, [value: number]>): void {
    kernelOnly("max.record()");
  }
}

/** How finely a histogram tells values apart. */
export interface HistogramOptions extends AggregateOptions {
  /** How many bits below a value's highest one count: 0 gives a bucket for each power of two, 2 four for each. */
  readonly bits?: 0 | 1 | 2 | 3 | 4 | 5;
}

/** How values are spread, in buckets that grow with them. Made by `histogram()` and `histogram(key)`. */
export class Histogram<KK, DK> extends Aggregate<KK, DK, HistogramOptions> {
  readonly kind = "histogram";

  /** Records a value. */
  record(..._keyAndValue: Keyed<KK, [value: number]>): void {
    kernelOnly("histogram.record()");
  }
}

/** The buckets of a linear histogram: of `step` each, from `min` to `max`; below and above them one more each. */
export interface LinearOptions extends AggregateOptions {
  readonly min: number;
  readonly max: number;
  readonly step: number;
  /** Entries at most, of keys and buckets together. */
  readonly entries?: number;
}

/** How values are spread, in buckets of one size. Made by `linear(options)` and `linear(key, options)`. */
export class Linear<KK, DK> extends Aggregate<KK, DK, LinearOptions> {
  readonly kind = "linear";

  /** Records a value. */
  record(..._keyAndValue: Keyed<KK, [value: number]>): void {
    kernelOnly("linear.record()");
  }
}

/** Counts, for each key or altogether: `counter(str(16))`. */
export function counter(options?: AggregateOptions): Counter<undefined, undefined>;
export function counter<KK, DK>(key: Type<KK, DK>, options?: AggregateOptions): Counter<KK, DK>;
export function counter(first?: Anything, second?: Anything): Anything {
  return new Counter(...split<AggregateOptions>(first, second));
}

/** Adds up, for each key or altogether: `sum(u32)`. Values are signed. */
export function sum(options?: AggregateOptions): Sum<undefined, undefined>;
export function sum<KK, DK>(key: Type<KK, DK>, options?: AggregateOptions): Sum<KK, DK>;
export function sum(first?: Anything, second?: Anything): Anything {
  return new Sum(...split<AggregateOptions>(first, second));
}

/** Means, for each key or altogether: `avg(u32)`. Values are signed. */
export function avg(options?: AggregateOptions): Average<undefined, undefined>;
export function avg<KK, DK>(key: Type<KK, DK>, options?: AggregateOptions): Average<KK, DK>;
export function avg(first?: Anything, second?: Anything): Anything {
  return new Average(...split<AggregateOptions>(first, second));
}

/** The least, for each key or altogether: `min(u32)`. In kernel code `min(a, b)` is the lesser of two numbers. */
export function min(a: number, b: number): number;
export function min(options?: AggregateOptions): Minimum<undefined, undefined>;
export function min<KK, DK>(key: Type<KK, DK>, options?: AggregateOptions): Minimum<KK, DK>;
export function min(first?: Anything, second?: Anything): Anything {
  return typeof first === "number" ? Math.min(first, second) : new Minimum(...split<AggregateOptions>(first, second));
}

/** The greatest, for each key or altogether: `max(u32)`. In kernel code `max(a, b)` is the greater of two numbers. */
export function max(a: number, b: number): number;
export function max(options?: AggregateOptions): Maximum<undefined, undefined>;
export function max<KK, DK>(key: Type<KK, DK>, options?: AggregateOptions): Maximum<KK, DK>;
export function max(first?: Anything, second?: Anything): Anything {
  return typeof first === "number" ? Math.max(first, second) : new Maximum(...split<AggregateOptions>(first, second));
}

/** A histogram of powers of two, for each key or altogether: `histogram(u32, { bits: 2 })`. */
export function histogram(options?: HistogramOptions): Histogram<undefined, undefined>;
export function histogram<KK, DK>(key: Type<KK, DK>, options?: HistogramOptions): Histogram<KK, DK>;
export function histogram(first?: Anything, second?: Anything): Anything {
  return new Histogram(...split<HistogramOptions>(first, second));
}

/** A histogram with steps of one size, for each key or altogether: `linear(u32, { min: 0, max: 1000, step: 50 })`. */
export function linear(options: LinearOptions): Linear<undefined, undefined>;
export function linear<KK, DK>(key: Type<KK, DK>, options: LinearOptions): Linear<KK, DK>;
export function linear(first: Anything, second?: Anything): Anything {
  return new Linear(...split<LinearOptions>(first, second));
}

// biome-ignore lint/suspicious/noExplicitAny: what overloads say is what callers see.
type Anything = any;

/** What was given as key, which may be left out, and as options. */
function split<O extends object>(first: Anything, second: Anything): [Type<unknown, unknown> | undefined, O] {
  return isType(first) ? [first, second ?? {}] : [undefined, first ?? {}];
}
