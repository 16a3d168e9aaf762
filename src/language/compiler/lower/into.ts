import type { Expr, Local, Place } from "../hir.ts";
import type { Span } from "../span.ts";
import type { Inst } from "../ssa/ir.ts";
import { BOOL, isAggregate, type StructField, sizeOf, type Type, U8 } from "../type.ts";
import { call } from "./calls.ts";
import { whether } from "./conditions.ts";
import { helperInto } from "./helpers.ts";
import { copyKernel, copyKernelText } from "./kernel-memory.ts";
import type { Destination, Lowering } from "./lowering.ts";
import { mapRef } from "./maps.ts";
import { copy, writeBytes, zero } from "./memory.ts";
import { inChain, pair, presentAndValue } from "./optionals.ts";
import { type Address, resolve } from "./places.ts";
import { loadScalar, storeScalar } from "./scalar-memory.ts";
import { contentOf, elementOf, pairs } from "./shape.ts";
import { value } from "./value.ts";

/**
 * Evaluates an expression straight into memory that holds `type`. All bytes are written: padding and what is behind a text's
 * end as zeros.
 */
export function into(l: Lowering, type: Type, expr: Expr, to: Destination): void {
  if (!isAggregate(type)) {
    storeScalar(l, type, to.base, to.offset, value(l, expr));
    return;
  }
  const before = l.b.span;
  l.b.span = expr.span;
  aggregate(l, type, expr, to);
  l.b.span = before;
}

function aggregate(l: Lowering, type: Type, expr: Expr, to: Destination): void {
  switch (expr.op) {
    case "string":
      writeBytes(l, to, expr.bytes.subarray(0, textRoom(type)), sizeOf(type));
      return;
    case "object":
      object(l, expr, to);
      return;
    case "elements":
      elements(l, type, expr.values, to);
      return;
    case "local":
    case "read": {
      const place = expr.op === "read" ? expr.place : placeOf(expr.local, expr.type, expr.span);
      fromAddress(l, type, place.type, resolve(l, place), to);
      return;
    }
    case "helper":
      helperInto(l, type, expr, to);
      return;
    case "conditional":
      whether(
        l,
        expr.test,
        () => into(l, type, expr.then, to),
        () => into(l, type, expr.else, to),
      );
      return;
    case "coalesce": {
      const first = presentAndValue(l, expr.value);
      const from = contentOf(expr.value.type);
      l.when(
        "ne",
        first.present,
        l.zero(),
        () => fromAddress(l, type, from, ownMemory(first.value), to),
        () => into(l, type, expr.fallback, to),
      );
      return;
    }
    case "chain":
      inChain(
        l,
        expr,
        () => into(l, type, expr.then, to),
        () => zero(l, to, 0, sizeOf(type)),
      );
      return;
    case "unwrap": {
      const it = pairs(expr.value.type) ? pair(l, expr.value).value : value(l, expr.value);
      fromAddress(l, type, contentOf(expr.value.type), ownMemory(it), to);
      return;
    }
    case "wrap":
      into(l, type, expr.value, to);
      return;
    case "mapGet":
      // An array's element, which is always there.
      fromAddress(l, type, expr.type, ownMemory(mapRef(l, expr)), to);
      return;
    case "call":
      call(l, expr, to);
      return;
    default:
      zero(l, to, 0, sizeOf(type));
      l.report("EB9002", expr.span, `\`${expr.op}\` gives nothing that lives in memory`, {
        why: "The checker let something through that the compiler has no code for: this is a bug of the compiler.",
      });
  }
}

function ownMemory(base: Inst): Address {
  return { base, offset: 0, memory: "own", align: 8, ours: true };
}

/** Bytes of a text that may be other than its closing NUL. */
function textRoom(type: Type): number {
  return type.kind === "str" ? type.size - 1 : sizeOf(type);
}

/** All of a local. */
export function placeOf(local: Local, type: Type, span: Span): Place {
  return { base: { kind: "local", local }, offset: 0, indices: [], type, span };
}

/** Bytes at `offset` of a destination. */
function part(to: Destination, offset: number): Destination {
  return { ...to, offset: to.offset + offset };
}

function object(l: Lowering, expr: Expr & { readonly op: "object" }, to: Destination): void {
  const { type, fields } = expr;
  zeroAround(l, fields, type.size, to);
  for (const { offset, type: field, value: given } of fields) into(l, field, given, part(to, offset));
}

