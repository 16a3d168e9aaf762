import type { CallExpression, Expression } from "@oxc-project/types";
import type { GlobalDecl, MapDecl } from "../hir.ts";
import { I64, type IntType, sizeOf, type Type, U8, U32, U64 } from "../type.ts";
import type { Checker } from "./checker.ts";
import { constantOf, shown } from "./constants.ts";
import { type Constant, type ConstantObject, entityOf, type FileScope } from "./entity.ts";
import { inRange } from "./integers.ts";
import {
  argumentsWritten,
  layStruct,
  TYPE_MAKERS,
  typeOfDescriptor,
  typeOfEntity,
  vocabularyCallee,
} from "./type-expressions.ts";
import { typeName } from "./type-names.ts";

/** Entries of a map that does not say how many. */
const DEFAULT_ENTRIES = 10_240;
/** Bytes of a ring that does not say how many. */
const DEFAULT_RING = 256 * 1024;

/** In place of a key's type: it is that of the first key. What the sugar of one-liners writes; no word of `skep/kernel`. */
const INFER = "infer";

/** What a declaration is made from. */
interface Declaration {
  readonly cx: Checker;
  readonly file: FileScope;
  readonly node: CallExpression;
  readonly args: readonly Expression[];
  readonly name: string;
  readonly exported: boolean;
}

/** Functions of `skep/kernel` that declare a map; `min` and `max` also compute. */
const MAP_MAKERS: Readonly<Record<string, (declaration: Declaration) => MapDecl>> = {
  hash: makeHash,
  arrayMap: makeArray,
  ringbuf: makeRing,
  progArray: makeProgramArray,
  cgroupArray: makeCgroupArray,
  stackTraces: makeStackTraces,
  taskStorage: makeTaskStorage,
  counter: (one) => aggregate(one, { kind: "counter" }, U64),
  sum: (one) => aggregate(one, { kind: "sum" }, I64),
  avg: (one) =>
    aggregate(
      one,
      { kind: "avg" },
      layStruct("", [
        { name: "sum", type: I64 },
        { name: "count", type: U64 },
      ]),
    ),
  min: (one) => aggregate(one, { kind: "min" }, I64),
  max: (one) => aggregate(one, { kind: "max" }, I64),
  histogram: makeHistogram,
  linear: makeLinear,
};

/** A map that a call of `skep/kernel` declares; undefined when the call declares none. */
export function mapOf(
  cx: Checker,
  file: FileScope,
  node: CallExpression,
  name: string,
  exported: boolean,
): MapDecl | undefined {
  const maker = MAP_MAKERS[vocabularyCallee(file, node) ?? ""];
  if (maker === undefined) return undefined;
  return maker({ cx, file, node, args: argumentsWritten(cx, file, node), name, exported });
}

function common({ cx, file, node, name, exported }: Declaration) {
  return { name: cx.unique(name), exported, span: cx.span(file, node) };
}

function required(one: Declaration, position: number, what: string): Expression {
  const { cx, file, node, args } = one;
  return (
    args[position] ??
    cx.report.fail("TS2554", cx.span(file, node), `\`${vocabularyCallee(file, node)}\` needs ${what}.`)
  );
}

