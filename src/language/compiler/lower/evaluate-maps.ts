import { bucketOf, linearBucketOf } from "../../kernel/index.ts";
import type { Expr, MapDecl } from "../hir.ts";
import { type IntType, isAggregate, type StructType, sizeOf, type Type } from "../type.ts";
import { addressOrNumber } from "./evaluate-arithmetic.ts";
import { memoryOf, numberOf, putAt, resultOf } from "./evaluate-expressions.ts";
import { ask } from "./evaluate-helpers.ts";
import { fresh, moved, own, packetOf, placeOf, unwrapped } from "./evaluate-places.ts";
import { EvaluationError, hex, i64, indexKey, load, type Memory, store, u64 } from "./evaluate-state.ts";
import { type Evaluation, TailCall, type Value } from "./evaluation.ts";

/** What reading memory that is not there gives. */
const EFAULT = -14n;

export function mapOf(e: Evaluation, decl: MapDecl) {
  const map = e.state.maps.get(decl.name);
  if (map === undefined) throw new EvaluationError(`there is no map ${decl.name}`);
  return map;
}

function keyOf(e: Evaluation, decl: MapDecl, key: Expr): string {
  if (decl.kind === "array" || decl.kind === "perCpuArray") {
    const index = numberOf(e, key);
    if (index >= BigInt(decl.maxEntries)) throw new EvaluationError(`index ${index} of ${decl.name}`);
    return indexKey(Number(index));
  }
  const type = decl.key ?? key.type;
  const memory = fresh(type);
  putAt(e, memory, type, key);
  return hex(memory.bytes);
}

/** What `get` gives of an element: a number, or the element itself. */
function elementOf(bytes: Uint8Array | undefined, type: Type, isReference: boolean): Value {
  if (bytes === undefined) return undefined;
  return isReference || isAggregate(type) ? { bytes, at: 0 } : load({ bytes, at: 0 }, type);
}

