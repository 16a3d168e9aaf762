import { BtfError } from "./btf-error.ts";
import { KIND_NAMES } from "./kind.ts";
import type { BtfType, Linkage } from "./type.ts";

const LINKAGE: readonly Linkage[] = ["static", "global", "extern"];

/** Decodes the type at `at`, whose bytes are known to be there. `text` reads the string table. */
export function decodeType(view: DataView, at: number, little: boolean, text: (offset: number) => string): BtfType {
  const u32 = (offset: number) => view.getUint32(at + offset, little);
  const info = u32(4);
  const length = info & 0xffff;
  const flag = info >>> 31 === 1;
  const name = text(u32(0));
  const reference = u32(8);
  const each = <T>(size: number, one: (offset: number) => T): T[] => {
    const all: T[] = [];
    for (let i = 0; i < length; i++) all.push(one(12 + i * size));
    return all;
  };
  const tag = flag ? ({ attribute: true } as const) : undefined;
  const kind = KIND_NAMES[(info >>> 24) & 0x1f];
  switch (kind) {
    case "int": {
      const data = u32(12);
      const encoding = (data >>> 24) & 0x0f;
      return {
        kind,
        name,
        size: reference,
        bits: data & 0xff,
        bitOffset: (data >>> 16) & 0xff,
        signed: (encoding & 1) !== 0,
        char: (encoding & 2) !== 0,
        bool: (encoding & 4) !== 0,
      };
    }
    case "pointer":
      return { kind, name: "", type: reference };
    case "array":
      return { kind, name: "", element: u32(12), index: u32(16), length: u32(20) };
    case "struct":
    case "union": {
      const members = each(12, (o) => {
        const offset = u32(o + 8);
        return {
          name: text(u32(o)),
          type: u32(o + 4),
          // With the flag the high byte is a bit-field's size.
          bitOffset: flag ? offset & 0xffffff : offset,
          bitSize: flag ? offset >>> 24 : 0,
        };
      });
      return { kind, name, size: reference, members };
    }
    case "enum":
      return {
        kind,
        name,
        size: reference,
        signed: flag,
        values: each(8, (o) => ({ name: text(u32(o)), value: flag ? view.getInt32(at + o + 4, little) : u32(o + 4) })),
      };
    case "enum64":
      return {
        kind,
        name,
        size: reference,
        signed: flag,
        values: each(12, (o) => {
          const value = (BigInt(u32(o + 8)) << 32n) | BigInt(u32(o + 4));
          return { name: text(u32(o)), value: flag ? BigInt.asIntN(64, value) : value };
        }),
      };
    case "forward":
      return { kind, name, union: flag };
    case "typedef":
      return { kind, name, type: reference };
    case "volatile":
    case "const":
    case "restrict":
      return { kind, name: "", type: reference };
    case "function":
      // The linkage stands where others have a length.
      return { kind, name, type: reference, linkage: linkage(length) };
    case "prototype":
      return {
        kind,
        name: "",
        result: reference,
        parameters: each(8, (o) => ({ name: text(u32(o)), type: u32(o + 4) })),
      };
    case "variable":
      return { kind, name, type: reference, linkage: linkage(u32(12)) };
    case "section":
      return {
        kind,
        name,
        size: reference,
        variables: each(12, (o) => ({ type: u32(o), offset: u32(o + 4), size: u32(o + 8) })),
      };
    case "float":
      return { kind, name, size: reference };
    case "declTag":
      return { kind, name, type: reference, component: view.getInt32(at + 12, little), ...tag };
    case "typeTag":
      return { kind, name, type: reference, ...tag };
    default:
      throw new BtfError(`A type is of kind ${(info >>> 24) & 0x1f}, which is not known.`);
  }
}

function linkage(number: number): Linkage {
  const found = LINKAGE[number];
  if (found === undefined)
    throw new BtfError(`A linkage is ${number}, and there are 0 (static), 1 (global) and 2 (extern).`);
  return found;
}