/** The options at the end, of which only those in `known` may be there. */
function optionsOf({ cx, file, args }: Declaration, position: number, known: readonly string[]): ConstantObject {
  const node = args[position];
  if (node === undefined) return {};
  const found = constantOf(cx, file, node);
  if (typeof found !== "object" || Array.isArray(found))
    return cx.report.fail("TS2345", cx.span(file, node), "Options are an object.");
  for (const name of Object.keys(found))
    if (!known.includes(name))
      cx.report.fail("TS2353", cx.span(file, node), `There is no option \`${name}\` here.`, {
        help: `There are ${known.map((each) => `\`${each}\``).join(", ")}.`,
      });
  return found as ConstantObject;
}

function count(one: Declaration, value: Constant, fallback: number, what: string): number {
  if (value === undefined) return fallback;
  const { cx, file, node } = one;
  if (typeof value === "bigint" && value >= 1n && value <= 0x7fff_ffffn) return Number(value);
  return cx.report.fail("EB2002", cx.span(file, node), `${what} is a number from 1 on; this is ${shown(value)}.`);
}

function pinnedOf(options: ConstantObject): { pinned?: string } {
  return typeof options["pinned"] === "string" ? { pinned: options["pinned"] } : {};
}

function makeHash(one: Declaration): MapDecl {
  const { cx, file } = one;
  const key = typeOfDescriptor(cx, file, required(one, 0, "a type for its keys"));
  const value = typeOfDescriptor(cx, file, required(one, 1, "a type for its values"));
  const options = optionsOf(one, 2, ["max", "lru", "perCpu", "pinned"]);
  const perCpu = options["perCpu"] === true;
  const kind = options["lru"] === true ? (perCpu ? "lruPerCpuHash" : "lruHash") : perCpu ? "perCpuHash" : "hash";
  return {
    ...common(one),
    kind,
    key,
    value,
    maxEntries: count(one, options["max"], DEFAULT_ENTRIES, "`max`"),
    ...pinnedOf(options),
  };
}

function makeArray(one: Declaration): MapDecl {
  const { cx, file } = one;
  const value = typeOfDescriptor(cx, file, required(one, 0, "a type for its values"));
  const length = count(one, constantOf(cx, file, required(one, 1, "a length")), 1, "The length of an array");
  const options = optionsOf(one, 2, ["perCpu", "pinned"]);
  return {
    ...common(one),
    kind: options["perCpu"] === true ? "perCpuArray" : "array",
    key: U32,
    value,
    maxEntries: length,
    ...pinnedOf(options),
  };
}

function makeRing(one: Declaration): MapDecl {
  const { cx, file, node } = one;
  // Without a type its records are of several.
  const [first] = one.args;
  const isTyped = first !== undefined && first.type !== "ObjectExpression";
  const value = isTyped ? typeOfDescriptor(cx, file, first) : undefined;
  const options = optionsOf(one, isTyped ? 1 : 0, ["bytes"]);
  const bytes = count(one, options["bytes"], DEFAULT_RING, "`bytes`");
  if (bytes % 4096 !== 0 || (bytes & (bytes - 1)) !== 0)
    return cx.report.fail(
      "EB2022",
      cx.span(file, node),
      `A ring of ${bytes} bytes cannot be: it is a power of two and a multiple of the page size.`,
      { help: "For example `{ bytes: 1 << 20 }`." },
    );
  if (value !== undefined && value.kind !== "struct")
    return cx.report.fail("EB2022", cx.span(file, node), `An event is a struct; this is ${typeName(value)}.`, {
      help: `Write \`ringbuf(struct({ value: ${typeName(value)} }))\`.`,
    });
  return { ...common(one), kind: "ringbuf", ...(value !== undefined && { value }), maxEntries: bytes };
}

/** `progArray(["parse", "report"])`: programs of this module, by their names; that they are there is looked at when all are declared. */
function makeProgramArray(one: Declaration): MapDecl {
  const { cx, file } = one;
  const node = required(one, 0, "the names of its programs");
  const names = constantOf(cx, file, node);
  if (!Array.isArray(names) || names.length === 0 || names.some((name) => typeof name !== "string"))
    return cx.report.fail("TS2345", cx.span(file, node), "A program array is made of the names of programs.", {
      help: 'For example `progArray(["parse", "report"])`.',
    });
  return { ...common(one), kind: "progArray", programs: names as string[], maxEntries: names.length };
}

function makeCgroupArray(one: Declaration): MapDecl {
  const length = constantOf(one.cx, one.file, required(one, 0, "a length"));
  return { ...common(one), kind: "cgroupArray", maxEntries: count(one, length, 1, "The length of an array") };
}

function makeStackTraces(one: Declaration): MapDecl {
  const entries = count(
    one,
    constantOf(one.cx, one.file, required(one, 0, "how many stacks it keeps")),
    1,
    "The number of stacks",
  );
  return { ...common(one), kind: "stackTrace", maxEntries: entries };
}

