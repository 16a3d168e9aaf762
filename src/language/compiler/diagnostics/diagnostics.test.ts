import { stripVTControlCharacters } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../diagnostic.ts";
import { NOWHERE, type Span } from "../span.ts";
import { displayLine } from "./display.ts";
import { explainCode, listCodes, render, report, type SourceFile } from "./index.ts";

const BIO: SourceFile = {
  name: "bio.bpf.ts",
  text: `import { hash, histogram, ktime, tracepoint, u32, u64 } from "skep/kernel";

const started = hash(u64, u64);
export const latencyUs = histogram(u32);

export const complete = tracepoint("block:block_rq_complete", (rq) => {
  const t0 = started.get(rq.sector);
  latencyUs.record(rq.dev, (ktime() - t0) / 1000);
});
`,
};

/** The span of the \`nth\` occurrence of some words. */
function at(source: SourceFile, words: string, { file = 0, nth = 0 } = {}): Span {
  let start = -1;
  for (let i = 0; i <= nth; i++) start = source.text.indexOf(words, start + 1);
  if (start < 0) throw new Error(`"${words}" is not in ${source.name}`);
  return { file, start, end: start + words.length };
}

const error = (code: string, message: string, span: Span, more: Partial<Diagnostic> = {}): Diagnostic => ({
  code,
  severity: "error",
  message,
  span,
  ...more,
});

