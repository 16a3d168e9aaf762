import { bucketCount } from "../../kernel/index.ts";
import type { Expr, MapDecl } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { type IntType, type StructType, sizeOf, U32 } from "../type.ts";
import { addTo, canExchange, exchange } from "./cells.ts";
import { comparing } from "./conditions.ts";
import { log2Floor } from "./integers.ts";
import { into, zeroAround } from "./into.ts";
import type { Destination, Lowering } from "./lowering.ts";
import { arrayElement, copied, findOrInsert, isArray, valueType } from "./maps.ts";
import { zero } from "./memory.ts";
import { loadScalar, storeScalar } from "./scalar-memory.ts";
import { value } from "./value.ts";

type Record = Extract<Expr, { readonly op: "mapRecord" }>;

/** How often a new minimum is tried to be put in the place of one that changes meanwhile. */
const ATTEMPTS = 8;

/** Adds a value to what a map adds up: counters, sums, averages, extremes, histograms. */
export function record(l: Lowering, expr: Record): void {
  const { map, key } = expr;
  const { aggregate } = map;
  if (aggregate === undefined) throw new Error(`map ${map.name} adds nothing up`);
  switch (aggregate.kind) {
    case "counter":
    case "sum": {
      const at = keyOf(l, map, key);
      const by = value(l, expr.value);
      onElement(l, map, at, zeros(l, map), (element) => addTo(l, scalar(map), element, 0, by));
      return;
    }
    case "avg": {
      const at = keyOf(l, map, key);
      const by = value(l, expr.value);
      const { fields } = valueType(map) as StructType;
      onElement(l, map, at, zeros(l, map), (element) => {
        for (const { name, offset, type } of fields)
          addTo(l, type as IntType, element, offset, name === "count" ? l.b.constant(1n) : by);
      });
      return;
    }
    case "min":
    case "max": {
      const at = keyOf(l, map, key);
      const given = value(l, expr.value);
      const type = scalar(map);
      const { kind } = aggregate;
      const first = (to: () => Destination) => storeScalar(l, type, to().base, 0, given);
      onElement(l, map, at, first, (element) => extreme(l, map, kind, type, element, given));
      return;
    }
    case "log2":
    case "linear": {
      // The key has the bucket at its end: what comes before is evaluated first, as it is written.
      const type = map.key as StructType;
      const to = l.temporary(type, "key");
      const bucketField = type.fields.find((field) => field.name === "bucket");
      const keyField = type.fields.find((field) => field.name === "key");
      if (bucketField === undefined) throw new Error(`the key of histogram ${map.name} has no bucket`);
      zeroAround(l, type.fields, type.size, to);
      if (keyField !== undefined && key !== undefined)
        into(l, keyField.type, key, { ...to, offset: to.offset + keyField.offset });
      const given = value(l, expr.value);
      const signed = expr.value.type.kind === "int" && expr.value.type.signed;
      const bucket =
        aggregate.kind === "log2"
          ? log2Bucket(l, given, signed, aggregate.bits)
          : linearBucket(l, given, signed, aggregate);
      storeScalar(l, U32, to.base, to.offset + bucketField.offset, bucket);
      onElement(l, map, { kind: "key", address: to.base }, zeros(l, map), (element) =>
        addTo(l, scalar(map), element, 0, l.b.constant(1n)),
      );
    }
  }
}

type At = { readonly kind: "key"; readonly address: Inst } | { readonly kind: "index" };

/** Keyless aggregations are arrays of one element. */
function keyOf(l: Lowering, map: MapDecl, key: Expr | undefined): At {
  if (key === undefined || isArray(map)) return { kind: "index" };
  return { kind: "key", address: copied(l, map.key ?? key.type, key, "key") };
}

function scalar(map: MapDecl): IntType {
  return valueType(map) as IntType;
}

function zeros(l: Lowering, map: MapDecl): (to: () => Destination) => void {
  return (to) => zero(l, to(), 0, sizeOf(valueType(map)));
}

