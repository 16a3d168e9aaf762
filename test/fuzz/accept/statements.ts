// Statements.
import { constantOf, spelled } from "./declarations.ts";
import type { Gen, Variable } from "./gen.ts";
import { cast, indexBelow, integer, intFor, unsigned } from "./integers.ts";
import { loop } from "./loops.ts";
import { aggregate, mapStatement, ringStatement } from "./map-statements.ts";
import { fits } from "./number.ts";
import { annotation, BOOL, I64, INTS, type Int, type Type, U8, U64, valueType } from "./types.ts";
import { boolean, call, condition, existence, valueFor } from "./values.ts";

/** How deep expressions are. */
export function depthHere(g: Gen): number {
  return g.random.weighted([
    [3, 1],
    [5, 2],
    [2, 3],
  ]);
}

export function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

/** Some statements, as lines. */
export function statements(g: Gen, least: number, most: number): string[] {
  const lines: string[] = [];
  for (let i = g.random.between(least, most); i > 0 && g.budget > 0; i--) {
    g.budget--;
    lines.push(...statement(g));
  }
  return lines;
}

/** A block with at least one statement. */
export function blockOf(g: Gen, most: number, first: readonly string[] = []): string[] {
  return g.block(() => {
    const lines = [...first, ...statements(g, 1, most)];
    return indented(lines.length > 0 ? lines : [leaf(g)]);
  });
}

/** A statement that is always possible. */
function leaf(g: Gen): string {
  return assignment(g) ?? aggregate(g);
}

function statement(g: Gen): string[] {
  const { random } = g;
  const nests = g.depth < 4 && g.budget > 1 ? 1 : 0;
  const inLoop = g.loops.length > 0 ? 1 : 0;
  return random.weighted<() => string[]>([
    [14, () => [declaration(g)]],
    [16, () => [assignment(g) ?? declaration(g)]],
    [10 * nests, () => branch(g)],
    [3 * nests, () => switched(g)],
    [9 * nests, () => loop(g) ?? branch(g)],
    [16, () => mapStatement(g) ?? [aggregate(g)]],
    [6, () => [aggregate(g)]],
    [5, () => ringStatement(g)],
    [4 * inLoop, () => [leave(g)]],
    [1, () => [returned(g)]],
    [g.profile.callsNumbersOnly ? 12 : 4, () => [callStatement(g) ?? declaration(g)]],
    [3, () => maybe(g)],
    [2, () => [printed(g)]],
    [2 * nests, () => guarded(g)],
    [1, () => [destructured(g) ?? declaration(g)]],
    [1 * nests, () => plainBlock(g)],
  ])();
}

function plainBlock(g: Gen): string[] {
  g.use("block");
  return ["{", ...blockOf(g, 3), "}"];
}

/** `const x = …`, `let x: u32 = …`, of all kinds. */
export function declaration(g: Gen): string {
  const { random } = g;
  const name = g.name("v");
  const depth = depthHere(g);
  const mutable = random.chance(55);
  const word = mutable ? "let" : "const";
  const form = random.below(12);
  if (form < 3) {
    const num = integer(g, depth);
    if (num.literal === undefined && !num.mixed && (num.plain || !mutable)) {
      g.use(`${word} without annotation`);
      const type: Int = num.plain
        ? num.signed
          ? I64
          : U64
        : (INTS.find(({ bits, signed }) => bits === num.bits && signed === num.signed) as Int);
      const range = mutable ? {} : { lo: num.lo, hi: num.hi };
      g.variables.push({ text: name, type, mutable, ...(num.plain && { plain: true, ...range }) });
      return `${word} ${name} = ${num.text};`;
    }
  }
  if (form === 3) {
    g.use("let of a literal");
    const value = random.chance(80) ? BigInt(random.below(1000)) : -BigInt(random.between(1, 1000));
    g.variables.push({ text: name, type: value < 0n ? I64 : U64, mutable: true, plain: true });
    return `let ${name} = ${value};`;
  }
  if (form < 9) {
    const type = random.pick(INTS);
    g.use(`${word} ${type.word}`);
    const written = intFor(g, type, depth);
    g.variables.push({ text: name, type, mutable });
    return `${word} ${name}: ${type.word} = ${written};`;
  }
  if (form === 9) {
    g.use(`${word} boolean`);
    // What is known to be true or false would be decided for tsc: there must be something that is not.
    const written = random.chance(50) ? `(pid() > ${random.below(50)}) === ${boolean(g, depth)}` : boolean(g, depth);
    const isDecided = written === "true" || written === "false";
    g.variables.push({ text: name, type: BOOL, mutable });
    return `${word} ${name}${random.chance(50) && !isDecided ? ": boolean" : ""} = ${isDecided ? `bool(${written})` : written};`;
  }
  return aggregateDeclaration(g, name, mutable, depth);
}

