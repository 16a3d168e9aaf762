import type { Layout } from "../../sdk/index.ts";
import { InspectError } from "./inspect-error.ts";

/**
 * The value that a person wrote, by its layout: numbers in decimal or hexadecimal, texts plain or in quotes, structs and arrays
 * as JSON (numbers of 64 bits beyond 2^53 in quotes), bytes as hexadecimal (`0a00ff`, `0a 00 ff`, also after `hex`). `what` is
 * a key or a value, in words. Throws InspectError.
 */
export function parseValue(text: string, layout: Layout, what: string): unknown {
  const trimmed = text.trim();
  if (isNumber(layout)) return fromJson(trimmed, layout, what);
  switch (layout.kind) {
    case "bytes":
      return bytesOf(trimmed, layout.size, what);
    case "bool":
      return fromJson(trimmed === "true" || trimmed === "false" ? trimmed === "true" : trimmed, layout, what);
    case "str":
      return trimmed.startsWith('"') ? fromJson(parseJson(trimmed, what), layout, what) : text;
    default:
      return fromJson(parseJson(trimmed, what), layout, what);
  }
}

function isNumber({ kind }: Layout): boolean {
  return /^([ui]\d+n?|be\d+)$/.test(kind) || kind === "bits";
}

function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw wrong(what, `${JSON.stringify(text)} is no JSON (${(error as Error).message})`);
  }
}

function fromJson(value: unknown, layout: Layout, what: string): unknown {
  if (isNumber(layout)) return numberOf(value, layout, what);
  switch (layout.kind) {
    case "bool":
      if (typeof value === "boolean") return value;
      throw wrong(what, `${shown(value)} is neither true nor false`);
    case "str":
      if (typeof value === "string") return value;
      throw wrong(what, `${shown(value)} is no text`);
    case "bytes":
      if (typeof value === "string") return bytesOf(value, layout.size, what);
      throw wrong(what, `${shown(value)} is no text of hexadecimal bytes`);
    case "array": {
      const { length, element } = layout as { readonly length: number; readonly element: Layout };
      if (!Array.isArray(value) || value.length !== length)
        throw wrong(what, `${shown(value)} is no list of ${length}`);
      return value.map((item, i) => fromJson(item, element, `${what}[${i}]`));
    }
    case "struct": {
      if (typeof value !== "object" || value === null || Array.isArray(value))
        throw wrong(
          what,
          `${shown(value)} is no object with the fields ${layout.fields.map(({ name }) => name).join(", ")}`,
        );
      const given = value as Record<string, unknown>;
      const unknown = Object.keys(given).filter((name) => !layout.fields.some((field) => field.name === name));
      if (unknown.length > 0)
        throw wrong(
          what,
          `it has no field ${unknown.join(", ")} (it has: ${layout.fields.map(({ name }) => name).join(", ")})`,
        );
      const missing = layout.fields.filter(({ name, choice }) => choice === undefined && !Object.hasOwn(given, name));
      if (missing.length > 0) throw wrong(what, `the field ${missing.map(({ name }) => name).join(", ")} is missing`);
      return Object.fromEntries(
        layout.fields
          .filter(({ name }) => Object.hasOwn(given, name))
          .map(({ name, layout: field }) => [name, fromJson(given[name], field, `${what}.${name}`)]),
      );
    }
    default:
      throw wrong(what, `values of kind ${layout.kind} cannot be written here`);
  }
}

function numberOf(value: unknown, layout: Layout, what: string): number | bigint {
  const text = typeof value === "string" ? value.trim() : String(value);
  if (typeof value === "number" && !Number.isSafeInteger(value))
    throw wrong(what, `${text} is not exact as a number of JSON: put it in quotes`);
  if ((typeof value !== "number" && typeof value !== "string") || !/^-?(\d+|0x[0-9a-fA-F]+)$/.test(text))
    throw wrong(what, `${shown(value)} is no number`);
  const number = text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text);
  const bits = layout.kind === "bits" ? layout.bits : layout.size * 8;
  const signed = layout.kind === "bits" ? layout.signed : layout.kind.startsWith("i");
  const [least, most] = signed
    ? [-(1n << BigInt(bits - 1)), (1n << BigInt(bits - 1)) - 1n]
    : [0n, (1n << BigInt(bits)) - 1n];
  if (number < least || number > most)
    throw wrong(what, `${text} does not fit in ${bits} bits: it is from ${least} to ${most}`);
  const wide = layout.kind === "bits" ? layout.wide : /^([ui]|be)64$/.test(layout.kind);
  return wide ? number : Number(number);
}

/** `0a 00 ff`, `0a00ff`, `0x0a00ff`, also after `hex`. */
function bytesOf(text: string, size: number, what: string): Uint8Array {
  const digits = text.replace(/^hex\s+/, "").replace(/0x|[\s:,]/g, "");
  if (!/^([0-9a-fA-F]{2})*$/.test(digits)) throw wrong(what, `${JSON.stringify(text)} are no bytes in hexadecimal`);
  if (digits.length !== size * 2) throw wrong(what, `it has ${size} bytes, and these are ${digits.length / 2}`);
  return new Uint8Array(Buffer.from(digits, "hex"));
}

function shown(value: unknown): string {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : `"${String(value)}"`;
}

function wrong(what: string, why: string): InspectError {
  return new InspectError("SKEP_VALUE", `That is no ${what} of the map: ${why}.`);
}