describe("rendered diagnostics", () => {
  it("show the place, what belongs to it, why, and what to write", () => {
    const diagnostic = error("EB2101", "`t0` may be undefined here", at(BIO, "t0", { nth: 1 }), {
      why: "The key may not be in `started`, and the kernel refuses a program that uses an entry before it was compared with null.",
      help: "Test it first:\n  if (t0 === undefined) return;",
      related: [
        { span: at(BIO, "t0"), message: "comes from here" },
        { span: at(BIO, "started"), message: "the map" },
      ],
    });
    expect(render([diagnostic], [BIO])).toBe(`bio.bpf.ts:8:39 - error EB2101: \`t0\` may be undefined here

  3 │ const started = hash(u64, u64);
    │       ~~~~~~~ the map
...
  7 │   const t0 = started.get(rq.sector);
    │         ~~ comes from here
  8 │   latencyUs.record(rq.dev, (ktime() - t0) / 1000);
    │                                       ^^
  why:  The key may not be in \`started\`, and the kernel refuses a program that uses an entry before
        it was compared with null.
  help: Test it first:
          if (t0 === undefined) return;

1 error. (more about it: skep explain EB2101)
`);
  });

  it("come in the order of the source, each place once, with their number", () => {
    const shown = render(
      [
        error("EB9999", "second", at(BIO, "histogram", { nth: 1 })),
        error("EB9998", "follows from the second", at(BIO, "histogram", { nth: 1 })),
        { ...error("EB9997", "first", at(BIO, "started")), severity: "warning" },
        error("EB9996", "of no place", NOWHERE, { help: "Do something." }),
        error("EB9996", "of no place", NOWHERE),
      ],
      [BIO],
    );
    expect(shown).toBe(`bio.bpf.ts:3:7 - warning EB9997: first

  3 │ const started = hash(u64, u64);
    │       ^^^^^^^

bio.bpf.ts:4:26 - error EB9999: second

  4 │ export const latencyUs = histogram(u32);
    │                          ^^^^^^^^^

error EB9996: of no place
  help: Do something.

2 errors, 1 warning.
`);
  });

  it("say how many are left out", () => {
    const many = [0, 1, 2].map((i) => error("EB9999", `number ${i}`, { file: 0, start: i, end: i + 1 }));
    expect(render(many, [BIO], { most: 1 })).toBe(`bio.bpf.ts:1:1 - error EB9999: number 0

  1 │ import { hash, histogram, ktime, tracepoint, u32, u64 } from "skep/kernel";
    │ ^

3 errors; 2 of them are not shown.
`);
  });

  it("show places in other files under their names, and spans over several lines", () => {
    const other: SourceFile = { name: "keys.bpf.ts", text: "export const a = 1;\nexport const b = 2;\n" };
    const long: SourceFile = {
      name: "long.bpf.ts",
      text: "f(() => {\n  one();\n  two();\n\n  three();\n  four();\n});\n",
    };
    const shown = render(
      [
        error("EB9999", "a body", at(long, long.text.slice(2, -2)), {
          related: [
            { span: at(other, "b", { file: 1 }), message: "declared here" },
            { span: NOWHERE, message: "the rest is the kernel's" },
          ],
        }),
        error("EB9999", "a few lines", { file: 0, start: 3, end: long.text.indexOf("two") + 3 }),
      ],
      [long, other],
    );
    expect(shown).toBe(`long.bpf.ts:1:3 - error EB9999: a body

  1 │ f(() => {
    │   ^^^^^^^
...
  7 │ });
    │ ^^
  keys.bpf.ts:2:14
  2 │ export const b = 2;
    │              ~ declared here
  note: the rest is the kernel's

long.bpf.ts:1:4 - error EB9999: a few lines

  1 │ f(() => {
    │    ^^^^^^
  2 │   one();
    │   ^^^^^^
  3 │   two();
    │   ^^^

2 errors.
`);
  });

  it("stand under wide characters, tabs, and what a terminal does not show", () => {
    const wide: SourceFile = {
      name: "wide.bpf.ts",
      text: '\tconst a = "漢字", b = x;\r\nconst e\u0301 = "👩‍💻" + y;\u2028// \x1b[31m\u202e\nz',
    };
    const shown = render(
      ["x", "y", "\x1b", "z"].map((word) => error("EB9999", `at ${word}`, at(wide, word))),
      [wide],
    );
    expect(shown).toBe(`wide.bpf.ts:1:22 - error EB9999: at x

  1 │     const a = "漢字", b = x;
    │                           ^

wide.bpf.ts:2:22 - error EB9999: at y

  2 │ const e\u0301 = "👩‍💻" + y;
    │                  ^

wide.bpf.ts:3:4 - error EB9999: at \ufffd

  3 │ // \ufffd[31m\ufffd
    │    ^

wide.bpf.ts:4:1 - error EB9999: at z

  4 │ z
    │ ^

4 errors.
`);
  });

  it("cut long lines around what is marked", () => {
    const long: SourceFile = { name: "min.bpf.ts", text: `${"a;".repeat(100)}here;${"b;".repeat(100)}` };
    const [, , line, marks] = render([error("EB9999", "x", at(long, "here"))], [long]).split("\n");
    expect(line).toBe(`  1 │ … ${"a;".repeat(25)}here;${"b;".repeat(42)}b …`);
    expect(marks).toBe(`    │ ${" ".repeat(52)}^^^^`);
    const start = render([error("EB9999", "x", { file: 0, start: 0, end: 405 })], [long]).split("\n");
    expect(start[2]).toBe(`  1 │ ${"a;".repeat(70)} …`);
    expect(start[3]).toBe(`    │ ${"^".repeat(140)}`);
  });

  it("mark places without extent and behind the end by one caret", () => {
    const shown = render([error("EB9999", "cut short", { file: 0, start: 99, end: 120 })], [{ name: "x", text: "f(" }]);
    expect(shown).toBe("x:1:3 - error EB9999: cut short\n\n  1 │ f(\n    │   ^\n\n1 error.\n");
    expect(render([], [BIO])).toBe("");
  });

  it("are coloured where that is wanted", () => {
    const shown = render([error("EB2101", "m", at(BIO, "started"), { help: "h" })], [BIO], { color: true });
    expect(shown).toContain("\x1b[1;31merror EB2101\x1b[0m: m");
    expect(shown).toContain("\x1b[31m^^^^^^^\x1b[0m");
    expect(stripVTControlCharacters(shown)).toBe(
      render([error("EB2101", "m", at(BIO, "started"), { help: "h" })], [BIO]),
    );
  });

  it("never throw, whatever the spans and the text are", () => {
    const number = fc.oneof(fc.integer({ min: -5, max: 60 }), fc.constantFrom(Number.NaN, 1e12, -1e12, 0.5));
    const span = fc.record({ file: fc.integer({ min: -1, max: 2 }), start: number, end: number });
    const diagnostic = fc.record({
      code: fc.constantFrom("EB1001", "EB9999", ""),
      severity: fc.constantFrom("error" as const, "warning" as const),
      message: fc.string({ unit: "binary" }),
      span,
      help: fc.string({ unit: "binary" }),
      related: fc.array(fc.record({ span, message: fc.string() }), { maxLength: 3 }),
    });
    const text = fc.array(
      fc.constantFrom("a", "\t", "\n", "\r\n", "\u2029", "漢", "e\u0301", "👩‍💻", "\ud800", "\x1b"),
    );
    fc.assert(
      fc.property(fc.array(diagnostic, { maxLength: 4 }), text, fc.boolean(), (list, parts, color) => {
        const sources = [
          { name: "a", text: parts.join("") },
          { name: "b", text: "let b;" },
        ];
        const shown = render(list, sources, { color });
        expect(shown === "").toBe(list.length === 0);
        if (!color) expect(shown).not.toMatch(/[^\P{Cc}\n]/u);
        expect(JSON.parse(JSON.stringify(report(list, sources))).length).toBeLessThanOrEqual(list.length);
      }),
      { numRuns: 500 },
    );
  });
});