function aggregateDeclaration(g: Gen, name: string, mutable: boolean, depth: number): string {
  const { random } = g;
  const word = mutable ? "let" : "const";
  const type: Type = random.weighted<() => Type>([
    [3, () => random.pick(g.structs)],
    [2, () => ({ kind: "str", size: random.pick([4, 8, 12, 16]) })],
    [2, () => ({ kind: "bytes", size: random.pick([1, 3, 4, 6, 8]) })],
  ])();
  g.use(`${word} ${type.kind}`);
  const written = valueFor(g, type, depth);
  g.variables.push({ text: name, type, mutable });
  return `${word} ${name}: ${annotation(type)} = ${written};`;
}

const UPDATES = ["+", "-", "*", "&", "|", "^", "<<", ">>", ">>>", "/", "%"] as const;

/** Gives a variable, a field, an element, a global another value; undefined where nothing can be given one. */
export function assignment(g: Gen): string | undefined {
  const { random } = g;
  const depth = depthHere(g);
  const kind = random.weighted<"int" | "bool" | "str" | "bytes" | "array" | "struct">([
    [16, "int"],
    [3, "bool"],
    [2, "str"],
    [3, "bytes"],
    [3, "array"],
    [2, "struct"],
  ]);
  const cells = g.cells.filter(({ type }) => type.kind === kind);
  if (kind === "int" && cells.length > 0 && random.chance(30)) {
    const cell = random.pick(cells);
    g.use("cell.value written");
    return intAssignment(
      g,
      { text: `${cell.text}.value`, type: cell.type as Int, mutable: true, inPlace: true },
      depth,
    );
  }
  const inside = kind === "bytes" || kind === "array";
  const places = g.places(kind).filter(({ mutable, inPlace }) => mutable || (inside && inPlace === true));
  if (places.length === 0) return undefined;
  // Variables that arithmetic is done with in place are few among all that can be assigned to.
  const wide = places.filter(
    ({ type, text, inPlace }) => type.kind === "int" && type.bits === 64 && inPlace !== true && !/[.[]/.test(text),
  );
  const place = random.pick<Variable>(wide.length > 0 && random.chance(60) ? wide : places);
  switch (place.type.kind) {
    case "int":
      return intAssignment(g, place as Variable & { type: Int }, depth);
    case "bytes":
    case "array": {
      if (place.text.startsWith("ctx")) return undefined;
      if (place.mutable && random.chance(20)) break;
      const length = place.type.kind === "array" ? place.type.length : place.type.size;
      const of = place.type.kind === "array" ? place.type.of : U8;
      if (of.kind === "struct") return undefined;
      g.use(`${place.type.kind}[i] written`);
      const element = { text: `${place.text}[${indexBelow(g, length, 1)}]`, mutable: true, inPlace: true } as const;
      if (of.kind === "int") return intAssignment(g, { ...element, type: of }, depth);
      return `${element.text} = ${valueFor(g, of, depth)};`;
    }
    default:
  }
  g.use(`${place.type.kind} assigned`);
  const written = valueFor(g, place.type, depth);
  return `${place.text} = ${written};`;
}

function intAssignment(g: Gen, place: Variable & { readonly type: Int }, depth: number): string {
  const { random } = g;
  const type = valueType(place.type);
  const inMemory = place.inPlace === true || place.text.includes(".") || place.text.includes("[");
  // What a variable without a type holds is of the sign of what it is given, not of the sign that would do.
  const written = (deep: number): string =>
    place.plain === true ? cast(g, type.signed ? I64 : U64, deep).text : intFor(g, type, deep);
  if (random.chance(inMemory ? 40 : 20)) {
    g.use(inMemory ? "= in memory" : "= of a variable");
    return `${place.text} = ${written(depth)};`;
  }
  // In memory what does not fit is cut off; of a variable it would have to be proven.
  const wraps = inMemory || type.bits === 64;
  if (!wraps) {
    g.use("= of a variable");
    return `${place.text} = ${written(depth)};`;
  }
  if (random.chance(25)) {
    const symbol = random.pick(["++", "--"]);
    g.use(`x${symbol}`);
    return random.chance(80) ? `${place.text}${symbol};` : `${symbol}${place.text};`;
  }
  const symbol = random.pick(UPDATES);
  const isShift = symbol === "<<" || symbol === ">>" || symbol === ">>>";
  const keepsSign = !(symbol === ">>>" && type.signed) && !(symbol === "&" && type.signed);
  if (!keepsSign) {
    g.use(inMemory ? "= in memory" : "= of a variable");
    return `${place.text} = ${written(depth)};`;
  }
  const num = integer(g, depth - 1);
  let by = num.text;
  if (isShift) by = num.literal === undefined ? `(${num.text} & 63)` : String(random.below(64));
  else if (symbol === "/" || symbol === "%")
    by = num.literal === undefined ? cast(g, type.signed ? I64 : U64, 1, num).text : String(random.between(1, 50));
  else if (num.mixed || num.signed !== type.signed || num.literal !== undefined) by = written(1);
  if ((symbol === "/" || symbol === "%") && /^(0|0x0|0b0|-0)$/.test(by)) by = "3";
  g.use(`${symbol}= ${inMemory ? "in memory" : "of a variable"}`);
  return `${place.text} ${symbol}= ${by};`;
}

function branch(g: Gen): string[] {
  const { random } = g;
  const known = random.chance(4) ? existence(g) : undefined;
  const lines = [`if (${known ?? condition(g, depthHere(g))}) {`, ...blockOf(g, 4)];
  g.use("if");
  while (random.chance(20)) {
    lines.push(`} else if (${condition(g, 2)}) {`, ...blockOf(g, 2));
    g.use("else if");
  }
  if (random.chance(40)) {
    lines.push("} else {", ...blockOf(g, 3));
    g.use("else");
  }
  return [...lines, "}"];
}

function switched(g: Gen): string[] {
  const { random } = g;
  g.use("switch");
  const on = integer(g, 2);
  const text = on.literal === undefined ? on.text : unsigned(g, 1);
  const lines = [`switch (${text}) {`];
  const values = new Set<bigint>();
  for (let i = random.between(1, 4); i > 0; i--)
    values.add(BigInt(random.below(6)) + (random.chance(10) ? constantOf(g, U8) : 0n));
  const defaultAt = random.chance(60) ? random.below(values.size + 1) : -1;
  g.loops.push({ label: undefined, isSwitch: true });
  let n = 0;
  const body = (): void => {
    if (random.chance(12)) {
      g.use("case shared");
      if (n !== defaultAt) return;
    }
    lines.push(...indented(["{", ...blockOf(g, 2), "}"]));
    if (random.chance(75)) lines.push("    break;");
    else g.use("fall through");
  };
  for (const value of values) {
    if (n === defaultAt) {
      lines.push("  default:");
      g.use("default");
      body();
    }
    lines.push(`  case ${random.chance(10) ? spelled(g, value) : value}:`);
    body();
    n++;
  }
  if (defaultAt === n) {
    lines.push("  default:");
    g.use("default");
    body();
  }
  g.loops.pop();
  return [...lines, "}"];
}

/** `break` and `continue`, under a condition. */
function leave(g: Gen): string {
  const { random } = g;
  const loops = g.loops.filter(({ isSwitch }) => !isSwitch);
  const labelled = loops.filter(({ label }) => label !== undefined);
  const inner = g.loops.at(-1);
  const test = condition(g, 2);
  if (labelled.length > 0 && random.chance(50)) {
    const word = random.pick(["break", "continue"]);
    g.use(`${word} label`);
    return `if (${test}) ${word} ${random.pick(labelled).label};`;
  }
  const word = inner?.isSwitch && loops.length === 0 ? "break" : random.pick(["break", "continue"]);
  g.use(word);
  return `if (${test}) ${word};`;
}

function returned(g: Gen): string {
  const test = condition(g, 2);
  g.use("return under a condition");
  return `if (${test}) return${result(g)};`;
}

/** What stands behind `return`. */
export function result(g: Gen): string {
  if (g.result === undefined) return "";
  return ` ${g.result.kind === "bool" ? boolean(g, 2) : intFor(g, g.result, 2)}`;
}

function callStatement(g: Gen): string | undefined {
  const functions = [...g.callable(undefined), ...g.callable("int")];
  if (functions.length === 0) return undefined;
  g.use("call as a statement");
  return `${call(g, g.random.pick(functions), 2)};`;
}

/** `let x: u64 | undefined = …`, and what is done with it. */
function maybe(g: Gen): string[] {
  const { random } = g;
  const mutable = g.maybes.filter((one) => one.mutable);
  if (mutable.length > 0 && random.chance(40)) {
    const { name, type } = random.pick(mutable);
    g.use("optional assigned");
    return [random.chance(25) ? `${name} = undefined;` : `${name} = ${intFor(g, type, 2)};`].concat(
      // What it was assigned is known to tsc: a turn of a loop makes it forget.
      [`for (const _ of range(1)) if (pid() === 0) ${name} = undefined;`],
    );
  }
  const name = g.name("o");
  const hashes = g.hashes.filter(({ value }) => value.kind === "int");
  if (hashes.length > 0 && random.chance(70)) {
    const map = random.pick(hashes);
    g.use("const x = map.get()");
    const line = `const ${name} = ${map.name}.get(${valueFor(g, map.key, 2)});`;
    g.maybes.push({ name, type: map.value as Int, mutable: false });
    return random.chance(50) && g.budget > 1 && g.depth < 4 ? [line, ...narrowed(g, name, map.value as Int)] : [line];
  }
  const type = random.pick(INTS);
  g.use("let x: T | undefined");
  const test = boolean(g, 1);
  const line = `let ${name}: ${type.word} | undefined = ${test} ? ${intFor(g, type, 1)} : undefined;`;
  g.maybes.push({ name, type, mutable: true });
  return [line];
}

/** A test of an optional, and statements that know its outcome. */
function narrowed(g: Gen, name: string, type: Int): string[] {
  const { random } = g;
  const known = { text: name, type, mutable: false } as const;
  const without = g.maybes.filter((one) => one.name !== name);
  switch (random.below(3)) {
    case 0: {
      g.use("if (x === undefined) return");
      const line = `if (${name} === undefined) return${result(g)};`;
      g.maybes = without;
      g.variables.push(known);
      return [line];
    }
    case 1: {
      g.use("if (x !== undefined)");
      const lines = [`if (${name} !== undefined) {`];
      g.block(() => {
        g.maybes = without;
        g.variables.push(known);
        lines.push(...blockOf(g, 3));
      });
      return [...lines, "}"];
    }
    default: {
      g.use("if (x === undefined) else");
      const lines = [
        `if (${name} === undefined) {`,
        ...g.block(() => {
          g.maybes = without;
          return blockOf(g, 2);
        }),
        "} else {",
      ];
      g.block(() => {
        g.maybes = without;
        g.variables.push(known);
        lines.push(...blockOf(g, 3));
      });
      return [...lines, "}"];
    }
  }
}

function printed(g: Gen): string {
  const { random } = g;
  const part = (): string => {
    if (random.chance(25)) return boolean(g, 1);
    const num = integer(g, 1);
    return num.mixed ? `u64(${num.text})` : num.text;
  };
  if (random.chance(50)) {
    g.use("print template");
    return `print(\`${random.pick(["a", "value", ""])} \${${part()}} and \${${part()}}\`);`;
  }
  g.use("print");
  return `print(${[JSON.stringify("text"), part(), "comm()"].slice(0, random.between(1, 3)).join(", ")});`;
}

/** A test that a number is small, and what is done with it as an index. */
function guarded(g: Gen): string[] {
  const { random } = g;
  const numbers = g.variables.filter(
    ({ type, mutable, inPlace }) => type.kind === "int" && !type.signed && !mutable && inPlace !== true,
  );
  if (numbers.length === 0) return branch(g);
  const { text, type, plain } = random.pick(numbers);
  const known = plain || type.kind !== "int" ? { text } : { text, type: valueType(type) };
  const below = random.pick([1, 2, 3, 4, 7, 16, 100]);
  if (random.chance(30) && g.result !== undefined) {
    g.use("guard by return");
    const line = `if (${text} >= ${below}) return${result(g)};`;
    g.indices.push({ ...known, below });
    return [line];
  }
  g.use("guard by if");
  const lines = [`if (${text} < ${below}) {`];
  g.block(() => {
    g.indices.push({ ...known, below });
    lines.push(...blockOf(g, 3));
  });
  return [...lines, "}"];
}

function destructured(g: Gen): string | undefined {
  const structs = g.variables.filter(({ type }) => type.kind === "struct");
  if (structs.length === 0) return undefined;
  const of = g.random.pick(structs);
  if (of.type.kind !== "struct") return undefined;
  const fields = of.type.fields.filter(({ type }) => type.kind === "int" || type.kind === "bool");
  if (fields.length === 0) return undefined;
  g.use("destructuring");
  const parts = fields.slice(0, 2).map(({ name, type }) => {
    const own = g.name("d");
    g.variables.push({ text: own, type: type.kind === "int" ? valueType(type) : type, mutable: false });
    return `${name}: ${own}`;
  });
  return `const { ${parts.join(", ")} } = ${of.text};`;
}

export { fits };
