// Programs at the edges of what the machine and the kernel have: registers, stack, fields, turns, texts, frames, maps, jumps, numbers,
// lines. Each either runs, and leaves in `out` what is computed here, or is refused with the error that says what there is too
// much of.
import type { Features } from "../../src/language/compiler/index.ts";

export interface LimitCase {
  readonly name: string;
  readonly source: string;
  /** What `out` is after a run. */
  readonly out?: bigint;
  /** How it is refused instead. */
  readonly error?: RegExp;
  readonly features?: Partial<Features>;
  /** Text that stands in element 0 of the map `given` before the run. */
  readonly given?: string;
}

/** What programs are given. */
export const INPUT = { a: 5n, b: 9n } as const;

const list = (n: number, of: (i: number) => string, between = " "): string =>
  Array.from({ length: n }, (_, i) => of(i)).join(between);
const total = (n: number, of: (i: bigint) => bigint): bigint => {
  let sum = 0n;
  for (let i = 0; i < n; i++) sum += of(BigInt(i));
  return BigInt.asUintN(64, sum);
};

const program = (declarations: string, body: string): string =>
  `export const out = global(u64, 0);\n${declarations}\nexport const p = syscall(struct({ a: u64, b: u64 }), (ctx) => { ${body} });\n`;

/** So many values that are all still needed behind a call of the kernel. */
const manyValues = (n: number): string =>
  program(
    "",
    `${list(n, (i) => `const v${i} = (ctx.a ^ ${i * 7 + 1}) * ${i + 3};`)} const t = pid() === 0 ? 1 : 0; out.value = ${list(n, (i) => `v${i} * ${i + 1}`, " + ")} + t;`,
  );

/** A struct with so many fields, sent and kept. */
const manyFields = (n: number): string =>
  program(
    `const Wide = struct({ ${list(n, (i) => `f${i}: u32`, ", ")} }); export const wide = hash(u32, Wide); export const events = ringbuf(Wide, { bytes: 65536 });`,
    `events.emit({ ${list(n, (i) => `f${i}: ${i % 3 === 0 ? "u32(ctx.a)" : i}`, ", ")} }); const w = wide.getOrInsert(0); if (!w) return 1; ${list(n, (i) => `w.f${i} = u32(ctx.b + ${i});`)} out.value = ${list(n, (i) => `w.f${i}`, " + ")};`,
  );

const manyTurns = (n: number): string =>
  program("", `let sum = 0; for (const i of range(${n})) sum += i & 3; out.value = sum;`);

/** Functions that call each other so deep, each from two places and too large to be put in place. */
const nested = (depth: number, local = ""): string => {
  const work = list(30, (i) => `y = (y ^ ${i + 3}) * ${2 * i + 3}; if (y % ${i + 5} === 1) y += x;`);
  const body = (i: number) =>
    `{ ${local} let y: u64 = ${i === 0 ? "x" : `f${i - 1}(x + 1)`}; ${work} return y${i === 0 ? "" : ` + f${i - 1}(y)`}; }`;
  return program(
    list(depth, (i) => `function f${i}(x: u64): u64 ${body(i)}`, "\n"),
    `out.value = f${depth - 1}(ctx.a) + f${depth - 1}(ctx.b);`,
  );
};

function nestedOut(depth: number): bigint {
  const f = (i: number, x: bigint): bigint => {
    let y = i === 0 ? x : f(i - 1, BigInt.asUintN(64, x + 1n));
    for (let j = 0n; j < 30n; j++) {
      y = BigInt.asUintN(64, (y ^ (j + 3n)) * (2n * j + 3n));
      if (y % (j + 5n) === 1n) y = BigInt.asUintN(64, y + x);
    }
    return BigInt.asUintN(64, i === 0 ? y : y + f(i - 1, y));
  };
  return BigInt.asUintN(64, f(depth - 1, INPUT.a) + f(depth - 1, INPUT.b));
}

/** A text of so many bytes in each memory that is not the stack: compared, begun with, copied, sent. */
const longTexts = (n: number): string =>
  program(
    `const E = struct({ path: str(${n}), other: str(${n}), n: u64 }); export const events = ringbuf(E, { bytes: 65536 });
     export const given = arrayMap(E, 2); export const kept = hash(u32, E); export const own = arrayMap(E, 1, { perCpu: true });`,
    `const g = given.ref(0); const s = own.ref(0); s.path = g.path; s.other = s.path; s.n += 1;
     const k = kept.getOrInsert(0); if (!k) return 1; k.path = s.path; k.other = "/short";
     let found = 0;
     if (k.path === s.other) found += 1; if (k.path === k.other) found += 2; if (k.path.startsWith("/very/long")) found += 4;
     if (s.path.startsWith("/very/longer")) found += 8; if (g.path !== k.path) found += 16; if (s.path[${n - 96}] === "x") found += 32;
     k.other = k.path; if (k.other === g.path) found += 64; k.other = "/very/long"; if (k.other === k.path) found += 128;
     if (!events.emit({ path: k.path, other: s.other, n: found })) return 1;
     const e = events.reserve(); if (!e) return 1; e.path = g.path; e.other = e.path; e.n = 1; if (e.other === k.path) found += 256; e.submit();
     out.value = found + 1000 * s.path.length;`,
  );

/** What may be kept of a text that fits no stack. */
const largeText = (n: number): string =>
  program("", `const path = userStr(ctx.a, ${n}); if (path === "x") out.value = 1;`);

