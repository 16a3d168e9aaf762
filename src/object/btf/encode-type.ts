import { KIND_NAMES } from "./kind.ts";
import type { BtfType, Linkage } from "./type.ts";

const LINKAGE: Readonly<Record<Linkage, number>> = { static: 0, global: 1, extern: 2 };
const KINDS = new Map<string, number>(KIND_NAMES.map((name, kind) => [name, kind]));

/**
 * Appends the 32-bit words of a type, as they stand in BTF, to `words`; `text` gives a string its offset. The type is
 * taken to be one that `checkType` lets pass.
 */
export function encodeType(type: BtfType, text: (text: string) => number, words: number[]): void {
  const begin = (length: number, flag: boolean, third: number) => {
    const kind = KINDS.get(type.kind) as number;
    words.push(text(type.name), ((flag ? 0x80000000 : 0) | (kind << 24) | length) >>> 0, third);
  };
  switch (type.kind) {
    case "void":
      break;
    case "int": {
      begin(0, false, type.size);
      const encoding = (type.signed ? 1 : 0) | (type.char ? 2 : 0) | (type.bool ? 4 : 0);
      words.push((encoding << 24) | (type.bitOffset << 16) | type.bits);
      break;
    }
    case "pointer":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
      begin(0, false, type.type);
      break;
    case "typeTag":
      begin(0, type.attribute === true, type.type);
      break;
    case "declTag":
      begin(0, type.attribute === true, type.type);
      words.push(type.component >>> 0);
      break;
    case "array":
      begin(0, false, 0);
      words.push(type.element, type.index, type.length);
      break;
    case "struct":
    case "union": {
      const fields = type.members.some(({ bitSize }) => bitSize > 0);
      begin(type.members.length, fields, type.size);
      for (const { name, type: id, bitOffset, bitSize } of type.members)
        words.push(text(name), id, fields ? ((bitSize << 24) | bitOffset) >>> 0 : bitOffset);
      break;
    }
    case "enum":
      begin(type.values.length, type.signed, type.size);
      for (const { name, value } of type.values) words.push(text(name), Number(value) >>> 0);
      break;
    case "enum64":
      begin(type.values.length, type.signed, type.size);
      for (const { name, value } of type.values) {
        const bits = BigInt.asUintN(64, BigInt(value));
        words.push(text(name), Number(bits & 0xffffffffn), Number(bits >> 32n));
      }
      break;
    case "forward":
      begin(0, type.union, 0);
      break;
    case "function":
      // The linkage stands where others have a length.
      begin(LINKAGE[type.linkage], false, type.type);
      break;
    case "prototype":
      begin(type.parameters.length, false, type.result);
      for (const { name, type: id } of type.parameters) words.push(text(name), id);
      break;
    case "variable":
      begin(0, false, type.type);
      words.push(LINKAGE[type.linkage]);
      break;
    case "section":
      begin(type.variables.length, false, type.size);
      for (const { type: id, offset, size } of type.variables) words.push(id, offset, size);
      break;
    case "float":
      begin(0, false, type.size);
      break;
  }
}
