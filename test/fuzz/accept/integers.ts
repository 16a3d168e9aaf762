// Expressions that give integers.
import { constantOf, spelled } from "./declarations.ts";
import type { Gen, Variable } from "./gen.ts";
import { mapNumber } from "./map-values.ts";
import { commonSign, fits, greater, least, lesser, literal, most, type Num, plain, typed } from "./number.ts";
import { I64, INTS, type Int, type Type, U8, U16, U32, U64, valueType } from "./types.ts";
import { boolean, call, text } from "./values.ts";

/** Any integer. */
export function integer(g: Gen, depth: number): Num {
  const { random } = g;
  const deep = depth > 0 ? 1 : 0;
  return random.weighted<() => Num>([
    [6, () => anyLiteral(g)],
    [14, () => variable(g) ?? anyLiteral(g)],
    [4, () => helper(g)],
    [3, () => element(g) ?? helper(g)],
    [20 * deep, () => binary(g, depth)],
    [3 * deep, () => unary(g, depth)],
    [5 * deep, () => cast(g, random.pick(INTS), depth)],
    [4 * deep, () => conditional(g, depth)],
    [4 * deep, () => extreme(g, depth)],
    [3 * deep, () => bits(g, depth)],
    [6 * deep, () => mapNumber(g, depth) ?? variable(g) ?? anyLiteral(g)],
    [3 * deep, () => textNumber(g)],
    [2 * deep, () => absent(g, depth) ?? helper(g)],
    [6 * deep, () => called(g, depth) ?? helper(g)],
  ])();
}

/** One that goes where the type is wanted. */
export function intFor(g: Gen, type: Int, depth: number): string {
  const { random } = g;
  const to = valueType(type);
  if (random.chance(18)) return spelledFor(g, to);
  const num = integer(g, depth);
  if (fits(num, to)) {
    if (num.plain && num.literal === undefined && to.bits < 64) g.use("narrowing proven");
    return num.text;
  }
  if (!num.signed && !to.signed && !num.mixed && random.chance(35)) {
    const isMask = random.chance(60);
    const limit = most(to) < 1000n ? most(to) : BigInt(random.between(1, Number(most(to) & 0xffffn)));
    g.use(isMask ? "narrowing by &" : "narrowing by %");
    if (isMask) return `(${num.text} & ${limit})`;
    return num.literal === undefined ? `(${num.text} % ${limit})` : spelledFor(g, to);
  }
  return cast(g, to, depth, num).text;
}

function spelledFor(g: Gen, type: Int): string {
  g.use("literal");
  return spelled(g, constantOf(g, type));
}

function anyLiteral(g: Gen): Num {
  const { random } = g;
  if (g.constants.length > 0 && random.chance(25)) {
    const { text: name, value } = random.pick(g.constants);
    g.use("constant read");
    return literal(value, name);
  }
  g.use("literal");
  const value = constantOf(g, random.pick([U8, U16, U8, U32, I64, U64, I64]));
  return literal(value, spelled(g, value));
}

export function numberOf({ text: name, type, plain: isPlain, lo, hi }: Variable & { readonly type: Int }): Num {
  const own = valueType(type);
  return isPlain ? plain(name, own.signed, lo, hi) : typed(name, own);
}

/** A variable, a parameter, a global, a field of one of them or of the context. */
function variable(g: Gen): Num | undefined {
  const { random } = g;
  if (g.indices.length > 0 && random.chance(20)) {
    const { text: name, below, type } = random.pick(g.indices);
    return type === undefined ? plain(name, false, 0n, BigInt(below - 1)) : typed(name, type);
  }
  const cells = g.cells.filter(({ type }) => type.kind === "int");
  if (cells.length > 0 && random.chance(20)) {
    const cell = random.pick(cells);
    g.use("cell.value read");
    return typed(`${cell.text}.value`, cell.type as Int);
  }
  const places = g.places("int");
  if (places.length === 0) return undefined;
  const place = random.pick(places);
  g.use(place.text.startsWith("ctx") ? "context read" : place.text.includes(".") ? "field read" : "variable read");
  return numberOf(place);
}

