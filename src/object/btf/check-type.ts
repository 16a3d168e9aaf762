import { BtfError } from "./btf-error.ts";
import type { BtfType } from "./type.ts";

/** The kernel's KSYM_NAME_LEN with its NUL; texts of tags are held to it too. */
const MOST_NAME = 511;
const MOST_PARTS = 0xffff;
const encoder = new TextEncoder();

/** Kinds that the kernel refuses without a name (kernel/bpf/btf.c). */
const NAMED: ReadonlySet<string> = new Set([
  "typedef",
  "forward",
  "function",
  "variable",
  "section",
  "float",
  "declTag",
  "typeTag",
]);

/**
 * Throws BtfError for a type that cannot be written, or that no kernel takes, whatever the ids in it stand for
 * (Documentation/bpf/btf.rst).
 */
export function checkType(type: BtfType): void {
  if (type.kind === "void") throw new BtfError("Void is id 0 of every table: it cannot be added.");
  checkName(type.name, type.kind);
  if (type.name === "" && NAMED.has(type.kind)) throw new BtfError(`A ${type.kind} must have a name.`);
  switch (type.kind) {
    case "int":
      check(type, [1, 2, 4, 8, 16].includes(type.size), `${type.size} bytes; there are 1, 2, 4, 8 and 16`);
      check(
        type,
        whole(type.bits, 128) && whole(type.bitOffset, 255) && type.bits + type.bitOffset <= type.size * 8,
        `${type.bits} bits from bit ${type.bitOffset} on, which its ${type.size} bytes have not`,
      );
      break;
    case "float":
      check(type, [2, 4, 8, 12, 16].includes(type.size), `${type.size} bytes; there are 2, 4, 8, 12 and 16`);
      break;
    case "array":
      check(type, whole(type.length), `length ${type.length}; it takes a whole number below 2^32`);
      break;
    case "struct":
    case "union": {
      check(type, whole(type.size), `${type.size} bytes; it takes a whole number below 2^32`);
      checkParts(type, type.members);
      // One bit-field leaves 24 bits for the offsets of all members.
      const fields = type.members.some(({ bitSize }) => bitSize > 0);
      for (const { name, bitOffset, bitSize } of type.members) {
        check(type, whole(bitSize, 255), `a member ${name} of ${bitSize} bits; there are at most 255`);
        check(
          type,
          whole(bitOffset, fields ? 0xffffff : 0xffffffff),
          `a member ${name} at bit ${bitOffset}; ${fields ? "beside bit-fields it takes 24 bits" : "it takes 32 bits"}`,
        );
      }
      break;
    }
    case "enum":
    case "enum64":
      // Compilers write an enum that is only declared without a size; the kernel refuses it, and CO-RE makes use of it.
      check(
        type,
        [1, 2, 4, 8].includes(type.size) || (type.size === 0 && type.values.length === 0),
        `${type.size} bytes; there are 1, 2, 4 and 8`,
      );
      checkParts(type, type.values);
      for (const { name, value } of type.values) {
        const bits = type.kind === "enum" ? 32n : 64n;
        const low = type.signed ? -(1n << (bits - 1n)) : 0n;
        const high = (type.signed ? 1n << (bits - 1n) : 1n << bits) - 1n;
        const integer = typeof value === "bigint" || Number.isSafeInteger(value);
        const fits = integer && BigInt(value) >= low && BigInt(value) <= high;
        check(type, fits, `a value ${name} of ${value}; it takes ${low} to ${high}`);
      }
      break;
    case "prototype":
      checkParts(type, type.parameters);
      break;
    case "section":
      check(type, whole(type.size), `${type.size} bytes; it takes a whole number below 2^32`);
      checkParts(type, type.variables);
      for (const { offset, size } of type.variables)
        check(type, whole(offset) && whole(size), `a variable of ${size} bytes at ${offset}`);
      break;
    case "declTag":
      check(
        type,
        type.component === -1 || whole(type.component, MOST_PARTS),
        `component ${type.component}; it takes -1 or the index of a member`,
      );
      break;
    default:
      break;
  }
}

function checkParts(type: BtfType, parts: readonly (object & { readonly name?: string })[]): void {
  check(type, parts.length <= MOST_PARTS, `${parts.length} parts; there are at most ${MOST_PARTS}`);
  for (const { name } of parts) if (name !== undefined) checkName(name, `part of ${type.kind} ${type.name}`);
}

function checkName(name: string, what: string): void {
  if (name.includes("\0")) throw new BtfError(`The name of a ${what} holds a NUL, which ends names.`);
  // No text of a third of the characters can be too long.
  if (name.length * 3 <= MOST_NAME) return;
  const { length } = encoder.encode(name);
  if (length > MOST_NAME)
    throw new BtfError(`The name of a ${what} has ${length} bytes: the kernel takes ${MOST_NAME}.`);
}

function check(type: BtfType, holds: boolean, fault: string): void {
  if (!holds) throw new BtfError(`The ${type.kind} ${type.name === "" ? "without a name" : type.name} has ${fault}.`);
}

function whole(value: number, most = 0xffffffff): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}