/** Writes zeros where a struct of `size` bytes has none of the fields. */
export function zeroAround(
  l: Lowering,
  fields: readonly Pick<StructField, "offset" | "type">[],
  size: number,
  to: Destination,
): void {
  let end = 0;
  for (const { offset, type } of [...fields].sort((a, b) => a.offset - b.offset)) {
    zero(l, to, end, offset - end);
    end = Math.max(end, offset + sizeOf(type));
  }
  zero(l, to, end, size - end);
}

function elements(l: Lowering, type: Type, values: readonly Expr[], to: Destination): void {
  if (type.kind === "bytes" && values.every(({ op }) => op === "number")) {
    const bytes = Uint8Array.from(values, (each) => Number((each as { value: bigint }).value & 0xffn));
    writeBytes(l, to, bytes, type.size);
    return;
  }
  const element = elementOf(type);
  const stride = sizeOf(element);
  for (const [i, each] of values.entries()) into(l, element, each, part(to, i * stride));
  zero(l, to, values.length * stride, sizeOf(type) - values.length * stride);
}

/** Copies a value of type `from` into memory of type `type`: texts may have other sizes. */
export function fromAddress(l: Lowering, type: Type, from: Type, at: Address, to: Destination): void {
  if (type.kind === "str" && from.kind === "str") {
    copyText(l, type.size, from.size, at, to);
    return;
  }
  const size = Math.min(sizeOf(type), sizeOf(from));
  if (at.memory === "kernel") copyKernel(l, to, at.base, at.offset, size);
  else if (at.memory === "context") copyContext(l, from, at, to, size);
  else copy(l, to, at, size);
  zero(l, to, size, sizeOf(type) - size);
}

/** The context is read by loads of what stands there, each as wide as the thing is. */
function copyContext(l: Lowering, type: Type, { base, offset }: Address, to: Destination, size: number): void {
  const element = leaf(type);
  const step = sizeOf(element);
  for (let at = 0; at < size; at += step)
    storeScalar(l, element, to.base, to.offset + at, loadScalar(l, element, base, offset + at));
}

function leaf(type: Type): Type {
  if (type.kind === "array") return leaf(type.element);
  if (type.kind === "str" || type.kind === "bytes") return U8;
  if (type.kind === "struct") return leaf(type.fields[0]?.type ?? BOOL);
  return type;
}

function copyText(l: Lowering, size: number, from: number, at: Address, to: Destination): void {
  if (!at.ours) {
    // One byte more than the text may have: where it fills the kernel's array, that byte becomes the NUL.
    zero(l, to, 0, size);
    copyKernelText(l, to, at.base, at.offset, Math.min(size, from + 1));
    return;
  }
  const copied = Math.min(size, from);
  copy(l, to, at, copied);
  if (size < from) l.b.store(to.base, to.offset + size - 1, 1, l.zero());
  else zero(l, to, from, size - from);
}

/** An aggregate's address: where it stands if it stands somewhere, else on the stack, put there now. */
export function addressOf(l: Lowering, expr: Expr): Destination & { readonly ours: boolean } {
  if (expr.op === "local" && isAggregate(expr.type)) {
    const storage = l.storage(expr.local);
    const align = storage.kind === "slot" ? storage.slot.align : 1;
    return { base: l.readLocal(expr.local), offset: 0, align, zeroed: false, ours: true };
  }
  if (expr.op === "read") {
    const { base } = expr.place;
    if (base.kind === "local" || base.kind === "global" || base.kind === "temporary" || isOwnPointer(base)) {
      const at = resolve(l, expr.place);
      return { base: at.base, offset: at.offset, align: at.align, zeroed: false, ours: at.ours };
    }
  }
  if (expr.op === "unwrap" && pairs(expr.value.type))
    return { base: pair(l, expr.value).value, offset: 0, align: 8, zeroed: false, ours: true };
  const made = l.temporary(expr.type, expr.op === "helper" ? expr.name : "temporary");
  into(l, expr.type, expr, made);
  return { ...made, ours: true };
}

function isOwnPointer(base: Place["base"]): boolean {
  return base.kind === "pointer" && base.pointer.type.kind !== "kernelPointer";
}