/** An element of an array or of bytes. */
function element(g: Gen): Num | undefined {
  const { random } = g;
  const lists = g.places("array").filter(({ type }) => type.of.kind === "int");
  const raws = g.places("bytes");
  if (lists.length + raws.length === 0) return undefined;
  const at = random.pick<Variable & { type: Extract<Type, { kind: "array" | "bytes" }> }>([...lists, ...raws]);
  const length = at.type.kind === "array" ? at.type.length : at.type.size;
  if (random.chance(6)) {
    g.use("array.length");
    return literal(BigInt(length), `${at.text}.length`);
  }
  const isContext = at.text.startsWith("ctx");
  const index = isContext ? String(random.below(length)) : indexBelow(g, length, 1);
  g.use(at.type.kind === "array" ? "array[i] read" : "bytes[i] read");
  return typed(`${at.text}[${index}]`, at.type.kind === "array" ? valueType(at.type.of as Int) : U8);
}

/** A number that is proven to be below a length. */
export function indexBelow(g: Gen, length: number, depth: number): string {
  const { random } = g;
  const known = g.indices.filter(({ below }) => below <= length);
  if (known.length > 0 && random.chance(60)) {
    g.use("index by a known bound");
    return random.pick(known).text;
  }
  if (length === 1 || random.chance(35)) {
    g.use("index by literal");
    return String(random.below(length));
  }
  const power = 2 ** Math.floor(Math.log2(length));
  switch (random.below(4)) {
    case 0: {
      g.use("index by %");
      return `(${unsigned(g, depth)} % ${length})`;
    }
    case 1: {
      g.use("index by min");
      return `min(${unsigned(g, depth)}, ${length - 1})`;
    }
    case 2:
      if (length >= 256) {
        g.use("index by type");
        return cast(g, U8, depth).text;
      }
      break;
    default:
  }
  g.use("index by &");
  return `(${nonLiteral(g, depth).text} & ${power - 1})`;
}

/** One that is not known while compiling. */
export function nonLiteral(g: Gen, depth: number): Num {
  for (let i = 0; i < 6; i++) {
    const num = integer(g, depth);
    if (num.literal === undefined) return num;
  }
  g.use("pid()");
  return typed("pid()", U32);
}

/** One without a sign that is not known while compiling. */
export function unsigned(g: Gen, depth: number): string {
  const num = nonLiteral(g, depth);
  if (!num.signed) return num.text;
  return cast(g, g.random.pick([U16, U32, U64]), depth, num).text;
}

/** Helpers that give the same in every world, or are asked for what is the same in every world. */
function helper(g: Gen): Num {
  const { random } = g;
  const plainOnes: readonly (readonly [string, Int])[] = [
    ["pid()", U32],
    ["tid()", U32],
    ["uid()", U32],
    ["gid()", U32],
    ["cpu()", U32],
    ["cgroupId()", U64],
    ["numaNode()", U32],
  ];
  if (random.chance(55)) {
    const [name, type] = random.pick(plainOnes);
    g.use(name);
    return typed(name, type);
  }
  if (g.profile.task && random.chance(40)) {
    const name = random.pick(["task().tgid", "task().pid", "task().real_parent.tgid", "task().real_parent.pid"]);
    g.use(name);
    return typed(name, INTS.find(({ word }) => word === "i32") as Int);
  }
  if (g.stacks !== undefined && random.chance(30)) {
    const method = random.pick(["id", "userId"]);
    g.use(`stacks.${method}()`);
    return typed(`u32(${g.stacks}.${method}() > -4096)`, U32);
  }
  // What differs from run to run is looked at only for what does not.
  const name = random.pick(["ktime()", "ktimeBoot()", "jiffies()", "random()"]);
  g.use(name);
  return name === "random()" ? plain("(random() >> 32)", false, 0n, 0n) : typed(`u8(${name} !== 0)`, U8);
}

const SYMBOLS = ["+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", ">>>"] as const;

