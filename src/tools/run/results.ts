import { bucketCount, bucketRange, linearBucketRange } from "../../language/kernel/index.ts";
import { KeyedMap, type LoadedObject } from "../../sdk/index.ts";
import { type AggregateKind, bucketsByKey, joinValues } from "../../sdk/kernel-typescript/index.ts";
import type { Plan, ShownMap } from "./plan.ts";
import type { Bucket } from "./view/histogram.ts";

/** What a map came to. */
export type Result =
  | {
      readonly name: string;
      readonly kind: AggregateKind;
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
    return { name, kind: "histogram", rows: histograms(entries as [{ bucket: number }, bigint][], aggregate) };
  const { kind } = aggregate;
  const rows = entries.flatMap(([key, value]) => {
    const joined = joinValues(kind, Array.isArray(value) ? value : [value]);
    return joined === undefined ? [] : [{ key: keyless ? undefined : key, value: joined }];
  });
  return { name, kind, rows };
}

type Spread = Extract<NonNullable<ShownMap["aggregate"]>, { readonly kind: "log2" | "linear" }>;

/** So many buckets are filled in where nothing was counted, between those that hold something. */
const MOST_BUCKETS = 4096;

function histograms(
  entries: Parameters<typeof bucketsByKey>[0],
  aggregate: Spread,
): { readonly key: unknown; readonly buckets: readonly Bucket[] }[] {
  return [...bucketsByKey(entries).values()].map(({ key, counts }) => ({ key, buckets: filled(counts, aggregate) }));
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
