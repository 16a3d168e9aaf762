import type { Inst, Size } from "../ssa/ir.ts";
import { copyKernel } from "./kernel-memory.ts";
import type { Destination, Lowering } from "./lowering.ts";

/** Bytes that are set or copied by single instructions; more goes through a helper. */
const UNROLLED = 128;

/** The pieces of a stretch of memory that single instructions reach; aligned also `distance` bytes from there. */
export function* pieces(offset: number, size: number, align: number, distance = 0): Generator<[number, Size]> {
  const sizes: readonly Size[] = [8, 4, 2, 1];
  for (let at = 0; at < size; ) {
    const piece = sizes.find(
      (each) =>
        each <= size - at && each <= align && (offset + at) % each === 0 && (offset + at + distance) % each === 0,
    ) as Size;
    yield [offset + at, piece];
    at += piece;
  }
}

/** How far the address of memory is known to be aligned; the kernel asks for it on the stack only, and never more than 8. */
export function accessAlign(base: Inst, align: number): number {
  if (base.kind !== "memory") return Math.max(1, Math.min(8, align));
  return isPassed(base) ? addressAlign(base) : 8;
}

/** Whether the address is one that a function was given: it may be one of its caller's stack. */
function isPassed({ op, args }: Inst): boolean {
  switch (op) {
    case "param":
      return true;
    case "offset":
      return isPassed(args[0] as Inst);
    default:
      return false;
  }
}

/** Whether it is an address of the stack, here or where the function was called, that is not one of a whole word. */
export function isOdd(base: Inst): boolean {
  return (base.kind === "stack" || isPassed(base)) && addressAlign(base) < 8;
}

/** What an address is a multiple of, as it was made. What functions are given is aligned: others are put in place (`call`). */
export function addressAlign({ op, args, slot, kind }: Inst): number {
  switch (op) {
    case "slot":
      return slot?.align ?? 1;
    case "param":
      return 8;
    case "offset": {
      const [base, distance] = args as [Inst, Inst];
      return distance.op === "const" ? aligned(addressAlign(base), Number(BigInt.asIntN(64, distance.imm))) : 1;
    }
    default:
      return kind === "memory" ? 8 : 1;
  }
}

/** The greatest power of two, `align` at most, that a distance is a multiple of. */
export function aligned(align: number, distance: number): number {
  for (let to = align; to > 1; to /= 2) if (distance % to === 0) return to;
  return 1;
}

/** Writes zeros. */
export function zero(l: Lowering, { base, offset, align, zeroed }: Destination, from = 0, size: number): void {
  if (zeroed || size <= 0) return;
  const { b } = l;
  const start = offset + from;
  if (size > UNROLLED) {
    // A read that must fail gives zeros.
    copyKernel(l, { base, offset: start }, l.zero(), 0, size);
    return;
  }
  const nothing = b.constant(0n);
  for (const [at, piece] of pieces(start, size, accessAlign(base, align))) b.store(base, at, piece, nothing);
}

/** Copies bytes of the program's own memory. */
export function copy(
  l: Lowering,
  to: Destination,
  from: { readonly base: Inst; readonly offset: number; readonly align: number },
  size: number,
): void {
  if (size > UNROLLED) copyKernel(l, to, from.base, from.offset, size);
  else copyWords(l, to, from, size);
}

/** Copies bytes by loads and stores, however many they are. */
export function copyWords(
  l: Lowering,
  to: Destination,
  from: { readonly base: Inst; readonly offset: number; readonly align: number },
  size: number,
): void {
  const { b } = l;
  const align = Math.min(accessAlign(to.base, to.align), accessAlign(from.base, from.align));
  const distance = from.offset - to.offset;
  for (const [at, piece] of pieces(to.offset, size, align, distance))
    b.store(to.base, at, piece, b.load(from.base, at + distance, piece));
}

/** Writes bytes that are known; what is left of `size` as zeros. */
export function writeBytes(l: Lowering, to: Destination, bytes: Uint8Array, size: number): void {
  const { b } = l;
  const used = Math.min(bytes.length, size);
  const direct = to.zeroed ? used : size;
  if (direct > UNROLLED && used < size) {
    zero(l, to, 0, size);
    writeBytes(l, { ...to, zeroed: true }, bytes, size);
    return;
  }
  for (const [at, piece] of pieces(to.offset, direct, accessAlign(to.base, to.align))) {
    b.store(to.base, at, piece, b.constant(wordAt(l, bytes, at - to.offset, piece)));
  }
}

/** Bytes as the number that stands there; behind their end are zeros. */
export function wordAt(l: Lowering, bytes: Uint8Array, at: number, size: Size): bigint {
  let word = 0n;
  const little = l.target.byteOrder === "little";
  for (let i = 0; i < size; i++) {
    const byte = BigInt(bytes[at + (little ? size - 1 - i : i)] ?? 0);
    word = (word << 8n) | byte;
  }
  return word;
}
