// Statements that write maps and rings.
import type { Gen, Ring } from "./gen.ts";
import { indexBelow, integer } from "./integers.ts";
import { setCall } from "./map-values.ts";
import { depthHere, indented, statements } from "./statements.ts";
import { type Int, sizeOf, type Type, U64, valueType } from "./types.ts";
import { boolean, object, valueFor } from "./values.ts";

/** What is done with a map; some lines. */
export function mapStatement(g: Gen): string[] | undefined {
  const { random } = g;
  const choice = random.below(10);
  if (choice < 3) return [written(g) ?? arraySet(g)];
  if (choice < 5) return [arraySet(g)];
  if (choice < 6) return [globalStatement(g) ?? arraySet(g)];
  if (choice < 7) return storage(g) ?? inPlace(g);
  return inPlace(g);
}

function written(g: Gen): string | undefined {
  const { random } = g;
  const maps = g.hashes.filter(({ byValue }) => byValue);
  if (maps.length === 0) return undefined;
  const map = random.pick(maps);
  if (random.chance(20)) {
    g.use("map.delete()");
    return `${map.name}.delete(${valueFor(g, map.key, depthHere(g) - 1)});`;
  }
  g.use("map.set()");
  return `${setCall(g, map, depthHere(g))};`;
}

function arraySet(g: Gen): string {
  const { random } = g;
  const map = random.pick(g.arrays);
  const depth = depthHere(g);
  const index = indexBelow(g, map.length, 1);
  if (map.value.kind === "int" && random.chance(50)) {
    const type = map.value;
    if (type.bits >= 32 && random.chance(60)) {
      g.use("array.ref().add()");
      return `${map.name}.ref(${index}).add(${amount(g, depth)});`;
    }
    g.use("array.ref().value =");
    return `${map.name}.ref(${index}).value = ${valueFor(g, type, depth)};`;
  }
  if (map.value.kind === "struct" && random.chance(60)) {
    const field = random.pick(map.value.fields);
    g.use("array.get().field =");
    return `${map.name}.${random.pick(["get", "ref"])}(${index}).${field.name} = ${valueFor(g, field.type, depth)};`;
  }
  g.use("array.set()");
  return `${map.name}.set(${index}, ${valueFor(g, map.value, depth)});`;
}

/** What is added to a cell: any number. */
function amount(g: Gen, depth: number): string {
  const num = integer(g, depth - 1);
  return num.mixed ? `u64(${num.text})` : num.text;
}

function globalStatement(g: Gen): string | undefined {
  const { random } = g;
  const globals = g.globals.filter(
    ({ type }) => type.kind === "int" && ["u32", "u64", "i32", "i64"].includes(type.word),
  );
  if (globals.length === 0) return undefined;
  const { name, type } = random.pick(globals);
  if (g.profile.fetchAtomics && random.chance(30)) {
    g.use("global.xchg() as a statement");
    return `${name}.xchg(${valueFor(g, type, 2)});`;
  }
  g.use("global.add()");
  return `${name}.add(${amount(g, depthHere(g))});`;
}

/** A value in place: it is looked for, tested, and used. */
function inPlace(g: Gen): string[] {
  const { random } = g;
  if (g.budget <= 1 || g.depth >= 5) return [arraySet(g)];
  const isArray = random.chance(30);
  const hashes = g.hashes.filter(({ byValue }) => !byValue);
  if (isArray || hashes.length === 0) return [arrayInPlace(g)];
  const map = random.pick(hashes);
  const name = g.name("r");
  const key = valueFor(g, map.key, depthHere(g) - 1);
  const method = random.weighted([
    [5, "getOrInsert"],
    [4, "ref"],
    [map.value.kind === "struct" ? 4 : 0, "get"],
  ] as const);
  g.use(`map.${method}()`);
  const first = method === "getOrInsert" && random.chance(60) ? `, ${valueFor(g, map.value, 1)}` : "";
  const line = `const ${name} = ${map.name}.${method}(${key}${first});`;
  const narrow = (): void => bind(g, name, map.value);
  if (random.chance(30)) {
    g.use("if (!reference) return");
    const test = random.pick([`!${name}`, `${name} === undefined`]);
    const back = g.result === undefined ? "" : ` ${g.result.kind === "bool" ? "pid() > 5" : "0"}`;
    narrow();
    return [line, `if (${test}) return${back};`, use(g, name, map.value)];
  }
  g.use("if (reference)");
  const lines = [line, `if (${random.pick([name, `${name} !== undefined`])}) {`];
  g.block(() => {
    narrow();
    lines.push(...indented([use(g, name, map.value), ...statements(g, 0, 3)]));
  });
  return [...lines, "}"];
}

function arrayInPlace(g: Gen): string {
  const map = g.random.pick(g.arrays);
  const name = g.name("r");
  const method = map.value.kind === "struct" ? g.random.pick(["get", "ref"]) : "ref";
  g.use(`const x = array.${method}()`);
  const index = indexBelow(g, map.length, 1);
  bind(g, name, map.value);
  return `const ${name} = ${map.name}.${method}(${index});`;
}

/** A name for a value in place. */
function bind(g: Gen, text: string, type: Type): void {
  if (type.kind === "int" || type.kind === "bool") g.cells.push({ text, type });
  else g.variables.push({ text, type, mutable: true, inPlace: true });
}

