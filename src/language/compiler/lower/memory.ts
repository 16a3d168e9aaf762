import type { Inst, Size } from "../ssa/ir.ts";
import { CALLEE } from "./callees.ts";
import { copyKernel, rawAddress } from "./kernel-memory.ts";
import type { Destination, Lowering } from "./lowering.ts";

/** Bytes that are set or copied by single instructions; more goes through a helper. */
const UNROLLED = 128;

/** The pieces of a stretch of memory that single instructions reach, at most `most` bytes each. */
export function* pieces(offset: number, size: number, align: number, most: Size = 8): Generator<[number, Size]> {
  const sizes: readonly Size[] = [8, 4, 2, 1];
  for (let at = 0; at < size; ) {
    const piece = sizes.find(
      (each) => each <= most && each <= size - at && (offset + at) % Math.min(each, align) === 0 && each <= align,
    ) as Size;
    yield [offset + at, piece];
    at += piece;
  }
}

/** How far the address of memory is known to be aligned; the kernel asks for it on the stack only, and never more than 8. */
export function accessAlign(base: Inst, align: number): number {
  return base.kind === "memory" ? 8 : Math.max(1, Math.min(8, align));
}

/** Writes zeros. */
export function zero(l: Lowering, { base, offset, align, zeroed }: Destination, from = 0, size: number): void {
  if (zeroed || size <= 0) return;
  const { b } = l;
  const start = offset + from;
  if (size > UNROLLED) {
    // A read that must fail gives zeros.
    const callee = l.target.features.probeReadKernel ? CALLEE.readKernel : CALLEE.readAny;
    b.call(callee, [rawAddress(l, base, start), b.constant(BigInt(size)), b.constant(0n)]);
    return;
  }
  const nothing = b.constant(0n);
  for (const [at, piece] of stretch(base, start, size, align)) b.store(base, at, piece, nothing);
}

/** Pieces for one base: memory of maps and rings may be reached at any address, so only its ends need small pieces. */
function stretch(base: Inst, start: number, size: number, align: number): Iterable<[number, Size]> {
  return pieces(start, size, accessAlign(base, align));
}

/** Copies bytes of the program's own memory. */
export function copy(
  l: Lowering,
  to: Destination,
  from: { readonly base: Inst; readonly offset: number; readonly align: number },
  size: number,
): void {
  const { b } = l;
  if (size > UNROLLED) {
    copyKernel(l, to, from.base, from.offset, size);
    return;
  }
  const align = Math.min(accessAlign(to.base, to.align), accessAlign(from.base, from.align));
  const distance = from.offset - to.offset;
  for (const [at, piece] of piecesOfBoth(to.offset, distance, size, align))
    b.store(to.base, at, piece, b.load(from.base, at + distance, piece));
}

/** Pieces that are aligned on both sides. */
function* piecesOfBoth(offset: number, distance: number, size: number, align: number): Generator<[number, Size]> {
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
  for (const [at, piece] of stretch(to.base, to.offset, direct, to.align)) {
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
