// Expressions that give booleans, texts, bytes, arrays, structs; calls.
import { textOf } from "./declarations.ts";
import type { Func, Gen, Variable } from "./gen.ts";
import { cast, indexBelow, integer, intFor, nonLiteral } from "./integers.ts";
import { mapBoolean, structInPlace } from "./map-values.ts";
import { commonSign, type Num } from "./number.ts";
import { I64, type Struct, sameType, type Type, U64, valueType } from "./types.ts";

const COMPARISONS = ["<", "<=", ">", ">=", "===", "!=="] as const;

export function boolean(g: Gen, depth: number): string {
  const { random } = g;
  const deep = depth > 0 ? 1 : 0;
  return random.weighted<() => string>([
    [14, () => comparison(g, depth)],
    [5, () => placeOf(g, "bool") ?? comparison(g, depth)],
    [1, () => `bool(${random.below(2)})`],
    [5 * deep, () => joined(g, "&&", depth)],
    [5 * deep, () => joined(g, "||", depth)],
    [4 * deep, () => negated(g, depth)],
    [4, () => textTest(g)],
    [3, () => mapBoolean(g, depth) ?? textTest(g)],
    [2, () => maybeTest(g) ?? comparison(g, depth)],
    [1 * deep, () => conditional(g, depth)],
    [1 * deep, () => equality(g, depth)],
    [2 * deep, () => calledBoolean(g, depth) ?? comparison(g, depth)],
    [1 * deep, () => toBoolean(g, depth)],
  ])();
}

/** What is known when the program is compiled: whether the kernel has something; undefined where its types are not known. */
export function existence(g: Gen): string | undefined {
  if (!g.profile.task) return undefined;
  const isMember = g.random.chance(50);
  g.use(`exists of a ${isMember ? "member" : "function"}`);
  const members = ["task().pid", "task().real_parent.tgid", "task().no_such_member", "task().real_parent.no_such"];
  return `exists(${g.random.pick(isMember ? members : ['"vfs_read"', '"no_such_function"'])})`;
}

function toBoolean(g: Gen, depth: number): string {
  g.use("bool(integer)");
  return `bool(${integer(g, depth - 1).text})`;
}

function joined(g: Gen, symbol: "&&" | "||", depth: number): string {
  g.use(symbol);
  return `(${boolean(g, depth - 1)} ${symbol} ${boolean(g, depth - 1)})`;
}

function negated(g: Gen, depth: number): string {
  g.use("!");
  return `!${boolean(g, depth - 1)}`;
}

function conditional(g: Gen, depth: number): string {
  g.use("?: of booleans");
  return `(${boolean(g, depth - 1)} ? ${boolean(g, depth - 1)} : ${comparison(g, depth - 1)})`;
}

function equality(g: Gen, depth: number): string {
  g.use("=== of booleans");
  // What is written as a literal would be decided for tsc.
  // As a test, `exists` decides which way is compiled: numbers would have the range of that one only.
  const left = (g.random.chance(20) ? existence(g) : undefined) ?? comparison(g, depth - 1);
  return `(${left} ${g.random.pick(["===", "!=="])} ${comparison(g, depth - 1)})`;
}

/** A comparison of two numbers that one type holds, and that is not decided by their types. */
export function comparison(g: Gen, depth: number): string {
  const { random } = g;
  const symbol = random.pick(COMPARISONS);
  const left = nonLiteral(g, depth - 1);
  let right = integer(g, depth - 1);
  if (commonSign(left, right) === undefined)
    right = right.literal === undefined ? cast(g, left.signed ? I64 : U64, depth, right) : small(g);
  const decided = right.literal !== undefined && !left.signed && (right.literal < 0n || right.literal === 0n);
  if (decided && symbol !== "===" && symbol !== "!==") right = { ...small(g) };
  else if (right.literal !== undefined && right.literal < 0n && !left.signed) right = small(g);
  g.use(`${symbol} ${left.signed === right.signed ? (left.signed ? "i" : "u") : "mixed"}`);
  return `(${left.text} ${symbol} ${right.text})`;
}

function small(g: Gen): Num {
  const value = BigInt(g.random.between(1, 100));
  return { text: String(value), bits: 64, signed: false, plain: true, literal: value, lo: value, hi: value };
}

/** What an `if` tests: a boolean, or what is not zero. */
export function condition(g: Gen, depth: number): string {
  const { random } = g;
  if (random.chance(85)) return boolean(g, depth);
  const num = integer(g, depth - 1);
  if (num.literal !== undefined) return boolean(g, depth);
  g.use("truth of an integer");
  return random.chance(50) ? num.text : `!${num.text}`;
}

export function placeOf(g: Gen, kind: "bool"): string | undefined {
  const places = g.places(kind);
  const cells = g.cells.filter(({ type }) => type.kind === kind).map((cell) => ({ text: `${cell.text}.value` }));
  const all = [...places, ...cells];
  if (all.length === 0) return undefined;
  g.use("boolean read");
  return g.random.pick(all).text;
}

