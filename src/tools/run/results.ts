import { bucketCount, bucketRange, linearBucketRange } from "../../language/kernel/index.ts";
import { KeyedMap, type LoadedObject } from "../../sdk/index.ts";
import type { Plan, ShownMap } from "./plan.ts";
import type { Bucket } from "./view/histogram.ts";

/** What a map came to. */
export type Result =
  | {
      readonly name: string;
      readonly kind: "counter" | "sum" | "avg" | "min" | "max";
      readonly rows: readonly { readonly key: unknown; readonly value: number | bigint }[];
    }
  | {
      readonly name: string;
      readonly kind: "histogram";
      readonly rows: readonly { readonly key: unknown; readonly buckets: readonly Bucket[] }[];
    }
  | {
      readonly name: string;
      readonly kind: "map";
      readonly rows: readonly { readonly key: unknown; readonly value: unknown }[];
    };

type Decoded = number | bigint;

interface Average {
  readonly sum: bigint;
  readonly count: bigint;
}

/** Greatest and least of an i64: what a minimum and a maximum begin with where they have no key. */
const GREATEST = 2n ** 63n - 1n;
const LEAST = -(2n ** 63n);

/** Keyless minima and maxima begin with what everything is less or greater than. To be done before the programs run. */
export function prepareResults(object: LoadedObject, plan: Plan): void {
  for (const { name, aggregate, keyless } of plan.shown) {
    if (!keyless || (aggregate?.kind !== "min" && aggregate?.kind !== "max")) continue;
    const map = keyed(object, name);
    const first = aggregate.kind === "min" ? GREATEST : LEAST;
    const now = map.get(0);
    map.set(0, Array.isArray(now) ? now.map(() => first) : first);
  }
}

/** What the maps hold now. */
export function readResults(object: LoadedObject, plan: Plan): Result[] {
  return plan.shown.map((shown) => resultOf(keyed(object, shown.name), shown));
}

function keyed(object: LoadedObject, name: string): KeyedMap<unknown, unknown> {
  const map = (object.maps as Readonly<Record<string, unknown>>)[name];
  if (map instanceof KeyedMap) return map as KeyedMap<unknown, unknown>;
  throw new Error(`map ${name} of the compiled program has no keys`);
}

function resultOf(map: KeyedMap<unknown, unknown>, shown: ShownMap): Result {
  const { name, aggregate, keyless } = shown;
  const entries = [...map.entries()];
  if (aggregate === undefined) return { name, kind: "map", rows: entries.map(([key, value]) => ({ key, value })) };
  if (aggregate.kind === "log2" || aggregate.kind === "linear")
    return { name, kind: "histogram", rows: histograms(entries as [BucketKey, bigint][], aggregate) };
  const { kind } = aggregate;
  const rows = entries.flatMap(([key, value]) => {
    const joined = join(kind, Array.isArray(value) ? value : [value]);
    return joined === undefined ? [] : [{ key: keyless ? undefined : key, value: joined }];
  });
  return { name, kind, rows };
}

/** What the values of all CPUs are together; undefined where nothing was recorded. */
function join(kind: "counter" | "sum" | "avg" | "min" | "max", values: readonly unknown[]): Decoded | undefined {
  switch (kind) {
    case "counter":
    case "sum":
      return (values as bigint[]).reduce((sum, value) => sum + BigInt(value), 0n);
    case "avg": {
      const parts = values as readonly Average[];
      const count = parts.reduce((sum, part) => sum + BigInt(part.count), 0n);
      const total = parts.reduce((sum, part) => sum + BigInt(part.sum), 0n);
      return count === 0n ? undefined : Number(total) / Number(count);
    }
    case "min":
    case "max": {
      const nothing = kind === "min" ? GREATEST : LEAST;
      const best = (values as bigint[])
        .map(BigInt)
        .reduce((a, b) => ((kind === "min" ? b < a : b > a) ? b : a), nothing);
      return best === nothing ? undefined : best;
    }
  }
}

interface BucketKey {
  readonly key?: unknown;
  readonly bucket: number;
}

type Spread = Extract<NonNullable<ShownMap["aggregate"]>, { readonly kind: "log2" | "linear" }>;

/** So many buckets are filled in where nothing was counted, between those that hold something. */
const MOST_BUCKETS = 4096;

function histograms(
  entries: readonly [BucketKey, bigint][],
  aggregate: Spread,
): { readonly key: unknown; readonly buckets: readonly Bucket[] }[] {
  const found = new Map<string, { readonly key: unknown; readonly counts: Map<number, number> }>();
  for (const [{ key, bucket }, count] of entries) {
    const text = JSON.stringify(key, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value)) ?? "";
    const one = found.get(text) ?? { key, counts: new Map<number, number>() };
    found.set(text, one);
    one.counts.set(bucket, Number(count));
  }
  return [...found.values()].map(({ key, counts }) => ({ key, buckets: filled(counts, aggregate) }));
}

/** The buckets from the first to the last that hold something, in the order of their values. */
function filled(counts: ReadonlyMap<number, number>, aggregate: Spread): Bucket[] {
  const negative = aggregate.kind === "log2" ? bucketCount(aggregate.bits) : -1;
  const numbers = [...counts.keys()].filter((bucket) => bucket !== negative).sort((a, b) => a - b);
  const [first = 0, last = -1] = [numbers[0], numbers.at(-1)];
  const all = last - first < MOST_BUCKETS ? Array.from({ length: last - first + 1 }, (_, i) => first + i) : numbers;
  const buckets = all.map((bucket) => bucketOf(bucket, counts.get(bucket) ?? 0, aggregate));
  const below = counts.get(negative);
  return below === undefined ? buckets : [{ high: 0n, count: below }, ...buckets];
}

function bucketOf(bucket: number, count: number, aggregate: Spread): Bucket {
  const { from, to } =
    aggregate.kind === "log2" ? bucketRange(bucket, aggregate.bits) : linearBucketRange(bucket, aggregate);
  return { ...(from !== undefined && { low: from }), ...(to !== undefined && { high: to }), count };
}
