import type { Expr } from "../hir.ts";
import type { Block, Inst, Size } from "../ssa/ir.ts";
import { sizeOf } from "../type.ts";
import { counting } from "./counting.ts";
import { addressOf } from "./into.ts";
import { isTested, loadable } from "./kernel-memory.ts";
import type { Lowering } from "./lowering.ts";
import { accessAlign, aligned, pieces, wordAt } from "./memory.ts";
import { type Address, resolve } from "./places.ts";
import { value } from "./value.ts";

/** Words that are compared one after the other; more are compared in a loop. */
const UNROLLED = 32;

/** A text in memory, and how many bytes it has there. */
interface Text extends Address {
  readonly size: number;
  /** Whether it always ends within its bytes. */
  readonly isText: boolean;
}

/** Where a text stands. What the kernel has is read where it is when `inPlace`, else it is copied and cleaned first. */
function textAt(l: Lowering, expr: Expr, inPlace: boolean): Text {
  const size = sizeOf(expr.type);
  const isText = expr.type.kind === "str";
  if (inPlace && expr.op === "read") {
    const { base } = expr.place;
    const kernel = base.kind === "pointer" && base.pointer.type.kind === "kernelPointer";
    if (kernel && expr.place.indices.length === 0) {
      const pointer = loadable(l, value(l, base.pointer), base.pointer.type);
      // Without a cast each load would be a call.
      if (pointer.kind === "kernel" && !isTested(l, pointer))
        return { base: pointer, offset: expr.place.offset, memory: "kernel", align: 8, ours: false, size, isText };
    }
    if (base.kind === "context") return { ...resolve(l, expr.place), size, isText };
  }
  const at = addressOf(l, expr);
  return { base: at.base, offset: at.offset, align: at.align, memory: "own", ours: at.ours, size, isText };
}

function loadWord(l: Lowering, { base, memory }: Text, at: number, size: Size): Inst {
  return memory === "kernel" ? l.b.kload(base, at, size) : l.b.load(base, at, size);
}

/** To `yes` when both texts (or bytes) are equal, else to `no`. */
export function compareText(l: Lowering, left: Expr, right: Expr, yes: Block, no: Block): void {
  if (left.op === "string" && right.op === "string") {
    const equal = left.bytes.length === right.bytes.length && left.bytes.every((byte, i) => byte === right.bytes[i]);
    l.b.jump(equal ? yes : no);
    return;
  }
  if (right.op === "string") compareLiteral(l, textAt(l, left, true), right.bytes, yes, no);
  else if (left.op === "string") compareLiteral(l, textAt(l, right, true), left.bytes, yes, no);
  else {
    const a = textAt(l, left, false);
    compareBoth(l, a, textAt(l, right, false), yes, no);
  }
}

/** Bytes that may be other than the NUL: an array of the kernel's that the text fills has none. */
function roomOf({ isText, ours, size }: Text): number {
  return isText && ours ? size - 1 : size;
}

/** Up to and with the NUL: what stands behind it is not looked at. */
function compareLiteral(l: Lowering, text: Text, bytes: Uint8Array, yes: Block, no: Block): void {
  if (bytes.length > roomOf(text) || (!text.isText && bytes.length !== text.size)) {
    l.b.jump(no);
    return;
  }
  // An array of the kernel's that the text fills has no NUL.
  const length = text.isText ? Math.min(bytes.length + 1, text.size) : text.size;
  comparePrefix(l, text, bytes, length, yes, no);
}

export function startsWith(l: Lowering, expr: Expr, prefix: Uint8Array, yes: Block, no: Block): void {
  const text = textAt(l, expr, true);
  if (prefix.length > roomOf(text)) l.b.jump(no);
  else comparePrefix(l, text, prefix, prefix.length, yes, no);
}

/** The first `length` bytes, by words; at the end a whole word behind a mask where the text has one. */
function comparePrefix(l: Lowering, text: Text, bytes: Uint8Array, length: number, yes: Block, no: Block): void {
  const { b } = l;
  const align = text.memory === "own" ? accessAlign(text.base, text.align) : text.align;
  const end = text.offset + text.size;
  for (let at = 0; at < length; ) {
    const place = text.offset + at;
    const left = length - at;
    const fits = (size: number): boolean => size <= align && place % size === 0 && place + size <= end;
    // The narrowest that takes all that is left, else the widest there is.
    const size = (([1, 2, 4, 8] as const).find((each) => each >= left && fits(each)) ??
      ([8, 4, 2, 1] as const).find((each) => each <= left && fits(each))) as Size;
    const word = loadWord(l, text, place, size);
    const wanted = wordAt(l, bytes, at, size);
    const next = b.newBlock();
    if (left >= size) b.branch("eq", word, b.constant(wanted), next, no);
    else {
      const mask = maskOf(l, left, size);
      b.branch("eq", b.and(word, b.constant(mask)), b.constant(wanted & mask), next, no);
    }
    b.enter(next);
    at += size;
  }
  b.jump(yes);
}

/** The bits of a word's first `bytes` bytes in memory. */
function maskOf(l: Lowering, bytes: number, size: Size): bigint {
  const low = (1n << BigInt(bytes * 8)) - 1n;
  return l.target.byteOrder === "little" ? low : low << BigInt((size - bytes) * 8);
}

