// Loops of each kind.
import { type Gen, MOST_TURNS } from "./gen.ts";
import { unsigned } from "./integers.ts";
import { blockOf, depthHere, indented } from "./statements.ts";
import { type Int, sizeOf, U64, valueType } from "./types.ts";
import { boolean } from "./values.ts";

/** A loop; undefined where there would be too many turns. */
export function loop(g: Gen): string[] | undefined {
  const { random } = g;
  const room = Math.floor(MOST_TURNS / g.turns);
  if (room < 2) return undefined;
  g.hasLoops = true;
  return random.weighted<() => string[] | undefined>([
    [5, () => counted(g, room)],
    [2, () => countedDown(g, room)],
    [2, () => growing(g, room)],
    [4, () => whileLoop(g, room)],
    [2, () => doWhile(g, room)],
    [4, () => range(g, room)],
    [4, () => boundedRange(g, room)],
    [4, () => eachElement(g, room) ?? range(g, room)],
    [g.profile.entries ? 3 : 0, () => entries(g, room) ?? counted(g, room)],
  ])();
}

/** Writes what is done in each turn. */
function turning(g: Gen, turns: number, label: string | undefined, first: readonly string[] = []): string[] {
  const before = g.turns;
  g.turns *= turns;
  g.mostTurns = Math.max(g.mostTurns, g.turns);
  g.loops.push({ label, isSwitch: false });
  try {
    return blockOf(g, 3, first);
  } finally {
    g.loops.pop();
    g.turns = before;
  }
}

function labelOf(g: Gen): { label: string | undefined; written: string } {
  if (!g.random.chance(35)) return { label: undefined, written: "" };
  const label = g.name("l");
  g.use("label");
  return { label, written: `${label}: ` };
}

const few = (g: Gen, room: number): number => g.random.between(1, Math.min(g.random.pick([2, 4, 8, 16, 64]), room));

function counted(g: Gen, room: number): string[] {
  const name = g.name("x");
  const { label, written } = labelOf(g);
  const turns = few(g, room);
  const step = g.random.chance(80) ? 1 : g.random.between(2, 3);
  const start = g.random.chance(80) ? 0 : g.random.below(turns);
  g.use("for");
  const update =
    step === 1
      ? g.random.pick([`${name}++`, `++${name}`, `${name} += 1`])
      : g.random.pick([`${name} += ${step}`, `${name}++, ${name} += ${step - 1}`]);
  const head = `${written}for (let ${name} = ${start}; ${name} < ${turns}; ${update}) {`;
  const body = g.block(() => {
    g.indices.push({ text: name, below: turns });
    return turning(g, turns, label);
  });
  return [head, ...body, "}"];
}

function countedDown(g: Gen, room: number): string[] {
  const name = g.name("x");
  const { label, written } = labelOf(g);
  const turns = few(g, room);
  g.use("for downwards");
  const body = g.block(() => {
    g.indices.push({ text: name, below: turns + 1 });
    return turning(g, turns, label);
  });
  return [`${written}for (let ${name} = ${turns}; ${name} > 0; ${name}--) {`, ...body, "}"];
}

/** A list of work that grows while it is gone through: the test says something else in each turn. */
function growing(g: Gen, room: number): string[] {
  const [name, end] = [g.name("x"), g.name("n")];
  const { label, written } = labelOf(g);
  const turns = few(g, room);
  g.use("for to what it changes");
  const masked = `(${unsigned(g, 1)} & 7)`;
  const limit = g.random.pick([
    end,
    `${masked} + ${end}`,
    `${masked} * ${end}`,
    `${masked} << ${end}`,
    `${end} * 2`,
    `min(${masked} + 9, ${end})`,
    `${masked} + 1 + ${name} / 2`,
  ]);
  const step = g.random.pick([`${name}++`, `${name} += 2`]);
  const body = g.block(() => {
    g.variables.push({ text: name, type: U64, mutable: false }, { text: end, type: U64, mutable: false });
    return turning(g, turns, label, [`if (${end} < ${g.random.between(1, 20)}) ${end} += ${g.random.between(1, 3)};`]);
  });
  return [
    `let ${end}: u64 = ${g.random.below(6)};`,
    `${written}for (let ${name}: u64 = 0; ${name} < ${limit} && atMost(${turns}); ${step}) {`,
    ...body,
    "}",
  ];
}