describe("diagnostics as data", () => {
  it("have places as editors count them", () => {
    const reported = report(
      [
        error("EB2101", "m", at(BIO, "t0", { nth: 1 }), {
          why: "w",
          related: [{ span: at(BIO, "t0"), message: "from" }],
        }),
        error("EB9001", "n", NOWHERE),
      ],
      [BIO],
    );
    const place = { file: "bio.bpf.ts", line: 8, column: 39, endLine: 8, endColumn: 41 };
    const from = { file: "bio.bpf.ts", line: 7, column: 9, endLine: 7, endColumn: 11 };
    expect(reported).toEqual([
      {
        code: "EB2101",
        severity: "error",
        message: "m",
        ...place,
        why: "w",
        related: [{ message: "from", ...from }],
      },
      { code: "EB9001", severity: "error", message: "n", related: [] },
    ]);
  });
});

describe("the width of a line", () => {
  const cases: readonly [string, number, string][] = [
    ["abc", 3, "ascii"],
    ["a\tb", 5, "a tab goes on to the next fourth column"],
    ["漢字", 4, "wide characters"],
    ["e\u0301", 1, "a letter with an accent of its own"],
    ["👩‍💻", 2, "people made of several characters"],
    ["ｆ", 2, "full-width letters"],
    ["ab\u0007", 3, "a bell is shown as one sign"],
  ];
  for (const [line, width, what] of cases) it(what, () => expect(displayLine(line).width).toBe(width));
});

describe("pages about codes", () => {
  it("are found in any case, and there are none for other words", () => {
    expect(explainCode("eb2101")).toBe(explainCode("EB2101"));
    for (const other of ["EB0000", "", "constructor", "__proto__", "2101"]) expect(explainCode(other)).toBeUndefined();
  });

  it("have whole sentences, and examples that are modules", () => {
    const codes = listCodes();
    expect(codes.length).toBeGreaterThan(20);
    for (const { code } of codes) {
      const page = explainCode(code, { width: 80 }) ?? "";
      expect(page.startsWith(`${code}: `), code).toBe(true);
      for (const line of page.split("\n")) if (!line.startsWith("    ")) expect(line.length, line).toBeLessThan(81);
    }
  });
});
