import type { Random } from "../../support/random.ts";
import { type Struct, sizeOf, type Type } from "./types.ts";

/** Arguments that a raw tracepoint is run with. */
const RAW_ARGUMENTS = 6;

/** Bytes of what a `syscall` program is handed: numbers of all sizes, in C's layout. */
export function contextOf(random: Random, struct: Struct): Uint8Array {
  let at = 0;
  let largest = 1;
  const writes: ((bytes: Uint8Array) => void)[] = [];
  for (const { type } of struct.fields) {
    const align = type.kind === "int" || type.kind === "bool" ? sizeOf(type) : 1;
    at = Math.ceil(at / align) * align;
    const here = at;
    writes.push((bytes) => write(random, type, bytes, here));
    at += sizeOf(type);
    largest = Math.max(largest, align);
  }
  const bytes = new Uint8Array(Math.ceil(at / largest) * largest);
  for (const one of writes) one(bytes);
  return bytes;
}

function write(random: Random, type: Type, bytes: Uint8Array, at: number): void {
  switch (type.kind) {
    case "bool":
      bytes[at] = random.below(2);
      return;
    case "str":
      for (let i = random.below(type.size); i > 0; i--) bytes[at + i - 1] = 97 + random.below(26);
      return;
    case "bytes":
      for (let i = 0; i < type.size; i++) bytes[at + i] = random.below(256);
      return;
    default: {
      const size = sizeOf(type);
      const number = numberOf(random, size * 8);
      for (let i = 0; i < size; i++) bytes[at + i] = Number((number >> BigInt(8 * i)) & 0xffn);
    }
  }
}

/** A number that programs go different ways for: few are small, some at the ends, some anywhere. */
function numberOf(random: Random, bits: number): bigint {
  switch (random.below(5)) {
    case 0:
      return 0n;
    case 1:
      return BigInt.asUintN(bits, -BigInt(random.between(1, 20)));
    case 2:
      return random.bits(random.between(1, bits));
    case 3:
      return BigInt.asUintN(bits, (1n << BigInt(bits - 1)) - BigInt(random.below(3)));
    default:
      return BigInt(random.below(100));
  }
}

/** Arguments of a raw tracepoint. */
export function argumentsOf(random: Random): Uint8Array {
  return new Uint8Array(BigUint64Array.from({ length: RAW_ARGUMENTS }, () => numberOf(random, 64)).buffer);
}