/**
 * Two texts that are zero behind their NUL: the shorter one's bytes are all there is to compare, because its NUL is among
 * them. Of bytes all must be the same.
 */
function compareBoth(l: Lowering, a: Text, c: Text, yes: Block, no: Block): void {
  const { b } = l;
  if (a.isText !== c.isText || (!a.isText && a.size !== c.size)) {
    b.jump(no);
    return;
  }
  const size = Math.min(a.size, c.size);
  const align = Math.min(accessAlign(a.base, a.align), accessAlign(c.base, c.align));
  const together = aligned(align, a.offset - c.offset);
  const words = [...pieces(a.offset, size, together)];
  if (words.length > UNROLLED) {
    compareLoop(l, a, c, size, together, yes, no);
    return;
  }
  for (const [at, piece] of words) {
    const next = b.newBlock();
    b.branch("eq", loadWord(l, a, at, piece), loadWord(l, c, at - a.offset + c.offset, piece), next, no);
    b.enter(next);
  }
  b.jump(yes);
}

function compareLoop(l: Lowering, a: Text, c: Text, size: number, align: number, yes: Block, no: Block): void {
  const { b } = l;
  const step = (a.offset % align === 0 ? align : 1) as Size;
  const words = Math.floor(size / step);
  counting(l, l.zero(), b.constant(BigInt(words * step)), BigInt(step), words, (at, { again }) => {
    const left = b.load(b.offset(a.base, at), a.offset, step);
    const right = b.load(b.offset(c.base, at), c.offset, step);
    b.branch("eq", left, right, again, no);
  });
  for (let done = words * step; done < size; done++) {
    const more = b.newBlock();
    b.branch("eq", b.load(a.base, a.offset + done, 1), b.load(c.base, c.offset + done, 1), more, no);
    b.enter(more);
  }
  b.jump(yes);
}

/** Texts of so many bytes are looked at by words, longer ones byte by byte. */
const BY_WORDS = 32;

/** Bytes before the NUL; all there are where there is none. */
export function textLength(l: Lowering, expr: Expr): Inst {
  const { b } = l;
  const text = textAt(l, expr, false);
  const most = text.isText ? text.size - 1 : text.size;
  if (text.size <= BY_WORDS) return lengthByWords(l, text, most);
  return counting(l, l.zero(), b.constant(BigInt(most)), 1n, most, (at, { again, end }) => {
    const byte = b.load(b.offset(text.base, at), text.offset, 1);
    b.branch("eq", byte, b.constant(0n), end, again);
  });
}

/**
 * The length without a branch: a loop would be left at as many places as there are bytes, with another number each time, and the
 * kernel would go through what comes behind for each of them where it cannot take those numbers for the same.
 */
function lengthByWords(l: Lowering, text: Text, most: number): Inst {
  const { b } = l;
  let total: Inst | undefined;
  for (const [at, size] of [...pieces(text.offset, text.size, accessAlign(text.base, text.align))].reverse()) {
    const before = nonZeroBytes(l, loadWord(l, text, at, size), size, total === undefined && text.isText);
    // Only when all bytes of a word are there, those of the next ones count.
    const whole = b.lshr(before, b.constant(BigInt(Math.log2(size))));
    total = total === undefined ? before : b.add(before, b.mul(whole, total));
  }
  const length = total ?? l.zero();
  // It is not seen from how it is put together that it cannot be more.
  const all = 2 ** Math.ceil(Math.log2(most + 1)) - 1;
  const seen = b.and(length, b.constant(BigInt(all)));
  if (all === most) return seen;
  return l.choose(
    "ugt",
    seen,
    b.constant(BigInt(most)),
    () => b.constant(BigInt(most)),
    () => seen,
  );
}

/** How many bytes of a word stand before its first zero byte, in memory's order; the last is taken for one when it `ends` a text. */
function nonZeroBytes(l: Lowering, loaded: Inst, size: Size, ends: boolean): Inst {
  const { b } = l;
  // Newer kernels take what is 0 or -1 apart where it is masked, as two ways to follow.
  if (size === 1) return ends ? l.zero() : b.lshr(b.neg(loaded), b.constant(63n));
  const inOrder = l.target.byteOrder === "little" ? loaded : b.bswap(loaded, size);
  const word = ends ? b.and(inOrder, b.constant((1n << BigInt(8 * (size - 1))) - 1n)) : inOrder;
  const each = (byte: number): Inst => b.constant(BigInt(`0x${byte.toString(16).padStart(2, "0").repeat(size)}`));
  const ones = each(0x01);
  // The highest bit of each zero byte, and of some above the first of them (Mycroft); of these the lowest.
  const zeros = b.and(b.and(b.sub(word, ones), b.xor(word, b.constant((1n << 64n) - 1n))), each(0x80));
  const first = b.and(zeros, b.neg(zeros));
  // One bit for each byte below it, all where there is none; the product's highest byte is their sum.
  const below = b.and(b.sub(b.lshr(first, b.constant(7n)), b.constant(1n)), ones);
  const sum = b.lshr(b.mul(below, ones), b.constant(BigInt(8 * (size - 1))));
  return size === 8 ? sum : b.and(sum, b.constant(0xffn));
}
