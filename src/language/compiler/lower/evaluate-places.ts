import type { Place } from "../hir.ts";
import { sizeOf, type Type } from "../type.ts";
import { memoryOf, numberOf, resultOf } from "./evaluate-expressions.ts";
import { EvaluationError, load, type Memory, store, u64 } from "./evaluate-state.ts";
import type { Evaluation, Value } from "./evaluation.ts";

/** Memory of the program, or an address of the kernel's. */
export function placeOf(e: Evaluation, place: Place): Memory | bigint {
  const { base, offset } = place;
  let at: Memory | bigint;
  switch (base.kind) {
    case "local":
      at = e.locals.get(base.local) as Memory;
      break;
    case "global":
      at = { bytes: e.state.globals.get(base.global) as Uint8Array, at: 0 };
      break;
    case "context":
      at = { bytes: e.world.context ?? new Uint8Array(0), at: 0 };
      break;
    case "temporary":
      at = memoryOf(e, base.value);
      break;
    case "pointer":
      at = resultOf(e, base.pointer) as Memory | bigint;
      break;
  }
  at = moved(at, BigInt(offset));
  for (const { index, stride, length, what } of place.indices) {
    const given = numberOf(e, index);
    if (given >= BigInt(length)) throw new EvaluationError(`index ${given} of ${what}, which has ${length}`);
    at = moved(at, given * BigInt(stride));
  }
  return at;
}

export function readAt(e: Evaluation, place: Place, at: Memory | bigint): Value {
  const { type, bits } = place;
  const memory = typeof at === "bigint" ? kernelMemory(e, at, sizeOf(type)) : at;
  if (typeof at !== "bigint" && (type.kind === "reference" || type.kind === "cell")) return at;
  const word = load(memory, type);
  if (bits === undefined) return word;
  const cut = (word >> BigInt(bits.shift)) & ((1n << BigInt(bits.width)) - 1n);
  return bits.signed ? u64(BigInt.asIntN(bits.width, cut)) : cut;
}

export function writeAt({ type, bits }: Place, at: Memory, value: bigint): void {
  if (bits === undefined) {
    store(at, type, value);
    return;
  }
  const mask = ((1n << BigInt(bits.width)) - 1n) << BigInt(bits.shift);
  store(at, type, (load(at, type) & ~mask) | ((value << BigInt(bits.shift)) & mask));
}

/** Zeros where the kernel has nothing. */
function kernelMemory(e: Evaluation, address: bigint, length: number): Memory {
  return { bytes: e.world.read?.("kernel", address, length) ?? new Uint8Array(length), at: 0 };
}

/** The bytes of an aggregate; texts of the kernel's end at their NUL. */
export function bytesAt(e: Evaluation, at: Memory | bigint, type: Type): Memory {
  if (typeof at !== "bigint") return at;
  if (type.kind === "str") return { bytes: foreignText(e, "kernel", at, type.size + 1), at: 0 };
  return kernelMemory(e, at, sizeOf(type));
}

/** A text of somebody else's memory: `size` bytes with its NUL, zeros behind. */
export function foreignText(e: Evaluation, space: "user" | "kernel", address: bigint, size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (let i = 0; i < size - 1; i++) {
    const byte = e.world.read?.(space, address + BigInt(i), 1)?.[0];
    if (byte === undefined) return new Uint8Array(size);
    if (byte === 0) break;
    out[i] = byte;
  }
  return out;
}

export function packetOf(e: Evaluation): Uint8Array {
  const { packet } = e.world;
  if (packet === undefined) throw new EvaluationError("the world has no packet");
  return packet;
}

export function own(at: Memory | bigint): Memory {
  if (typeof at !== "bigint") return at;
  throw new EvaluationError("memory of the kernel is written to");
}

export function moved<At extends Memory | bigint>(at: At, by: bigint): At {
  return (typeof at === "bigint" ? u64(at + by) : { bytes: at.bytes, at: at.at + Number(by) }) as At;
}

export function fresh(type: Type): Memory {
  return { bytes: new Uint8Array(sizeOf(type)), at: 0 };
}

export function cloned({ bytes, at }: Memory, type: Type): Memory {
  return { bytes: bytes.slice(at, at + sizeOf(type)), at: 0 };
}

export function endText(bytes: Uint8Array): void {
  const end = bytes.indexOf(0);
  if (end >= 0) bytes.fill(0, end);
}

/** Copies an aggregate; texts keep a NUL at their end, what is left of the destination is zero. */
export function copy(to: Memory, type: Type, from: Memory, fromType: Type): void {
  const size = sizeOf(type);
  const length = Math.min(size, sizeOf(fromType), from.bytes.length - from.at);
  const bytes = from.bytes.slice(from.at, from.at + length);
  to.bytes.fill(0, to.at, to.at + size);
  to.bytes.set(bytes, to.at);
  if (type.kind === "str") to.bytes[to.at + size - 1] = 0;
}

/** What an optional or a reference holds. */
export function unwrapped(type: Type): Type {
  if (type.kind === "optional") return unwrapped(type.of);
  return type.kind === "reference" ? unwrapped(type.to) : type;
}
