// What was refused though TypeScript takes it, found by programs that were made up: each is taken now.
import { describe, expect, it } from "vitest";
import type { Target } from "../target.ts";
import { check } from "./check.ts";

const target = {
  arch: "x64",
  byteOrder: "little",
  btf: undefined,
  release: "test",
  features: {},
  cpus: 1,
  tracepointFormat: () => undefined,
} as unknown as Target;

function codesOf(declarations: string, body: string): string[] {
  const text = `
    import { be32, hash, ringbuf, str, struct, syscall, u32, u64, u8, type Str } from "skep/kernel";
    const C = struct({ a: u32, b: be32, n: u64 });
    ${declarations}
    export const program = syscall(C, (ctx) => { ${body} });`;
  const { diagnostics } = check({ entry: "m.bpf.ts", files: new Map([["m.bpf.ts", text]]) }, target);
  return diagnostics.filter(({ severity }) => severity === "error").map(({ code, message }) => `${code} ${message}`);
}

describe("programs that are taken", () => {
  it("hand over a record of a ring, or give it back", () => {
    expect(
      codesOf(
        "const ring = ringbuf(C);",
        "const r = ring.reserve(); if (!r) return; r.a = 1; if (ctx.a > 1) r.submit(); else r.discard();",
      ),
    ).toEqual([]);
  });

  it("ask for the length of a text that is a parameter", () => {
    expect(codesOf("function f(text: Str<16>): u64 { return text.length; }", 'return f("x");')).toEqual([]);
  });

  it("give one of two numbers, or nothing, to a variable that says which it holds", () => {
    expect(codesOf("", "let x: u8 | undefined = ctx.a > 1 ? 4 : undefined; return x ?? 1;")).toEqual([]);
    expect(codesOf("", "let x: u8 | undefined = ctx.a > 1 ? 400 : undefined; return x ?? 1;")).toEqual([
      "EB2206 400 does not go into the value, which holds u8.",
    ]);
  });

  it("give what may be absent to a variable that is wider", () => {
    const map = "const map = hash(u32, u32);";
    expect(codesOf(map, "let x: u64 | undefined = map.get(1); if (x === undefined) return; return x;")).toEqual([]);
    expect(codesOf(map, "let x: u8 | undefined = map.get(1); return x ?? 1;")[0]).toMatch(/^TS2322 /);
  });

  it("give any number back", () => {
    expect(codesOf("", "if (ctx.a > 1) return ctx.n; return ctx.n * 3;")).toEqual([]);
  });

  it("do not care how a number is stored", () => {
    expect(codesOf("", "const x: u32 = ctx.n > 1 ? ctx.a : ctx.b; return x;")).toEqual([]);
  });
});
