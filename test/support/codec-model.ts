// What layouts mean, written a second time and as plainly as can be: byte by byte, with no typed array and no generated
// code. The codecs are checked against it with random layouts and values.
import fc from "fast-check";
import {
  array,
  be16,
  be32,
  be64,
  bool,
  bytes,
  i8,
  i16,
  i32,
  i64,
  i64n,
  type Layout,
  str,
  struct,
  u8,
  u16,
  u32,
  u64,
  u64n,
} from "../../src/object/codec/index.ts";

const SCALARS = { u8, u16, u32, u64, u64n, i8, i16, i32, i64, i64n, be16, be32, be64, bool } as const;
type Scalar = keyof typeof SCALARS;

/** A description of a layout that knows its own size, alignment and places, by C's rules. */
export type Model =
  | { readonly kind: Scalar }
  | { readonly kind: "bytes" | "str"; readonly length: number }
  | { readonly kind: "array"; readonly element: Model; readonly length: number }
  | { readonly kind: "struct"; readonly fields: readonly (readonly [name: string, model: Model])[] };

export function layoutOf(model: Model): Layout {
  switch (model.kind) {
    case "bytes":
      return bytes(model.length);
    case "str":
      return str(model.length);
    case "array":
      return array(layoutOf(model.element), model.length);
    case "struct":
      return struct(Object.fromEntries(model.fields.map(([name, field]) => [name, layoutOf(field)])));
    default:
      return SCALARS[model.kind];
  }
}

export function alignOf(model: Model): number {
  switch (model.kind) {
    case "bytes":
    case "str":
      return 1;
    case "array":
      return alignOf(model.element);
    case "struct":
      return Math.max(1, ...model.fields.map(([, field]) => alignOf(field)));
    default:
      return bitsOf(model.kind) / 8;
  }
}

export function sizeOf(model: Model): number {
  switch (model.kind) {
    case "bytes":
    case "str":
      return model.length;
    case "array":
      return sizeOf(model.element) * model.length;
    case "struct":
      return up(placesOf(model.fields).end, alignOf(model));
    default:
      return bitsOf(model.kind) / 8;
  }
}

/** Where each field begins, and where the last one ends. */
export function placesOf(fields: readonly (readonly [string, Model])[]): { offsets: number[]; end: number } {
  const offsets: number[] = [];
  let end = 0;
  for (const [, field] of fields) {
    const at = up(end, alignOf(field));
    offsets.push(at);
    end = at + sizeOf(field);
  }
  return { offsets, end };
}

/** The bytes of a value; padding and what follows a string's NUL are zero. */
export function encodeModel(model: Model, value: unknown): number[] {
  switch (model.kind) {
    case "bytes":
      return [...(value as Uint8Array)];
    case "str": {
      const text = [...Buffer.from(value as string, "utf8")];
      return [...text, ...new Array<number>(model.length - text.length).fill(0)];
    }
    case "array":
      return (value as unknown[]).flatMap((item) => encodeModel(model.element, item));
    case "struct": {
      const out = new Array<number>(sizeOf(model)).fill(0);
      const { offsets } = placesOf(model.fields);
      model.fields.forEach(([name, field], i) => {
        const part = encodeModel(field, (value as Record<string, unknown>)[name]);
        out.splice(offsets[i] as number, part.length, ...part);
      });
      return out;
    }
    default:
      return orderOf(model.kind, scalarBytes(BigInt(value as number | bigint | boolean), bitsOf(model.kind)));
  }
}

/** The value of bytes; `TooLarge` stands for a 64-bit number that the layout refuses to round. */
export function decodeModel(model: Model, from: readonly number[]): unknown {
  switch (model.kind) {
    case "bytes":
      return Uint8Array.from(from.slice(0, model.length));
    case "str": {
      const field = from.slice(0, model.length);
      const end = field.indexOf(0);
      return Buffer.from(end < 0 ? field : field.slice(0, end)).toString("utf8");
    }
    case "array": {
      const size = sizeOf(model.element);
      return Array.from({ length: model.length }, (_, i) => decodeModel(model.element, from.slice(i * size)));
    }
    case "struct": {
      const { offsets } = placesOf(model.fields);
      const entries = model.fields.map(([name, field], i) => [name, decodeModel(field, from.slice(offsets[i]))]);
      return Object.fromEntries(entries);
    }
    case "bool":
      return from[0] !== 0;
    default: {
      const bits = bitsOf(model.kind);
      const bytes = orderOf(model.kind, from.slice(0, bits / 8));
      let value = 0n;
      for (let i = 0; i < bits / 8; i++) value |= BigInt(bytes[i] as number) << BigInt(8 * i);
      if (model.kind.startsWith("i") && value >> BigInt(bits - 1) === 1n) value -= 1n << BigInt(bits);
      if (model.kind === "u64" || model.kind === "i64" || model.kind === "be64") return value;
      const number = Number(value);
      if (!Number.isSafeInteger(number)) throw new TooLarge();
      return number;
    }
  }
}

