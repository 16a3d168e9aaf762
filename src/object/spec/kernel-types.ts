import { type Btf, BtfEdit } from "../btf/index.ts";
import type { ObjectSpec } from "./object-spec.ts";

const GLOBAL = 1;
const KIND_SHIFT = 24;
const INT = 1;
const STRUCT = 4;
const UNION = 5;
const CONST = 10;
const VARIABLE = 14;
const INT_BITS = 32;

/**
 * The object's types as the kernel takes them: it knows nothing of what is defined elsewhere, so externs become ordinary
 * variables. Ids and offsets of strings stay as they are. Undefined for an object without types.
 */
export function typesForKernel({ btf, externs = {} }: ObjectSpec): Uint8Array | undefined {
  if (btf === undefined) return undefined;
  const kconfig = btf.find(".kconfig", "section");
  const ksyms = btf.find(".ksyms", "section");
  if (kconfig === undefined && ksyms === undefined) return btf.bytes;
  const edit = new BtfEdit(btf.bytes);
  if (kconfig !== undefined) placeOptions(btf, edit, kconfig, externs);
  if (ksyms !== undefined) replaceSymbols(btf, edit, ksyms);
  return edit.bytes();
}

function placeOptions(btf: Btf, edit: BtfEdit, id: number, externs: NonNullable<ObjectSpec["externs"]>): void {
  const section = btf.type(id);
  if (section.kind !== "section") return;
  const places = section.variables.map(({ type }) => {
    const extern = externs[btf.type(type).name];
    edit.set(type, 12, GLOBAL);
    return { type, offset: extern?.offset ?? 0, size: extern?.size ?? 0 };
  });
  places.sort((a, b) => a.offset - b.offset);
  writeSection(edit, id, places);
}

/** Functions and variables of the kernel: all become variables of type int, side by side. */
function replaceSymbols(btf: Btf, edit: BtfEdit, id: number): void {
  const section = btf.type(id);
  if (section.kind !== "section") return;
  const int = findInt(btf) ?? edit.addType(edit.addString("int"), INT << KIND_SHIFT, 4, (1 << 24) | INT_BITS);
  const name = edit.addString("dummy_ksym");
  let dummy: number | undefined;
  const places = section.variables.map(({ type }, i) => {
    const symbol = btf.type(type);
    let used = type;
    if (symbol.kind === "function") {
      dummy ??= edit.addType(name, VARIABLE << KIND_SHIFT, int, GLOBAL);
      used = dummy;
      edit.set(type, 4, ((edit.get(type, 4) & 0xffff0000) | GLOBAL) >>> 0);
      nameParameters(btf, edit, symbol.type, name);
    } else {
      edit.set(type, 8, int);
      edit.set(type, 12, GLOBAL);
    }
    return { type: used, offset: i * 4, size: 4 };
  });
  writeSection(edit, id, places);
}

/** The kernel wants a global function's parameters to have names. */
function nameParameters(btf: Btf, edit: BtfEdit, id: number, name: number): void {
  const prototype = btf.type(id);
  if (prototype.kind !== "prototype") return;
  for (const [i, parameter] of prototype.parameters.entries()) {
    if (parameter.type !== 0 && parameter.name === "") edit.set(id, 12 + i * 8, name);
  }
}

function writeSection(
  edit: BtfEdit,
  id: number,
  places: readonly { readonly type: number; readonly offset: number; readonly size: number }[],
): void {
  let end = 0;
  for (const [i, { type, offset, size }] of places.entries()) {
    edit.set(id, 12 + i * 12, type);
    edit.set(id, 16 + i * 12, offset);
    edit.set(id, 20 + i * 12, size);
    end = Math.max(end, offset + size);
  }
  edit.set(id, 8, end);
}

function findInt(btf: Btf): number | undefined {
  return btf.findAll("int", "int").find((id) => {
    const type = btf.type(id);
    return type.kind === "int" && type.size === 4 && type.signed;
  });
}

/**
 * Types for a kernel that does not know the newer kinds: floating point (Linux 5.13), tags on declarations (5.16) and types
 * (5.18), enums of 64 bits and their signs (6.0). What replaces them has the same size in the table, so that all ids stay.
 * Undefined where there is nothing to replace.
 */
export function typesForOldKernel(bytes: Uint8Array, btf: Btf): Uint8Array | undefined {
  let edit: BtfEdit | undefined;
  let placeholder: number | undefined;
  for (let id = btf.firstId; id < btf.endId; id++) {
    const type = btf.type(id);
    switch (type.kind) {
      case "float":
        edit ??= new BtfEdit(bytes);
        edit.set(id, 0, 0);
        edit.set(id, 4, STRUCT << KIND_SHIFT);
        break;
      case "declTag":
        edit ??= new BtfEdit(bytes);
        edit.set(id, 4, INT << KIND_SHIFT);
        edit.set(id, 8, 1);
        edit.set(id, 12, 8);
        edit.set(id, 0, edit.addString("__skep_tag"));
        break;
      case "typeTag":
        edit ??= new BtfEdit(bytes);
        edit.set(id, 0, 0);
        edit.set(id, 4, CONST << KIND_SHIFT);
        break;
      case "enum":
        if (!type.signed) break;
        edit ??= new BtfEdit(bytes);
        edit.set(id, 4, edit.get(id, 4) & 0x7fffffff);
        break;
      case "enum64":
        edit ??= new BtfEdit(bytes);
        // A union of integers that has the enum's size.
        placeholder ??= edit.addType(edit.addString("__skep_enum64"), INT << KIND_SHIFT, 8, 64);
        edit.set(id, 4, ((UNION << KIND_SHIFT) | type.values.length) >>> 0);
        for (let i = 0; i < type.values.length; i++) {
          edit.set(id, 16 + i * 12, type.size === 8 ? placeholder : (findInt(btf) ?? placeholder));
          edit.set(id, 20 + i * 12, 0);
        }
        break;
      default:
    }
  }
  return edit?.bytes();
}