/** A program that uses so many maps. */
const manyMaps = (n: number): string =>
  `export const counts = hash(u32, u64);\n${list(n, (i) => `export const m${i} = arrayMap(u64, 2);`, "\n")}\nexport const p = syscall(struct({ a: u64, b: u64 }), (ctx) => { ${list(n, (i) => `m${i}.set(1, ctx.a);`)} });\n`;

/** A jump over so many statements. */
const longJump = (n: number): string =>
  program("", `if (ctx.a > 50) { ${list(n, (i) => `out.add(ctx.b ^ ${i});`)} } else out.add(77); out.add(1);`);

const largest = (is: string): string =>
  program(
    "const ALL = 18446744073709551615; const HALF = 0x8000_0000_0000_0000; export const limit = param(u64, 18446744073709551615);",
    `out.value = ${is};`,
  );

/** A module of so many lines, a function on every fifth. */
const manyLines = (n: number): string => {
  const line = (i: number): string => {
    if (i % 5 === 0) return `export const c${i} = ${i};`;
    if (i % 5 === 1) return `function g${i}(x: u64): u64 {`;
    if (i % 5 === 2) return `  return x * ${i} + c${i - 2};`;
    return i % 5 === 3 ? "}" : "// Between functions.";
  };
  return program(list(n, line, "\n"), `out.value = g1(ctx.a) + g${n - 4}(ctx.b);`);
};

const ALL = 2n ** 64n - 1n;
const text = `/very/long/${"x".repeat(4000)}`;

export const LIMITS: readonly LimitCase[] = [
  {
    name: "60 values that live across a call",
    source: manyValues(60),
    out: total(60, (i) => (INPUT.a ^ (i * 7n + 1n)) * (i + 3n) * (i + 1n)),
  },
  {
    name: "200 values that live across a call",
    source: manyValues(200),
    error:
      /^EB3110: `p` keeps \d+ bytes on the stack at once, and the kernel gives it 512\. \[`v\d+` finds no register/,
  },
  { name: "a struct of 1000 fields", source: manyFields(1000), out: total(1000, (i) => INPUT.b + i) },
  { name: "1,000,000 turns", source: manyTurns(1_000_000), out: 1_500_000n },
  {
    name: "1,000,000 turns without iterators",
    source: manyTurns(1_000_000),
    out: 1_500_000n,
    features: { iterNum: false },
  },
  {
    name: "texts of 4 KiB",
    source: longTexts(4096),
    out: 1n + 4n + 32n + 64n + 256n + 1000n * BigInt(text.length),
    given: text,
  },
  {
    name: "a text of 4 KiB on the stack",
    source: largeText(4096),
    error: /^EB3110: `p` keeps 4096 bytes .* \[`path` takes 4096 bytes/,
  },
  {
    name: "an event of 4 KiB on the stack",
    source: program(
      "const E = struct({ path: str(4096), n: u64 });",
      "const e = { path: userStr(ctx.a, 4096), n: 1 }; out.value = e.n;",
    ),
    error: /^EB3110: .*`\w+` takes 4\d{3} bytes/,
  },
  { name: "functions nested 8 deep, the program among them", source: nested(7), out: nestedOut(7) },
  {
    name: "functions nested 9 deep",
    source: nested(8),
    error: /^EB5004: `p` calls .* 9 deep: `p` → `f7` → .* → `f0`\./,
  },
  {
    name: "functions that keep more than the stack together",
    source: nested(6, 'const t = userStr(x, 96); if (t === "a") return 7;'),
    error: /^EB3110: `p` and what it calls keep \d+ bytes on the stack at once .* \[`t` takes 96 bytes/,
  },
  { name: "64 maps", source: manyMaps(64) },
  { name: "65 maps", source: manyMaps(65), error: /^EB5005: `p` and what it calls use 65 maps, / },
  {
    name: "64 maps and the variables",
    source: manyMaps(64)
      .replace("(ctx) => {", "(ctx) => { total.add(1);")
      .replace("export", "const total = global(u64);\nexport"),
    error: /^EB5005: `p` and what it calls use 65 maps \(`\.bss` among them/,
  },
  { name: "a jump beyond 16 bits", source: longJump(12_000), out: 78n },
  { name: "a jump beyond 16 bits without long jumps", source: longJump(12_000), out: 78n, features: { isaV4: false } },
  { name: "a constant of 2^64 - 1", source: largest("ALL"), out: ALL },
  { name: "2^64 - 1 as a parameter", source: largest("limit"), out: ALL },
  { name: "2^64 - 2 in a comparison", source: largest("ctx.a > 18446744073709551614 ? 1 : 2"), out: 2n },
  { name: "2^64 - 1 added", source: largest("ctx.a + ALL"), out: INPUT.a - 1n },
  { name: "2^63 - 1 computed", source: largest("HALF - 1"), out: 2n ** 63n - 1n },
  { name: "-2^63", source: largest("u64(i64(-9223372036854775808))"), out: 2n ** 63n },
  { name: "2^64", source: largest("18446744073709551616"), error: /^EB\d+: / },
  {
    name: "a module of 10,000 lines",
    source: manyLines(10_000),
    out: INPUT.a * 2n + INPUT.b * 9997n + 9995n,
  },
  {
    name: "1,000 errors",
    source: program(
      "",
      list(1000, (i) => `missing${i}();`, "\n"),
    ),
    error: /^TS2304: There is no function `missing0` here\./,
  },
];