export class TooLarge extends Error {}

function scalarBytes(value: bigint, bits: number): number[] {
  const unsigned = BigInt.asUintN(bits, value);
  return Array.from({ length: bits / 8 }, (_, i) => Number((unsigned >> BigInt(8 * i)) & 0xffn));
}

/** Bytes of a number from the lowest on, in the order that they stand in memory; and back. */
function orderOf(kind: Scalar, bytes: readonly number[]): number[] {
  return kind.startsWith("be") ? [...bytes].reverse() : [...bytes];
}

function bitsOf(kind: Scalar): number {
  return kind === "bool" ? 8 : Number(/\d+/.exec(kind)?.[0]);
}

function up(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** Names that could trip generated code: quotes, keywords, prototype members, spaces, letters beyond ASCII. */
const NAMES = [
  "a",
  "b",
  "c",
  "comm",
  "__proto__",
  "constructor",
  "toString",
  'q"uote',
  "new line\n",
  "return",
  "é",
  "",
  "o",
  "m",
  "v",
  "S",
];

const MAX_SIZE = 1024;

/** Layouts of all kinds, nested to some depth. */
export const modelArbitrary: fc.Arbitrary<Model> = fc
  .letrec<{ model: Model; leaf: Model }>((tie) => ({
    leaf: fc.oneof(
      fc.constantFrom(...(Object.keys(SCALARS) as Scalar[])).map((kind): Model => ({ kind })),
      fc.record({
        kind: fc.constantFrom("bytes", "str"),
        length: fc.integer({ min: 1, max: 24 }),
      }) as fc.Arbitrary<Model>,
      // The sizes of comm, of a path, and longer than the interner keeps.
      fc.constantFrom(16, 64, 256, 300).map((length): Model => ({ kind: "str", length })),
    ),
    model: fc.oneof(
      { depthSize: "small", maxDepth: 4, withCrossShrink: true },
      tie("leaf"),
      fc.record({
        kind: fc.constant("array" as const),
        element: tie("model"),
        // Up to 8 elements are written out, more are read in a loop.
        length: fc.integer({ min: 0, max: 12 }),
      }),
      fc
        .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), tie("model")), { selector: ([name]) => name, maxLength: 8 })
        .map((fields): Model => ({ kind: "struct", fields })),
    ),
  }))
  .model.filter((model) => sizeOf(model) <= MAX_SIZE);

/** Values that fit a layout. */
export function valueArbitrary(model: Model): fc.Arbitrary<unknown> {
  switch (model.kind) {
    case "bytes":
      return fc.uint8Array({ minLength: model.length, maxLength: model.length });
    case "str":
      // Room for the closing NUL must stay.
      return fc
        .string({ unit: fc.constantFrom("a", "Z", "/", "é", "€", "😀", " "), maxLength: model.length })
        .map((text) => {
          let fitting = text;
          while (Buffer.byteLength(fitting) >= model.length) fitting = Array.from(fitting).slice(0, -1).join("");
          return fitting;
        });
    case "array":
      return fc.array(valueArbitrary(model.element), { minLength: model.length, maxLength: model.length });
    case "struct":
      return fc
        .tuple(...model.fields.map(([, field]) => valueArbitrary(field)))
        .map((values) => Object.fromEntries(model.fields.map(([name], i) => [name, values[i]])));
    case "bool":
      return fc.boolean();
    case "u64":
    case "be64":
      return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    case "i64":
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case "u64n":
      return fc.maxSafeNat();
    case "i64n":
      return fc.maxSafeInteger();
    default: {
      const bits = bitsOf(model.kind);
      const signed = model.kind.startsWith("i");
      return fc.integer({ min: signed ? -(2 ** (bits - 1)) : 0, max: signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1 });
    }
  }
}