/** Does something with the element, which is made first when it is not there. Where there is no room for it, that is counted. */
function onElement(
  l: Lowering,
  map: MapDecl,
  at: At,
  first: (to: () => Destination) => void,
  then: (element: Inst) => void,
): void {
  if (at.kind === "index") {
    then(arrayElement(l, map, l.b.constant(0n)));
    return;
  }
  const element = findOrInsert(
    l,
    map,
    at.address,
    (to) => {
      first(to);
      return undefined;
    },
    false,
  );
  l.isNull(
    element,
    () => l.countLoss(map),
    () => then(element),
  );
}

/**
 * Puts the value there when it is smaller (greater) than what is there. With an exchange that tells what was there it is tried
 * again as long as others change it, a few times; what cannot be put in is counted. Before Linux 5.12 there is no such
 * exchange: two CPUs at the same moment may then lose one of two values.
 */
function extreme(l: Lowering, map: MapDecl, kind: "min" | "max", type: IntType, element: Inst, given: Inst): void {
  const { b } = l;
  const isBetter = comparing(kind === "min" ? "lt" : "gt", type.signed);
  if (!canExchange(l, type)) {
    l.when(isBetter, given, loadScalar(l, type, element, 0), () => storeScalar(l, type, element, 0, given));
    return;
  }
  const now = l.newVariable();
  const turn = l.newVariable();
  b.write(now, loadScalar(l, type, element, 0));
  b.write(turn, b.constant(0n));
  const [head, attempt, failed, again, lost, end] = [
    b.newBlock(),
    b.newBlock(),
    b.newBlock(),
    b.newBlock(),
    b.newBlock(),
    b.newBlock(),
  ];
  head.turns = ATTEMPTS;
  b.jump(head);
  b.at(head);
  b.branch(isBetter, given, b.read(now), attempt, end);
  b.enter(attempt);
  const expected = b.read(now);
  const was = exchange(l, "cmpxchg", type, element, given, expected);
  b.branch("eq", was, expected, end, failed);
  b.enter(failed);
  b.write(now, was);
  b.write(turn, b.add(b.read(turn), b.constant(1n)));
  b.branch("ult", b.read(turn), b.constant(BigInt(ATTEMPTS)), again, lost);
  b.enter(again);
  b.jump(head);
  b.seal(head);
  b.enter(lost);
  l.countLoss(map);
  b.jump(end);
  b.enter(end);
}

/** The bucket of a value: see language/kernel/buckets.ts for what they mean. Without a branch, but for negative values. */
function log2Bucket(l: Lowering, given: Inst, signed: boolean, bits: number): Inst {
  const { b } = l;
  const c = (n: number | bigint) => b.constant(BigInt(n));
  const bucket = l.newVariable();
  const positive = () => {
    if (bits === 0) {
      // The position of the highest bit, from 1 on; 0 has none. Both come from the same sum.
      const nonZero = b.lshr(b.or(given, b.neg(given)), c(63));
      b.write(bucket, b.add(log2Floor(l, given), nonZero));
      return;
    }
    l.when(
      "ult",
      given,
      c(1n << BigInt(bits)),
      () => b.write(bucket, given),
      () => {
        const exponent = b.sub(log2Floor(l, given), c(bits));
        const sub = b.and(b.lshr(given, exponent), c((1 << bits) - 1));
        b.write(bucket, b.add(b.shl(b.add(exponent, c(1)), c(bits)), sub));
      },
    );
  };
  if (!signed) positive();
  else l.when("slt", given, l.zero(), () => b.write(bucket, c(bucketCount(bits))), positive);
  return b.read(bucket);
}

function linearBucket(
  l: Lowering,
  given: Inst,
  signed: boolean,
  { min, max, step }: { readonly min: bigint; readonly max: bigint; readonly step: bigint },
): Inst {
  const { b } = l;
  const bucket = l.newVariable();
  const steps = (max - min + step - 1n) / step;
  const below = () => b.write(bucket, b.constant(0n));
  const inside = () => b.write(bucket, b.add(b.udiv(b.sub(given, b.constant(min)), b.constant(step)), b.constant(1n)));
  const above = () => b.write(bucket, b.constant(steps + 1n));
  const isBelow = comparing("lt", signed);
  const upTo = () => l.when(isBelow, given, b.constant(max), inside, above);
  // An unsigned value is never below a minimum that is not above 0.
  if (!signed && min <= 0n) upTo();
  else l.when(isBelow, given, b.constant(min), below, upTo);
  return b.read(bucket);
}
