import type { Expr, Place } from "../hir.ts";
import type { Inst } from "../ssa/ir.ts";
import { alignOf, isAggregate, sizeOf, type Type } from "../type.ts";
import { addressOf } from "./into.ts";
import { loadable, loadKernel, pointerKind } from "./kernel-memory.ts";
import type { Lowering } from "./lowering.ts";
import { addressAlign, aligned } from "./memory.ts";
import { loadScalar, storeScalar } from "./scalar-memory.ts";
import { value } from "./value.ts";

/** Where a place is, once its pointer and indices are computed. */
export interface Address {
  readonly base: Inst;
  readonly offset: number;
  /** `own`: memory that is loaded and stored directly; `kernel`: read with care; `context`: fixed offsets only. */
  readonly memory: "own" | "kernel" | "context";
  /** What the address is a multiple of, as far as the kernel knows: it asks for that on the stack and in the context. */
  readonly align: number;
  /** Texts there end in a NUL, and are zero behind it: we wrote them. */
  readonly ours: boolean;
}

/** Computes where a place is: its pointer first, then its indices from left to right, as they are written. */
export function resolve(l: Lowering, place: Place): Address {
  const before = l.b.span;
  l.b.span = place.span;
  const address = indexed(l, place, baseOf(l, place));
  l.b.span = before;
  return address;
}

function baseOf(l: Lowering, { base, offset, type, indices }: Place): Address {
  switch (base.kind) {
    case "local": {
      const storage = l.storage(base.local);
      const align = storage.kind === "slot" ? storage.slot.align : 1;
      return { base: l.readLocal(base.local), offset, memory: "own", align: aligned(align, offset), ours: true };
    }
    case "temporary": {
      const made = addressOf(l, base.value);
      return {
        base: made.base,
        offset: made.offset + offset,
        memory: "own",
        align: aligned(made.align, made.offset + offset),
        ours: true,
      };
    }
    case "global": {
      const made = l.globalAddress(base.global);
      return { ...made, offset: made.offset + offset, memory: "own", align: 1, ours: true };
    }
    case "context":
      return { base: l.context(), offset, memory: "context", align: aligned(8, offset), ours: false };
    case "pointer": {
      const pointer = value(l, base.pointer);
      if (base.pointer.type.kind !== "kernelPointer")
        return {
          base: pointer,
          offset,
          memory: "own",
          align: aligned(pointerAlign(pointer, base.pointer.type), offset),
          ours: !isPacket(base.pointer.type),
        };
      // What is only copied needs no cast, and what has run-time indices cannot go through one.
      const scalar = indices.length === 0 && !isAggregate(type);
      const through = scalar ? loadable(l, pointer, base.pointer.type) : pointer;
      return { base: through, offset, memory: "kernel", align: 1, ours: false };
    }
  }
}

/** References may be to what stands somewhere in a struct on the stack. */
function pointerAlign(pointer: Inst, type: Type): number {
  if (pointer.kind !== "stack") return 8;
  return Math.max(addressAlign(pointer), type.kind === "reference" ? alignOf(type.to) : 1);
}

/** Bytes of a packet are whoever's sent it. */
function isPacket(type: Type): boolean {
  return type.kind === "reference" && type.memory === "packet";
}

function indexed(l: Lowering, { indices, base }: Place, start: Address): Address {
  const { b } = l;
  let { base: at, offset, align } = start;
  for (const { index, stride, length, what } of indices) {
    const given = value(l, index);
    if (given.op === "const" && given.imm < BigInt(length)) {
      offset += Number(given.imm) * stride;
      align = aligned(align, Number(given.imm) * stride);
      continue;
    }
    const proven = l.bound(given, length, what, nameOf(index));
    const distance = stride === 1 ? proven : b.mul(proven, b.constant(BigInt(stride)));
    const moved = b.offset(at, distance);
    // An address of the kernel's that was moved by a number is one from anywhere.
    if (base.kind === "pointer" && start.memory === "kernel" && moved !== at) moved.kind = "plain";
    at = moved;
    align = aligned(align, stride);
  }
  return { ...start, base: at, offset, align };
}

/** How the source calls a value, for messages. */
export function nameOf(expr: Expr): string {
  switch (expr.op) {
    case "local":
      return expr.local.name;
    case "convert":
    case "fit":
    case "unwrap":
      return nameOf(expr.value);
    case "number":
      return String(expr.value);
    default:
      return "";
  }
}

/** The address as one value. */
export function placeAddress(l: Lowering, place: Place): Inst {
  const { base, offset } = resolve(l, place);
  if (offset === 0) return base;
  return l.b.offset(base, l.b.constant(BigInt(offset)));
}

/** The scalar that stands at a place. */
export function readPlace(l: Lowering, place: Place): Inst {
  return readAt(l, place, resolve(l, place));
}

export function readAt(l: Lowering, place: Place, { base, offset, memory }: Address): Inst {
  const { type, bits } = place;
  const got =
    memory === "kernel"
      ? loadKernel(l, type, base, offset)
      : memory === "context"
        ? loadContext(l, type, base, offset)
        : loadScalar(l, type, base, offset);
  return bits === undefined ? got : extract(l, got, bits, sizeOf(type) * 8);
}

/** What the context holds: pointers there are trusted where the program's kind says so. */
function loadContext(l: Lowering, type: Type, base: Inst, offset: number): Inst {
  if (type.kind !== "kernelPointer") return loadScalar(l, type, base, offset);
  const direct = type.trust !== "plain" && l.program?.btfPointers === true;
  const kind = pointerKind(l, type, direct ? "kernel" : "plain");
  return l.b.load(base, offset, 8, { kind, nullable: kind === "kernel" });
}

type Bits = NonNullable<Place["bits"]>;

function extract(l: Lowering, word: Inst, { shift, width, signed }: Bits, of: number): Inst {
  const { b } = l;
  if (signed) {
    const up = b.shl(word, b.constant(BigInt(64 - shift - width)));
    return b.ashr(up, b.constant(BigInt(64 - width)));
  }
  const down = shift === 0 ? word : b.lshr(word, b.constant(BigInt(shift)));
  return shift + width === of && of < 64 ? down : b.and(down, b.constant((1n << BigInt(width)) - 1n));
}

/** Writes a scalar at a place of the program's own memory. */
export function writeAt(l: Lowering, place: Place, { base, offset }: Address, given: Inst): void {
  const { b } = l;
  const { type, bits } = place;
  if (bits === undefined) {
    storeScalar(l, type, base, offset, given);
    return;
  }
  const mask = ((1n << BigInt(bits.width)) - 1n) << BigInt(bits.shift);
  const all = (1n << BigInt(sizeOf(type) * 8)) - 1n;
  const unsigned: Type = type.kind === "int" ? { ...type, signed: false } : type;
  const rest = b.and(loadScalar(l, unsigned, base, offset), b.constant(all & ~mask));
  const placed = b.and(b.shl(given, b.constant(BigInt(bits.shift))), b.constant(mask));
  storeScalar(l, unsigned, base, offset, b.or(rest, placed));
}