function maybeTest(g: Gen): string | undefined {
  if (g.maybes.length === 0) return undefined;
  const { random } = g;
  const { name } = random.pick(g.maybes);
  if (random.chance(50)) {
    g.use("x !== undefined");
    return `(${name} ${random.pick(["===", "!=="])} undefined)`;
  }
  g.use("narrowing by && or ||");
  const limit = random.below(100) + 1;
  return random.chance(50)
    ? `(${name} !== undefined && ${name} > ${limit})`
    : `(${name} === undefined || ${name} < ${limit})`;
}

function textTest(g: Gen): string {
  const { random } = g;
  const places = g.places("str");
  const at = places.length > 0 && random.chance(75) ? random.pick(places) : undefined;
  const [name, size] = at === undefined ? ["comm()", 16] : [at.text, at.type.size];
  if (at === undefined) g.use("comm()");
  const written = () => JSON.stringify(size > 8 && random.chance(10) ? "accept" : textOf(g, size));
  switch (random.below(5)) {
    case 0:
      g.use("text.startsWith()");
      return `${name}.startsWith(${JSON.stringify(textOf(g, size).slice(0, 4))})`;
    case 1: {
      g.use("text[i] === character");
      const index = at?.text.startsWith("ctx") ? String(random.below(size)) : indexBelow(g, size, 0);
      return `(${name}[${index}] === ${JSON.stringify("abc x"[random.below(5)])})`;
    }
    case 2: {
      const others = places.filter((other) => other.type.size === size && other !== at);
      g.use(others.length > 0 ? "text === text" : "text === literal");
      const other = others.length > 0 ? random.pick(others).text : written();
      return `(${name} ${random.pick(["===", "!=="])} ${other})`;
    }
    case 3:
      g.use("text === literal");
      return `(${name} ${random.pick(["===", "!=="])} ${written()})`;
    default:
      g.use("truth of a text");
      return `(${name} !== "")`;
  }
}

function calledBoolean(g: Gen, depth: number): string | undefined {
  const functions = g.callable("bool");
  if (functions.length === 0) return undefined;
  g.use("call in an expression");
  return call(g, g.random.pick(functions), depth - 1);
}

export function call(g: Gen, callee: Func, depth: number): string {
  g.use("call");
  g.hasLoops ||= callee.loops;
  const { handing } = g;
  const args = callee.params.map((type) => {
    g.handing = type.kind === "struct";
    return valueFor(g, type, depth);
  });
  g.handing = handing;
  return `${callee.name}(${args.join(", ")})`;
}

/** A text of a size; `isRead`: to be looked at, so that a literal has no sense. */
export function text(g: Gen, size: number, depth: number, isRead = false): string {
  const { random } = g;
  const places = g.places("str").filter(({ type }) => type.size === size);
  if (places.length > 0 && random.chance(50)) {
    g.use("text copied");
    return random.pick(places).text;
  }
  if (size === 16 && (isRead || random.chance(50))) {
    if (g.profile.task && random.chance(30)) {
      g.use("kernelStr()");
      return "kernelStr(task().comm, 16)";
    }
    g.use("comm()");
    return "comm()";
  }
  if (isRead) return text(g, 16, depth, true);
  if (depth > 0 && random.chance(15)) {
    g.use("?: of texts");
    return `(${boolean(g, depth - 1)} ? ${text(g, size, 0)} : ${JSON.stringify(textOf(g, size))})`;
  }
  g.use("text literal");
  return JSON.stringify(textOf(g, size));
}

function elements(g: Gen, length: number, of: Type, depth: number): string {
  g.use("array literal");
  return `[${Array.from({ length }, () => valueFor(g, of, depth - 1)).join(", ")}]`;
}

export function object(g: Gen, struct: Struct, depth: number): string {
  g.use("object literal");
  const fields = [...struct.fields];
  // They are evaluated in the order they are written in, whatever the struct's is.
  if (g.random.chance(20)) fields.reverse();
  return `{ ${fields.map(({ name, type }) => `${name}: ${valueFor(g, type, depth - 1)}`).join(", ")} }`;
}

/** A value that goes where the type is wanted. */
export function valueFor(g: Gen, type: Type, depth: number): string {
  const { random } = g;
  switch (type.kind) {
    case "int":
      return intFor(g, valueType(type), Math.max(0, depth));
    case "bool":
      return boolean(g, Math.max(0, depth));
    case "str":
      return text(g, type.size, depth);
    default: {
      const same: readonly Variable[] = g.places(type.kind).filter((place) => sameType(place.type, type));
      if (same.length > 0 && random.chance(45)) {
        g.use(`${type.kind} copied`);
        return random.pick(same).text;
      }
      if (type.kind === "struct")
        return (random.chance(15) ? structInPlace(g, type) : undefined) ?? object(g, type, depth);
      if (type.kind === "bytes")
        return elements(g, type.size, { kind: "int", word: "u8", bits: 8, signed: false }, depth);
      return elements(g, type.length, type.of, depth);
    }
  }
}