function makeTaskStorage(one: Declaration): MapDecl {
  const value = typeOfDescriptor(one.cx, one.file, required(one, 0, "a type for its values"));
  return { ...common(one), kind: "taskStorage", value, maxEntries: 0 };
}

/** Whether the type of the keys is left to their first use. */
function isUntyped({ file, args: [first] }: Declaration): boolean {
  const entity = first === undefined ? undefined : entityOf(file, first);
  return entity?.kind === "vocabulary" && entity.name === INFER;
}

/** The map, noted as one whose keys have no type yet where that is so. */
function noted(one: Declaration, map: MapDecl): MapDecl {
  if (isUntyped(one)) one.cx.untyped.add(map);
  return map;
}

/** The key, which may be left out, and the position behind it. */
function keyOf(one: Declaration): [Type | undefined, number] {
  const { cx, file, args } = one;
  const [first] = args;
  if (isUntyped(one)) return [undefined, 1];
  if (first === undefined || !isDescriptor(file, first)) return [undefined, 0];
  return [typeOfDescriptor(cx, file, first), 1];
}

function isDescriptor(file: FileScope, node: Expression): boolean {
  const entity = entityOf(file, node);
  if (entity !== undefined) return typeOfEntity(entity) !== undefined;
  return node.type === "CallExpression" && TYPE_MAKERS.has(vocabularyCallee(file, node) ?? "");
}

function aggregate(one: Declaration, kind: NonNullable<MapDecl["aggregate"]>, value: Type): MapDecl {
  const [key, next] = keyOf(one);
  const options = optionsOf(one, next, ["max", "pinned"]);
  // Extremes begin as other than zeros, which values of per-CPU maps cannot.
  const isExtreme = kind.kind === "min" || kind.kind === "max";
  if (key === undefined && !isUntyped(one))
    return {
      ...common(one),
      kind: isExtreme ? "array" : "perCpuArray",
      key: U32,
      value,
      maxEntries: 1,
      aggregate: kind,
      ...pinnedOf(options),
    };
  return noted(one, {
    ...common(one),
    kind: "hash",
    ...(key !== undefined && { key }),
    value,
    maxEntries: count(one, options["max"], DEFAULT_ENTRIES, "`max`"),
    aggregate: kind,
    ...pinnedOf(options),
  });
}

/** The key of a histogram's map: what people give, and which bucket. */
export function bucketed(key: Type | undefined): Type {
  const bucket = { name: "bucket", type: U32 };
  return layStruct("", key === undefined ? [bucket] : [{ name: "key", type: key }, bucket]);
}

function makeHistogram(one: Declaration): MapDecl {
  const [key, next] = keyOf(one);
  const options = optionsOf(one, next, ["max", "bits", "pinned"]);
  const bits = options["bits"] ?? 0n;
  if (typeof bits !== "bigint" || bits < 0n || bits > 5n)
    return one.cx.report.fail("EB2002", one.cx.span(one.file, one.node), "`bits` is from 0 to 5.");
  const maxEntries = count(one, options["max"], DEFAULT_ENTRIES, "`max`");
  return noted(one, {
    ...common(one),
    kind: "hash",
    key: bucketed(key),
    value: U64,
    maxEntries,
    aggregate: { kind: "log2", bits: Number(bits) },
    ...pinnedOf(options),
  });
}

function makeLinear(one: Declaration): MapDecl {
  const [key, next] = keyOf(one);
  const { cx, file, node } = one;
  const options = optionsOf(one, next, ["min", "max", "step", "entries", "pinned"]);
  const { min, max, step } = options as { min?: Constant; max?: Constant; step?: Constant };
  if (typeof min !== "bigint" || typeof max !== "bigint" || typeof step !== "bigint" || step < 1n || max <= min)
    return cx.report.fail(
      "EB2023",
      cx.span(file, node),
      "A linear histogram has a `min`, a `max` above it and a `step` from 1 on.",
      { help: "For example `linear({ min: 0, max: 1000, step: 50 })`." },
    );
  const maxEntries = count(one, options["entries"], DEFAULT_ENTRIES, "`entries`");
  return noted(one, {
    ...common(one),
    kind: "hash",
    key: bucketed(key),
    value: U64,
    maxEntries,
    aggregate: { kind: "linear", min, max, step },
    ...pinnedOf(options),
  });
}