export function mapResult(e: Evaluation, expr: Expr): Value {
  switch (expr.op) {
    case "mapGet":
    case "mapRef":
      return elementOf(
        mapOf(e, expr.map).elements.get(keyOf(e, expr.map, expr.key)),
        expr.map.value as Type,
        expr.op === "mapRef",
      );
    case "mapHas":
      return mapOf(e, expr.map).elements.has(keyOf(e, expr.map, expr.key)) ? 1n : 0n;
    case "mapSet": {
      const key = keyOf(e, expr.map, expr.key);
      const memory = fresh(expr.map.value as Type);
      putAt(e, memory, expr.map.value as Type, expr.value);
      const map = mapOf(e, expr.map);
      // That a key is there, or is not, may be what was asked.
      const isAnswer = expr.flags === (map.elements.has(key) ? "noexist" : "exist");
      const written = map.set(key, memory.bytes, expr.flags);
      if (!written && expr.counted && !isAnswer) e.state.lose(expr.map);
      return written ? 1n : 0n;
    }
    case "mapGetOrInsert": {
      const map = mapOf(e, expr.map);
      const type = expr.map.value as Type;
      const key = keyOf(e, expr.map, expr.key);
      const memory = fresh(type);
      if (expr.initial !== undefined) putAt(e, memory, type, expr.initial);
      if (!map.elements.has(key) && !map.set(key, memory.bytes, "noexist") && expr.counted) e.state.lose(expr.map);
      return elementOf(map.elements.get(key), type, true);
    }
    case "mapDelete":
      return mapOf(e, expr.map).elements.delete(keyOf(e, expr.map, expr.key)) ? 1n : 0n;
    case "mapRecord":
      recordInto(e, expr);
      return 0n;
    case "ringEmit": {
      const { record: type } = expr;
      const memory = fresh(type);
      putAt(e, memory, type, expr.value);
      return submit(e, expr.map, memory.bytes) ? 1n : 0n;
    }
    case "print": {
      const memory = fresh(expr.site.record);
      putAt(e, memory, expr.site.record, expr.value);
      submit(e, expr.map, memory.bytes);
      return 0n;
    }
    case "ringReserve": {
      const memory = fresh(expr.record);
      if (!hasRoom(e, expr.map, memory.bytes)) {
        e.state.lose(expr.map);
        return undefined;
      }
      e.open.set(memory.bytes, expr.map);
      // Records are read in the order in which they were reserved.
      recordsOf(e, expr.map).push(memory.bytes);
      return memory;
    }
    case "ringSubmit":
    case "ringDiscard": {
      const { bytes } = memoryOf(e, expr.slot);
      const map = e.open.get(bytes);
      if (map === undefined) throw new EvaluationError("a record is given away twice");
      e.open.delete(bytes);
      if (expr.op === "ringDiscard") takeOut(recordsOf(e, map), bytes);
      return 0n;
    }
    case "tailCall": {
      const program = expr.map.programs?.[Number(BigInt.asUintN(32, numberOf(e, expr.index)))];
      if (program !== undefined) throw new TailCall(program);
      return 0n;
    }
    case "ringOutput": {
      const { bytes, at } = own(placeOf(e, expr.place));
      const length = expr.length === undefined ? sizeOf(expr.place.type) : Number(numberOf(e, expr.length));
      return submit(e, expr.map, bytes.slice(at, at + length)) ? 1n : 0n;
    }
    case "readInto": {
      const to = own(placeOf(e, expr.place));
      const address = addressOrNumber(resultOf(e, expr.address));
      const room = sizeOf(expr.place.type);
      const length = expr.length === undefined ? room : Number(numberOf(e, expr.length));
      const got = e.world.read?.(expr.from, address, expr.isText ? room : length);
      // An error: the helper writes zeros, of texts none.
      if (got === undefined) {
        to.bytes.fill(0, to.at, to.at + (expr.isText ? 0 : length));
        return u64(EFAULT);
      }
      if (!expr.isText) {
        to.bytes.set(got, to.at);
        return 0n;
      }
      const nul = got.indexOf(0);
      const text = got.subarray(0, Math.min(nul < 0 ? room : nul, room - 1));
      to.bytes.set(text, to.at);
      to.bytes[to.at + text.length] = 0;
      return BigInt(text.length + 1);
    }
    case "taskUnder":
      return ask(e, "taskUnder", [numberOf(e, expr.index)]);
    case "packetLength":
      return BigInt(packetOf(e).length);
    case "packetAt": {
      const at = Number(numberOf(e, expr.offset));
      const of = unwrapped(expr.type);
      const bytes = packetOf(e);
      return at + sizeOf(of.kind === "reference" ? of.to : of) > bytes.length ? undefined : { bytes, at };
    }
    case "stackId":
      return ask(e, "stackId", [expr.user ? 1n : 0n]);
    case "cellAdd": {
      const { at, type } = cellOf(e, expr.cell);
      // What is added may itself change the cell.
      const by = numberOf(e, expr.value);
      store(at, type, load(at, type) + by);
      return 0n;
    }
    case "cellExchange": {
      const { at, type } = cellOf(e, expr.cell);
      const given = numberOf(e, expr.value);
      const before = load(at, type);
      store(at, type, given);
      return before;
    }
    case "cellCompareExchange": {
      const { at, type } = cellOf(e, expr.cell);
      const old = numberOf(e, expr.old);
      const given = numberOf(e, expr.value);
      const before = load(at, type);
      if (before === old) store(at, type, given);
      return before;
    }
    case "storageGet": {
      const map = mapOf(e, expr.map);
      const type = expr.map.value as Type;
      const key = hex(bytesOf(addressOrNumber(resultOf(e, expr.object))));
      if (expr.create && !map.elements.has(key)) map.set(key, new Uint8Array(sizeOf(type)), "any");
      return elementOf(map.elements.get(key), type, true);
    }
    case "storageDelete":
      return mapOf(e, expr.map).elements.delete(hex(bytesOf(addressOrNumber(resultOf(e, expr.object))))) ? 1n : 0n;
    default:
      throw new EvaluationError(`\`${expr.op}\` is not known`);
  }
}