function binary(g: Gen, depth: number): Num {
  const { random } = g;
  const symbol = random.pick(SYMBOLS);
  const left = integer(g, depth - 1);
  const isShift = symbol === "<<" || symbol === ">>" || symbol === ">>>";
  if (isShift) return shift(g, symbol, left.literal === undefined ? left : nonLiteral(g, depth - 1), depth);
  let right = left.literal === undefined ? integer(g, depth - 1) : nonLiteral(g, depth - 1);
  if ((symbol === "/" || symbol === "%") && right.literal === 0n) right = literal(7n);
  if (commonSign(left, right) === undefined && (symbol === "/" || symbol === "%"))
    right = cast(g, left.signed ? I64 : U64, depth, right);
  const common = commonSign(left, right);
  const signs = common === undefined ? "u64 and signed" : left.signed === right.signed ? (common ? "i" : "u") : "mixed";
  g.use(`${symbol} ${signs}`);
  const written = `(${left.text} ${symbol} ${right.text})`;
  const masked = symbol === "&" && [left, right].find(({ literal: known }) => known !== undefined && known >= 0n);
  if (masked) {
    const other = masked === left ? right : left;
    const mask = masked.literal as bigint;
    return plain(written, false, 0n, !other.signed && other.hi < mask ? other.hi : mask);
  }
  const signed = common ?? true;
  if (common === undefined) return plain(written, true);
  switch (symbol) {
    case "+":
      return plain(written, signed, left.lo + right.lo, left.hi + right.hi);
    case "-":
      return plain(written, signed, left.lo - right.hi, left.hi - right.lo);
    case "*":
      if (left.lo >= 0n && right.lo >= 0n) return plain(written, signed, left.lo * right.lo, left.hi * right.hi);
      break;
    case "%":
      if (!signed && right.literal !== undefined) return plain(written, false, 0n, right.literal - 1n);
      break;
    case "/":
      if (!signed && right.literal !== undefined)
        return plain(written, false, left.lo / right.literal, left.hi / right.literal);
      break;
    case "&":
      if (!signed) return plain(written, false, 0n, lesser(left.hi, right.hi));
      break;
    default:
  }
  return plain(written, signed);
}

function shift(g: Gen, symbol: "<<" | ">>" | ">>>", left: Num, depth: number): Num {
  const { random } = g;
  g.use(`${symbol} ${left.signed ? "i" : "u"}`);
  const signed = symbol === ">>>" ? false : left.signed;
  if (random.chance(60)) {
    const by = random.pick([0, 1, 3, 8, 31, 32, 63, random.below(64)]);
    const written = `(${left.text} ${symbol} ${by})`;
    if (symbol !== "<<" && !left.signed) return plain(written, false, left.lo >> BigInt(by), left.hi >> BigInt(by));
    return plain(written, signed);
  }
  const by = nonLiteral(g, depth - 1).text;
  return plain(`(${left.text} ${symbol} ${random.chance(60) ? `(${by} & 63)` : by})`, signed);
}

function unary(g: Gen, depth: number): Num {
  const operand = nonLiteral(g, depth - 1);
  const symbol = g.random.pick(["-", "~", "+"]);
  g.use(`unary ${symbol} ${operand.signed ? "i" : "u"}`);
  if (symbol === "+") return { ...operand, text: `(+${operand.text})` };
  return plain(`(${symbol}${operand.text})`, symbol === "-" || operand.signed);
}

export function cast(g: Gen, type: Int, depth: number, given?: Num): Num {
  const { random } = g;
  if (given === undefined && random.chance(12)) {
    g.use(`${type.word}(boolean)`);
    return typed(`${type.word}(${boolean(g, depth - 1)})`, type);
  }
  const num = given ?? integer(g, depth - 1);
  g.use(`${type.word}(${num.signed ? "i" : "u"})`);
  const converted = typed(`${type.word}(${num.text})`, type);
  if (num.literal === undefined) return converted;
  const cut = type.signed ? BigInt.asIntN(type.bits, num.literal) : BigInt.asUintN(type.bits, num.literal);
  return { ...converted, literal: cut, lo: cut, hi: cut };
}

/** One of two numbers, which are of one type where it matters. */
function conditional(g: Gen, depth: number): Num {
  const test = boolean(g, depth - 1);
  const left = nonLiteral(g, depth - 1);
  const right = integer(g, depth - 1);
  g.use("?: of integers");
  const [then, other] = g.random.chance(50) ? [left, right] : [right, left];
  const one = either(`(${test} ? ${then.text} : ${other.text})`, left, right);
  // A constant that was converted is of its type, or of any that holds it: of which sign both are is not for here to tell.
  const isOpen = right.literal !== undefined && !right.plain;
  return isOpen ? cast(g, one.signed ? I64 : U64, depth, one) : one;
}

