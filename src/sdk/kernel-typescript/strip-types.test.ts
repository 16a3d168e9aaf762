import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseSync } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { StripError, stripTypes } from "./strip-types.ts";

const strip = (text: string) => stripTypes("x.bpf.ts", text);

describe("stripTypes", () => {
  it.each([
    ["const a: u32 = 1;", "const a      = 1;"],
    ["function f<T>(a?: T, ...b: T[]): void {}", "function f   (a    , ...b     )       {}"],
    ["const f = (a: u32, { b }: X): u64 => a as u64;", "const f = (a     , { b }   )      => a       ;"],
    ['import { a, type B, c } from "./x.bpf.ts";', 'import { a,         c } from "./x.bpf.ts";'],
    ['import { type B } from "./x.bpf.ts";', 'import {        } from "./x.bpf.ts";'],
    ['import type { B } from "btf:vmlinux";', ";                                    "],
    ["export type { A };", ";                 "],
    ["export interface A { b: u32 }", ";                            "],
    ["a!.b; (a as B).c; a satisfies B;", "a .b; (a     ).c; a            ;"],
    ["((a) as B).c", "((a)     ).c"],
    ["f<u32>(x)", "f     (x)"],
    ["let x: u32 | undefined;", "let x                 ;"],
    ["<u32>x;", "     x;"],
    ["class A implements B { readonly a: u32 = 1; declare b: u32 }", undefined],
    ["declare const x: u32; f()", ";                     f()"],
    ['declare module "skep/kernel" { interface A {} }', ";                                              "],
    ["const x = 1\ntype A = u32\n(f)()", "const x = 1\n;           \n(f)()"],
    ["const f = (a): A<\n  B\n> => a;", "const f = (a     \n   \n) => a;"],
    [
      `const s = "a: u32"; // b: u32\nconst t = \`\${x as y}\`;`,
      `const s = "a: u32"; // b: u32\nconst t = \`\${x     }\`;`,
    ],
    ["const ü: u32 = 1; const 日本: u64 = 2;", "const ü      = 1; const 日本      = 2;"],
  ])("%s", (text, expected) => {
    const stripped = strip(text);
    if (expected !== undefined) expect(stripped).toBe(expected);
    expect(stripped.split("\n").map(({ length }) => length)).toEqual(text.split("\n").map(({ length }) => length));
    if (expected !== undefined) expect(parseSync("x.js", stripped, { lang: "js" }).errors).toEqual([]);
  });

  it("makes JavaScript of every program of the tests", () => {
    const folder = fileURLToPath(new URL("../../../test/kernel-typescript/", import.meta.url));
    let files = 0;
    for (const kind of ["positive", "negative"])
      for (const file of readdirSync(folder + kind)) {
        const text = readFileSync(`${folder}${kind}/${file}`, "utf8");
        const { errors } = parseSync("x.js", stripTypes(file, text), { lang: "js" });
        expect(errors, file).toEqual([]);
        files++;
      }
    expect(files).toBeGreaterThan(8);
  });

  it.each([
    ["enum A { b }", /An enum/],
    ["namespace A { export const b = 1 }", /A namespace/],
    ["class A { constructor(private b: u32) {} }", /A parameter property/],
    ['import a = require("a");', /import x = /],
    ["const a: = 1;", /x\.bpf\.ts: /],
  ])("refuses %s", (text, message) => {
    expect(() => strip(text)).toThrow(StripError);
    expect(() => strip(text)).toThrow(message);
  });
});