/** Does something with a value in place. */
function use(g: Gen, name: string, type: Type): string {
  const { random } = g;
  const depth = depthHere(g);
  if (type.kind === "struct") {
    const field = random.pick(type.fields);
    if (field.type.kind === "int" && random.chance(50)) {
      g.use("reference.field +=");
      return `${name}.${field.name} += ${sameSign(g, field.type)};`;
    }
    g.use("reference.field =");
    return `${name}.${field.name} = ${valueFor(g, field.type, depth)};`;
  }
  if (type.kind === "int" && type.bits >= 32 && random.chance(60)) {
    g.use("cell.add()");
    return `${name}.add(${amount(g, depth)});`;
  }
  if (type.kind === "int" || type.kind === "bool") {
    g.use("cell.value =");
    return `${name}.value = ${valueFor(g, type, depth)};`;
  }
  if (type.kind === "array") {
    g.use("reference[i] =");
    return `${name}[${indexBelow(g, type.length, 1)}] = ${valueFor(g, type.of, depth)};`;
  }
  g.use("counted");
  return aggregate(g);
}

function sameSign(g: Gen, type: Int): string {
  return valueFor(g, valueType(type), 1);
}

function storage(g: Gen): string[] | undefined {
  if (g.storages.length === 0 || g.budget <= 1) return undefined;
  const { random } = g;
  const { name: map, type } = random.pick(g.storages);
  if (random.chance(10)) {
    g.use("taskStorage.delete()");
    return [`${map}.delete(task());`];
  }
  const name = g.name("r");
  const method = random.pick(["get", "getOrInsert", "getOrInsert"]);
  g.use(`taskStorage.${method}()`);
  return [
    `const ${name} = ${map}.${method}(task());`,
    `if (${name}) {`,
    ...g.block(() => {
      bind(g, name, type);
      return indented([use(g, name, type)]);
    }),
    "}",
  ];
}

/** Something is counted. */
export function aggregate(g: Gen): string {
  const { random } = g;
  const { name, key, word } = random.pick(g.aggregations);
  const depth = depthHere(g);
  const args = key === undefined ? [] : [valueFor(g, key, 1)];
  g.use(`${word} recorded${key === undefined ? "" : " by key"}`);
  if (word === "counter" && random.chance(60)) return `${name}.inc(${args.join(", ")});`;
  const num = integer(g, depth);
  args.push(num.mixed ? `i64(${num.text})` : num.text);
  return `${name}.${word === "counter" || word === "sum" ? "add" : "record"}(${args.join(", ")});`;
}

/** An event: at once, or its record reserved, written and handed over. */
export function ringStatement(g: Gen): string[] {
  const { random } = g;
  const ring: Ring = random.pick(g.rings);
  if (ring.isMixed && random.chance(35) && sizeOf(ring.event) <= MOST_ZEROS) return output(g, ring);
  const [type, types] = ring.isMixed ? [`${ring.event.name}, `, ring.event.name] : ["", ""];
  if (ring.isMixed) g.use("record of a named type");
  if (random.chance(60) || g.budget <= 1 || g.depth >= 5) {
    g.use("ring.emit()");
    const call = `${ring.name}.emit(${type}${object(g, ring.event, depthHere(g))})`;
    return random.chance(15) ? [`if (!${call}) ${aggregate(g)}`] : [`${call};`];
  }
  g.use("ring.reserve()");
  const name = g.name("q");
  const lines = [`const ${name} = ${ring.name}.reserve(${types});`, `if (${name}) {`];
  g.block(() => {
    g.variables.push({ text: name, type: ring.event, mutable: true, inPlace: true });
    const inner: string[] = [];
    for (const { name: field, type } of ring.event.fields)
      if (random.chance(70)) inner.push(`${name}.${field} = ${valueFor(g, type, 2)};`);
    inner.push(...statements(g, 0, 2));
    switch (random.below(4)) {
      case 0:
        g.use("record given back by itself");
        break;
      case 1:
        g.use("record.discard()");
        inner.push(`if (${boolean(g, 1)}) ${name}.discard();`, `else ${name}.submit();`);
        break;
      default:
        g.use("record.submit()");
        inner.push(`${name}.submit();`);
    }
    lines.push(...indented(inner));
  });
  return [...lines, "}"];
}

/** Bytes of a value of zeros at most: it stands on the stack. */
const MOST_ZEROS = 96;

/** A value of zeros, written in part, of which so many bytes are sent as a program finds out when it runs. */
function output(g: Gen, { name: ring, event }: Ring): string[] {
  const { random } = g;
  g.use("zeros()");
  g.use("records.output()");
  const name = g.name("q");
  const lines = [`const ${name} = zeros(${event.name});`];
  for (const { name: field, type } of event.fields)
    if (random.chance(50)) lines.push(`${name}.${field} = ${valueFor(g, type, 1)};`);
  const size = leastSize(event);
  let length = "";
  if (random.chance(30)) length = `, ${random.below(size + 1)}`;
  else if (random.chance(80)) {
    g.use("records.output() of a length that is computed");
    length = `, min(u64(${integer(g, 1).text}), ${size})`;
  }
  const call = `${ring}.output(${name}${length})`;
  lines.push(random.chance(25) ? `if (!${call}) ${aggregate(g)}` : `${call};`);
  return ["{", ...indented(lines), "}"];
}

/** The bytes of a value's parts, without what stands between them. */
function leastSize(type: Type): number {
  if (type.kind === "array") return leastSize(type.of) * type.length;
  return type.kind === "struct" ? type.fields.reduce((sum, field) => sum + leastSize(field.type), 0) : sizeOf(type);
}

export { U64 };