/** What a value of one of two numbers is. */
export function either(written: string, left: Num, right: Num): Num {
  const lo = lesser(left.lo, right.lo);
  const hi = greater(left.hi, right.hi);
  const same = left.bits === right.bits && left.signed === right.signed;
  if (!left.plain && !right.plain && same && !left.mixed && !right.mixed)
    return { text: written, bits: left.bits, signed: left.signed, plain: false, lo, hi };
  const signed = left.signed || right.signed;
  return {
    text: written,
    bits: 64,
    signed,
    plain: true,
    lo: least(signed ? I64 : U64),
    hi: most(signed ? I64 : U64),
    mixed: true,
  };
}

function extreme(g: Gen, depth: number): Num {
  const { random } = g;
  const word = random.pick(["min", "max", "Math.min", "Math.max"]);
  let left = nonLiteral(g, depth - 1);
  let right = integer(g, depth - 1);
  // What is of several types may be of another sign than was thought: constants take on either.
  if (left.mixed) left = cast(g, left.signed ? I64 : U64, depth, left);
  if ((left.signed !== right.signed || right.mixed) && right.literal === undefined)
    right = cast(g, left.signed ? I64 : U64, depth, right);
  if (left.signed !== right.signed) right = literal(BigInt(random.below(100)));
  g.use(`${word} ${left.signed ? "i" : "u"}`);
  const lower = lesser(left.lo, right.lo);
  const upper = lesser(left.hi, right.hi);
  if (left.signed) return { ...plain(`${word}(${left.text}, ${right.text})`, true), mixed: true };
  return word.endsWith("min")
    ? plain(`${word}(${left.text}, ${right.text})`, false, lower, upper)
    : plain(`${word}(${left.text}, ${right.text})`, false);
}

/** Functions of bits and of byte order. */
function bits(g: Gen, depth: number): Num {
  const word = g.random.pick([
    "abs",
    "clz32",
    "Math.clz32",
    "log2",
    "ntohs",
    "htons",
    "ntohl",
    "htonl",
    "ntohll",
    "htonll",
  ]);
  const of = nonLiteral(g, depth - 1);
  g.use(`${word}()`);
  const written = `${word}(${of.text})`;
  if (word === "abs") return plain(written, false);
  return typed(written, word.endsWith("s") ? U16 : word.endsWith("ll") ? U64 : U32);
}

/** A text's length, or one of its characters. */
function textNumber(g: Gen): Num {
  const { random } = g;
  const texts = g.places("str").filter(({ text: name }) => !name.startsWith("ctx"));
  if (texts.length === 0 || random.chance(20)) {
    const made = text(g, 16, 0, true);
    g.use("text.length");
    return typed(`${made}.length`, U64);
  }
  const at = random.pick(texts);
  if (random.chance(50)) {
    g.use("text.length");
    return typed(`${at.text}.length`, U64);
  }
  g.use("text.charCodeAt(i)");
  return typed(`${at.text}.charCodeAt(${indexBelow(g, at.type.size, 0)})`, U8);
}

/** `maybe ?? other`. */
function absent(g: Gen, depth: number): Num | undefined {
  if (g.maybes.length === 0) return undefined;
  const { name, type } = g.random.pick(g.maybes);
  const drawn = g.random.chance(60) ? undefined : nonLiteral(g, depth - 1);
  // Behind a test that it is there it has the variable's type alone: a number of another sign would change nothing.
  const other = drawn === undefined || drawn.signed !== type.signed ? literal(constantOf(g, type)) : drawn;
  g.use("?? of a variable");
  return coalesced(`(${name} ?? ${other.text})`, type, other);
}

/** `value ?? other`; a literal is one of the value's type. */
export function coalesced(written: string, type: Int, other: Num): Num {
  // A literal of the type leaves an unsigned type as it is.
  if (other.literal !== undefined && !type.signed) return typed(written, type);
  return either(written, typed("", type), other.literal === undefined ? other : { ...other, mixed: true });
}

function called(g: Gen, depth: number): Num | undefined {
  const functions = g.callable("int");
  if (functions.length === 0) return undefined;
  const callee = g.random.pick(functions);
  g.use("call in an expression");
  return typed(call(g, callee, depth - 1), callee.result as Int);
}