function whileLoop(g: Gen, room: number): string[] {
  const { label, written } = labelOf(g);
  const turns = few(g, room);
  const name = g.name("w");
  g.use("while atMost");
  const start = unsigned(g, 2);
  const body = g.block(() => {
    g.variables.push({ text: name, type: U64, mutable: false });
    return turning(g, turns, label, [
      g.random.pick([`${name} >>= 1;`, `${name}--;`, `${name} /= 3;`, `${name} = ${name} & (${name} - 1);`]),
    ]);
  });
  const test = g.random.chance(80) ? `${name} !== 0` : boolean(g, 1);
  return [
    `let ${name}: u64 = ${start};`,
    ...(g.random.chance(10)
      ? [`${written}while (atMost(${turns})) {`, ...body, "}"]
      : [`${written}while (${test} && atMost(${turns})) {`, ...body, "}"]),
  ];
}

function doWhile(g: Gen, room: number): string[] {
  const turns = few(g, room);
  const { label, written } = labelOf(g);
  const name = g.name("w");
  g.use("do while");
  const test = g.random.chance(50) ? boolean(g, 1) : `${name} > 3`;
  const body = g.block(() => {
    g.variables.push({ text: name, type: U64, mutable: false });
    return turning(g, turns, label, [`${name} >>= 2;`]);
  });
  return [`let ${name}: u64 = ${unsigned(g, 1)};`, `${written}do {`, ...body, `} while (${test} && atMost(${turns}));`];
}

function range(g: Gen, room: number): string[] {
  const name = g.name("x");
  const { label, written } = labelOf(g);
  const turns = few(g, room);
  const start = g.random.chance(70) ? 0 : g.random.below(turns);
  g.use("range of constants");
  const head = `${written}for (const ${name} of range(${start === 0 && g.random.chance(60) ? turns : `${start}, ${turns}`})) {`;
  const body = g.block(() => {
    g.indices.push({ text: name, below: turns });
    return turning(g, turns, label);
  });
  return [head, ...body, "}"];
}

function boundedRange(g: Gen, room: number): string[] {
  const name = g.name("x");
  const { label, written } = labelOf(g);
  const turns = few(g, room);
  const depth = depthHere(g) - 1;
  const masked = g.random.chance(40) ? maskedEnd(g, turns, unsigned(g, depth)) : undefined;
  g.use(masked?.construct ?? "range atMost");
  const from = g.random.chance(50) ? "" : `${g.random.chance(50) ? unsigned(g, depth) : g.random.below(8)}, `;
  const head = `${written}for (const ${name} of range(${masked?.text ?? `${from}${unsigned(g, depth)}, { atMost: ${turns} }`})) {`;
  const body = g.block(() => {
    if (masked !== undefined && masked.below > 0) g.indices.push({ text: name, below: masked.below });
    else g.variables.push({ text: name, type: U64, mutable: false, plain: true });
    return turning(g, turns, label);
  });
  return [head, ...body, "}"];
}

/** Ends of a range whose bound the compiler finds by itself: the range's arguments, and what its numbers are below. */
function maskedEnd(g: Gen, turns: number, value: string): { construct: string; text: string; below: number } {
  const maskFor = (most: number) => 2 ** Math.floor(Math.log2(most + 1)) - 1;
  const times = 1 + g.random.below(4);
  switch (turns < 4 ? 0 : g.random.below(4)) {
    case 1: {
      const [mask, start] = [maskFor(turns), g.random.below(9)];
      const sum = g.random.chance(50) ? `(${value} & ${mask}) + ${start}` : `${start} + (${value} & ${mask})`;
      return { construct: "range with a sum at its end", text: `${start}, ${sum}`, below: mask + start };
    }
    case 2: {
      const mask = maskFor(Math.floor(turns / times));
      const text = `(${value} & ${mask}) * ${times}`;
      return { construct: "range with a product at its end", text, below: mask * times };
    }
    case 3: {
      const shift = g.random.below(3);
      const mask = maskFor(turns >> shift);
      return {
        construct: "range with a shift at its end",
        text: `(${value} & ${mask}) << ${shift}`,
        below: mask << shift,
      };
    }
    default: {
      const mask = maskFor(turns);
      return { construct: "range with a masked end", text: `${value} & ${mask}`, below: mask };
    }
  }
}