/** `param(type, initial)` and `global(type, initial?)`; undefined for other calls. */
export function globalOf(
  cx: Checker,
  file: FileScope,
  node: CallExpression,
  name: string,
  exported: boolean,
): GlobalDecl | undefined {
  const kind = vocabularyCallee(file, node);
  if (kind !== "param" && kind !== "global") return undefined;
  const [descriptor, first] = node.arguments;
  if (
    descriptor === undefined ||
    descriptor.type === "SpreadElement" ||
    first?.type === "SpreadElement" ||
    (kind === "param" && first === undefined)
  )
    return cx.report.fail(
      "TS2554",
      cx.span(file, node),
      `\`${kind}\` needs a type${kind === "param" ? " and the value it has when nobody says another" : ""}.`,
    );
  const type = typeOfDescriptor(cx, file, descriptor);
  const initial = new Uint8Array(sizeOf(type));
  if (first !== undefined) write(cx, file, first, constantOf(cx, file, first), type, initial, 0);
  return { name: cx.unique(name), exported, kind, type, initial, span: cx.span(file, node) };
}

/** Puts a constant into bytes, as its type lays it out. */
function write(
  cx: Checker,
  file: FileScope,
  node: Expression,
  value: Constant,
  type: Type,
  bytes: Uint8Array,
  at: number,
): undefined {
  const refuse = (): never => cx.report.fail("TS2345", cx.span(file, node), `This is no ${typeName(type)}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  switch (type.kind) {
    case "int": {
      if (typeof value !== "bigint") return refuse();
      if (!inRange(value, type))
        return cx.report.fail("EB2206", cx.span(file, node), `${value} is none of ${typeName(type)}.`);
      writeInteger(view, at, value, type);
      return;
    }
    case "bool":
      if (typeof value !== "boolean") return refuse();
      bytes[at] = value ? 1 : 0;
      return;
    case "str": {
      if (typeof value !== "string") return refuse();
      const text = new TextEncoder().encode(value);
      if (text.length >= type.size)
        return cx.report.fail(
          "EB2209",
          cx.span(file, node),
          `The text has ${text.length} bytes, and there is room for ${type.size - 1} and the NUL behind them.`,
        );
      bytes.set(text, at);
      return;
    }
    case "bytes":
    case "array": {
      if (!Array.isArray(value)) return refuse();
      const [length, element] = type.kind === "bytes" ? [type.size, U8 as Type] : [type.length, type.element];
      if (value.length !== length)
        return cx.report.fail(
          "EB2210",
          cx.span(file, node),
          `There are ${length} elements, and ${value.length} are given.`,
        );
      for (const [i, one] of (value as readonly Constant[]).entries())
        write(cx, file, node, one, element, bytes, at + i * sizeOf(element));
      return;
    }
    case "struct": {
      if (typeof value !== "object" || Array.isArray(value)) return refuse();
      for (const field of type.fields) {
        const given = (value as ConstantObject)[field.name];
        if (given === undefined)
          return cx.report.fail("TS2741", cx.span(file, node), `Field \`${field.name}\` is missing.`);
        write(cx, file, node, given, field.type, bytes, at + field.offset);
      }
      return;
    }
    default:
      return refuse();
  }
}

function writeInteger(view: DataView, at: number, value: bigint, { bits, bigEndian }: IntType): void {
  const little = bigEndian !== true;
  const unsigned = BigInt.asUintN(bits, value);
  if (bits === 8) view.setUint8(at, Number(unsigned));
  else if (bits === 16) view.setUint16(at, Number(unsigned), little);
  else if (bits === 32) view.setUint32(at, Number(unsigned), little);
  else view.setBigUint64(at, unsigned, little);
}
