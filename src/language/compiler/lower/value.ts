import type { Expr } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { isAggregate } from "../type.ts";
import { record } from "./aggregations.ts";
import { binaryOp, convert, proven } from "./arithmetic.ts";
import { call } from "./calls.ts";
import { cellAdd, cellCompareExchange, cellExchange } from "./cells.ts";
import { chosen, materialise } from "./conditions.ts";
import { helperValue } from "./helpers.ts";
import { addressOf } from "./into.ts";
import { asKernelPointer } from "./kernel-memory.ts";
import type { Lowering } from "./lowering.ts";
import { lookupScalar, mapDelete, mapGetOrInsert, mapHas, mapRef, mapSet, storageDelete, storageGet } from "./maps.ts";
import { chainValue, coalesceValue, pair, there } from "./optionals.ts";
import { packetAt, packetLength } from "./packets.ts";
import { placeAddress, readPlace } from "./places.ts";
import { readInto } from "./read-into.ts";
import { tailCall, taskUnder } from "./references.ts";
import { ringEmit, ringOutput, ringReserve, sendRecord, stackId, takeBack } from "./rings.ts";
import { isPointer, pairs } from "./shape.ts";
import { textLength } from "./text.ts";

/** The value of an expression that one register holds: numbers, booleans, addresses. */
export function value(l: Lowering, expr: Expr): Inst {
  const { b } = l;
  const before = b.span;
  b.span = expr.span;
  const result = compute(l, expr);
  b.span = before;
  return result;
}

function compute(l: Lowering, expr: Expr): Inst {
  const { b } = l;
  switch (expr.op) {
    case "number":
      return b.constant(expr.value);
    case "boolean":
      return b.constant(expr.value ? 1n : 0n);
    case "undefined":
      return b.constant(0n);
    case "local":
      return l.readLocal(expr.local);
    case "read":
      return asKernelPointer(readPlace(l, expr.place), expr.type);
    case "address":
      return asKernelPointer(placeAddress(l, expr.place), expr.type);
    case "negate":
      return b.neg(value(l, expr.value));
    case "invert":
      return b.xor(value(l, expr.value), b.constant(-1n));
    case "binary": {
      const left = value(l, expr.left);
      return b.binary(binaryOp(expr.binary, expr.signed), left, value(l, expr.right));
    }
    case "not":
    case "compare":
    case "compareText":
    case "startsWith":
    case "and":
    case "or":
    case "isPresent":
      return materialise(l, expr);
    case "textLength":
      return textLength(l, expr.text);
    case "conditional":
      return chooseValue(l, expr);
    case "unwrap":
      return pairs(expr.value.type) ? pair(l, expr.value).value : there(l, value(l, expr.value));
    case "wrap":
      return value(l, expr.value);
    case "coalesce":
      return coalesceValue(l, expr);
    case "chain":
      return chainValue(l, expr);
    case "convert":
      return convert(l, value(l, expr.value), expr.value.type, expr.type);
    case "fit":
      return proven(l, expr);
    case "mapGet":
      return isPointer(expr.type) || isAggregate(expr.type) ? mapRef(l, expr) : lookupScalar(l, expr).value;
    case "mapRef":
      return mapRef(l, expr);
    case "mapHas":
      return mapHas(l, expr);
    case "mapSet":
      return mapSet(l, expr);
    case "mapGetOrInsert":
      return mapGetOrInsert(l, expr);
    case "mapDelete":
      return mapDelete(l, expr);
    case "mapRecord":
      record(l, expr);
      return b.constant(0n);
    case "ringEmit":
      return ringEmit(l, expr);
    case "print":
      sendRecord(l, expr.map, expr.site.record, expr.value);
      return b.constant(0n);
    case "ringReserve":
      return ringReserve(l, expr);
    case "ringOutput":
      return ringOutput(l, expr);
    case "readInto":
      return readInto(l, expr);
    case "tailCall":
      tailCall(l, expr);
      return b.constant(0n);
    case "taskUnder":
      return taskUnder(l, expr);
    case "ringSubmit":
    case "ringDiscard":
      takeBack(l, expr);
      return b.constant(0n);
    case "packetAt":
      return packetAt(l, expr);
    case "packetLength":
      return packetLength(l);
    case "stackId":
      return stackId(l, expr);
    case "cellAdd":
      cellAdd(l, expr);
      return b.constant(0n);
    case "cellExchange":
      return cellExchange(l, expr);
    case "cellCompareExchange":
      return cellCompareExchange(l, expr);
    case "storageGet":
      return storageGet(l, expr);
    case "storageDelete":
      return storageDelete(l, expr);
    case "helper":
      return asKernelPointer(helperValue(l, expr), expr.type);
    case "call":
      return call(l, expr).value;
    case "string":
    case "object":
    case "elements":
      return addressOf(l, expr).base;
  }
}

function chooseValue(l: Lowering, expr: Expr & { readonly op: "conditional" }): Inst {
  if (isAggregate(expr.type)) return addressOf(l, expr).base;
  return chosen(
    l,
    expr.test,
    () => value(l, expr.then),
    () => value(l, expr.else),
  );
}