function eachElement(g: Gen, room: number): string[] | undefined {
  const lists = [...g.places("array"), ...g.places("bytes")].filter(
    ({ type, text }) =>
      (type.kind === "bytes" ? type.size : type.length) <= room &&
      !text.startsWith("ctx") &&
      // Names of elements are for what stands there, and parameters are not changed.
      !(type.kind === "array" && type.of.kind === "struct" && /^p\d/.test(text)) &&
      (type.kind === "bytes" || type.of.kind === "int" || type.of.kind === "bool" || type.of.kind === "struct"),
  );
  if (lists.length === 0) return undefined;
  // Those of which there are few are not to be seldom.
  const few = lists.filter(({ type }) => type.kind === "array" && type.of.kind !== "int");
  const { text, type } = g.random.pick(few.length > 0 && g.random.chance(90) ? few : lists);
  const name = g.name("e");
  const { label, written } = labelOf(g);
  g.use(type.kind === "bytes" ? "for of bytes" : `for of array of ${type.of.kind}`);
  const of = type.kind === "bytes" ? ({ kind: "int", word: "u8", bits: 8, signed: false } as Int) : type.of;
  const body = g.block(() => {
    g.variables.push({ text: name, type: of.kind === "int" ? valueType(of) : of, mutable: false, inPlace: true });
    return turning(g, type.kind === "bytes" ? type.size : type.length, label);
  });
  return [`${written}for (const ${name} of ${text}) {`, ...body, "}"];
}

/**
 * All entries of a map. Their order is the kernel's own: what is done with them must not depend on it, so each adds to a sum, or
 * is changed by itself.
 */
function entries(g: Gen, room: number): string[] | undefined {
  const { random } = g;
  const maps = g.hashes.filter(({ key, value }) => sizeOf(key) <= 16 && value.kind !== "array");
  if (maps.length === 0 || room < 64) return undefined;
  const map = random.pick(maps);
  const [key, value, sum] = [g.name("k"), g.name("e"), g.name("s")];
  g.use(`entries of a map${map.perCpu ? " perCpu" : ""}`);
  const parts: string[] = [`${sum}++;`];
  if (map.key.kind === "int") parts.push(`${sum} += u64(${key}) * 3;`);
  if (map.key.kind === "str") parts.push(`${sum} += ${key}.length;`);
  const number = (text: string, type: { kind: string }): void => {
    if (type.kind === "int") parts.push(`${sum} ^= u64(${text});`, `if (${text} > 5) ${sum} += 7;`);
    if (type.kind === "bool") parts.push(`if (${text}) ${sum} += 100;`);
  };
  if (map.value.kind === "struct")
    for (const field of map.value.fields) {
      number(`${value}.${field.name}`, field.type);
      if (field.type.kind === "int" && !map.byValue && random.chance(30)) parts.push(`${value}.${field.name} += 1;`);
    }
  else number(value, map.value);
  const wanted = parts.filter(() => random.chance(60));
  const isSum =
    wanted.every((line) => !line.includes("^=")) ||
    wanted.every((line) => !line.includes("+=") && !line.includes("++"));
  const body = isSum ? wanted : wanted.filter((line) => !line.includes("^="));
  g.variables.push({ text: sum, type: U64, mutable: true, plain: true });
  const named = random.below(3);
  const usesKey = body.some((line) => line.includes(key));
  const usesValue = body.some((line) => line.includes(value));
  const pattern =
    named === 0 && !usesValue ? `[${key}]` : named === 1 && !usesKey ? `[, ${value}]` : `[${key}, ${value}]`;
  return [
    `let ${sum} = 0;`,
    `for (const ${pattern} of ${map.name}) {`,
    ...indented(body.length > 0 ? body : [`${sum}++;`]),
    "}",
  ];
}