function cellOf(e: Evaluation, expr: Expr): { readonly at: Memory; readonly type: Type } {
  const { type } = expr;
  return { at: memoryOf(e, expr), type: type.kind === "cell" ? type.of : type };
}

function recordsOf(e: Evaluation, map: MapDecl): Uint8Array[] {
  const records = e.state.rings.get(map.name);
  if (records === undefined) throw new EvaluationError(`there is no ring ${map.name}`);
  return records;
}

function takeOut(records: Uint8Array[], record: Uint8Array): void {
  records.splice(records.indexOf(record), 1);
}

/** At the end of a program: records that were neither handed over nor given back are given back. */
export function giveBackOpen(e: Evaluation): void {
  for (const [record, map] of e.open) takeOut(recordsOf(e, map), record);
  e.open.clear();
}

/** Whether the ring takes another record; then its room is taken. */
function hasRoom(e: Evaluation, map: MapDecl, { length }: Uint8Array): boolean {
  const most = e.world.ringRecords ?? Number.POSITIVE_INFINITY;
  return recordsOf(e, map).length < most && e.state.takeRoom(map, length);
}

function submit(e: Evaluation, map: MapDecl, record: Uint8Array): boolean {
  if (!hasRoom(e, map, record)) {
    e.state.lose(map);
    return false;
  }
  recordsOf(e, map).push(record);
  return true;
}

function recordInto(e: Evaluation, { map: decl, key, value }: Extract<Expr, { readonly op: "mapRecord" }>): void {
  const { aggregate } = decl;
  const map = mapOf(e, decl);
  const type = decl.value as Type;
  const isHistogram = aggregate?.kind === "log2" || aggregate?.kind === "linear";
  let text: string;
  let given: bigint;
  if (isHistogram) {
    const { fields } = decl.key as StructType;
    const memory = fresh(decl.key as Type);
    const own = fields.find(({ name }) => name === "key");
    if (own !== undefined && key !== undefined) putAt(e, moved(memory, BigInt(own.offset)), own.type, key);
    given = numberOf(e, value);
    const signed = value.type.kind === "int" && value.type.signed;
    const number = signed ? i64(given) : given;
    const bucket = aggregate.kind === "log2" ? bucketOf(number, aggregate.bits) : linearBucketOf(number, aggregate);
    const field = fields.find(({ name }) => name === "bucket");
    if (field !== undefined) store(moved(memory, BigInt(field.offset)), field.type, BigInt(bucket));
    text = hex(memory.bytes);
  } else {
    text = key === undefined || map.isArray ? indexKey(0) : keyOf(e, decl, key);
    given = numberOf(e, value);
  }
  const isNew = !map.elements.has(text);
  if (isNew && !map.set(text, new Uint8Array(sizeOf(type)), "noexist")) {
    e.state.lose(decl);
    return;
  }
  const at = { bytes: map.elements.get(text) as Uint8Array, at: 0 };
  switch (aggregate?.kind) {
    case "counter":
    case "sum":
      store(at, type, load(at, type) + given);
      return;
    case "avg":
      for (const field of (type as StructType).fields) {
        const place = moved(at, BigInt(field.offset));
        store(place, field.type, load(place, field.type) + (field.name === "count" ? 1n : given));
      }
      return;
    case "min":
    case "max": {
      const order = (number: bigint) => ((type as IntType).signed ? i64(number) : number);
      const now = order(load(at, type));
      const better = aggregate.kind === "min" ? order(given) < now : order(given) > now;
      if (isNew || better) store(at, type, given);
      return;
    }
    default:
      store(at, type, load(at, type) + 1n);
  }
}

function bytesOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  store({ bytes, at: 0 }, { kind: "int", bits: 64, signed: false }, value);
  return bytes;
}
