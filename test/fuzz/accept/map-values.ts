// What expressions read from maps.
import { constantOf } from "./declarations.ts";
import type { ArrayMap, Gen, HashMap } from "./gen.ts";
import { coalesced, indexBelow } from "./integers.ts";
import { literal, type Num, typed } from "./number.ts";
import { type Int, type Struct, sameType, valueType } from "./types.ts";
import { valueFor } from "./values.ts";

export function mapNumber(g: Gen, depth: number): Num | undefined {
  const { random } = g;
  const hashes = g.hashes.filter(({ value }) => value.kind === "int");
  const records = g.hashes.filter(({ value }) => value.kind === "struct");
  const arrays = g.arrays.filter(({ value }) => value.kind === "int");
  const rows = g.arrays.filter(({ value }) => value.kind === "struct");
  const form = random.below(5);
  if (form === 0 && arrays.length > 0) {
    const map = random.pick(arrays);
    g.use("array.get()");
    return typed(`${map.name}.get(${indexBelow(g, map.length, depth - 1)})`, map.value as Int);
  }
  if (form === 1 && rows.length > 0) {
    const map = random.pick(rows);
    const field = random.pick((map.value as Struct).fields);
    if (field.type.kind !== "int") return undefined;
    g.use("array.get().field");
    return typed(`${map.name}.get(${indexBelow(g, map.length, depth - 1)}).${field.name}`, valueType(field.type));
  }
  if (form === 2 && records.length > 0) {
    const map = random.pick(records);
    const field = random.pick((map.value as Struct).fields);
    if (field.type.kind !== "int") return undefined;
    const type = valueType(field.type);
    const other = literal(constantOf(g, type));
    g.use("map.get()?.field ?? x");
    return coalesced(`(${lookup(g, map, depth)}?.${field.name} ?? ${other.text})`, type, other);
  }
  if (form === 3 && g.profile.fetchAtomics) return exchanged(g, depth);
  if (hashes.length === 0) return undefined;
  const map = random.pick(hashes);
  const type = map.value as Int;
  const other = literal(constantOf(g, type));
  g.use("map.get() ?? x");
  return coalesced(`(${lookup(g, map, depth)} ?? ${other.text})`, type, other);
}

function lookup(g: Gen, map: HashMap, depth: number): string {
  return `${map.name}.get(${valueFor(g, map.key, depth - 1)})`;
}

/** What a place held before another value was put there. */
function exchanged(g: Gen, depth: number): Num | undefined {
  if (g.unordered) return undefined;
  const { random } = g;
  const wide = (type: { kind: string; bits?: number; word?: string }) => type.kind === "int" && (type.bits ?? 0) >= 32;
  const cells = [
    ...g.cells.filter(({ type }) => wide(type)),
    ...g.globals
      .filter(({ type }) => wide(type) && ["u32", "u64", "i32", "i64"].includes((type as Int).word))
      .map(({ name, type }) => ({ text: name, type: type as Int })),
    ...g.arrays
      .filter(({ value }) => wide(value))
      .map((map) => ({ text: `${map.name}.ref(${g.random.below(map.length)})`, type: map.value as Int })),
  ];
  if (cells.length === 0) return undefined;
  const cell = random.pick(cells);
  const type = cell.type as Int;
  if (random.chance(50)) {
    g.use("cell.xchg()");
    return typed(`${cell.text}.xchg(${valueFor(g, type, depth - 1)})`, type);
  }
  g.use("cell.cas()");
  return typed(`${cell.text}.cas(${valueFor(g, type, depth - 1)}, ${valueFor(g, type, depth - 1)})`, type);
}

export function mapBoolean(g: Gen, depth: number): string | undefined {
  const { random } = g;
  if (g.hashes.length === 0) return undefined;
  const map = random.pick(g.hashes);
  const form = g.unordered ? 0 : random.below(4);
  if (form === 1 && map.byValue && map.value.kind !== "array") {
    g.use("map.set() looked at");
    return setCall(g, map, depth);
  }
  if (form === 2 && map.byValue) {
    g.use("map.delete() looked at");
    return `${map.name}.delete(${valueFor(g, map.key, depth - 1)})`;
  }
  if (form === 3) {
    g.use("map.get() === undefined");
    return `(${lookup(g, map, depth)} ${random.pick(["===", "!=="])} undefined)`;
  }
  g.use("map.has()");
  return `${map.name}.has(${valueFor(g, map.key, depth - 1)})`;
}

export function setCall(g: Gen, map: HashMap, depth: number): string {
  const { random } = g;
  const mode = random.chance(30) ? random.pick(["any", "noexist", "exist"]) : undefined;
  if (mode !== undefined) g.use(`map.set() ${mode}`);
  const value = valueFor(g, map.value, depth - 1);
  return `${map.name}.set(${valueFor(g, map.key, depth - 1)}, ${value}${mode === undefined ? "" : `, "${mode}"`})`;
}

/** A struct that an array map has. */
export function structInPlace(g: Gen, type: Struct): string | undefined {
  const maps: readonly ArrayMap[] = g.arrays.filter(({ value }) => sameType(value, type));
  if (maps.length === 0) return undefined;
  const map = g.random.pick(maps);
  g.use("struct of array.get()");
  return `${map.name}.get(${indexBelow(g, map.length, 0)})`;
}
