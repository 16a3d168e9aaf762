import { describe, expect, it } from "vitest";
import { compileSource } from "../../../test/support/compile-source.ts";
import { OLD, withWords } from "../../../test/support/lower-source.ts";
import { recordedTarget } from "../../../test/support/recorded-target.ts";
import {
  array,
  be16,
  bool,
  bytes,
  i32,
  makeDecoder,
  memoryOf,
  str,
  struct,
  u8,
  u16,
  u32,
  u64,
} from "../../object/codec/index.ts";
import { layoutContext, Machine } from "../interp/index.ts";
import { compile } from "./compile.ts";
import { evaluateModule } from "./lower/index.ts";

const Inner = struct({ x: u8, y: u32 });
const LAYOUT = struct({
  n: u64,
  small: u16,
  signed: i32,
  port: be16,
  flag: bool,
  name: str(20),
  raw: bytes(6),
  list: array(u32, 40),
  inner: Inner,
  other: Inner,
});
const SOURCE = `
const Inner = struct({ x: u8, y: u32 });
const Ctx = struct({ n: u64, small: u16, signed: i32, port: be16, flag: bool, name: str(20), raw: bytes(6), list: array(u32, 40), inner: Inner, other: Inner });
`;
const GIVEN = {
  n: 5n,
  small: 6,
  signed: -7,
  port: 80,
  flag: false,
  name: "before",
  raw: Uint8Array.of(1, 2, 3, 4, 5, 6),
  list: Array.from({ length: 40 }, (_, i) => i),
  inner: { x: 1, y: 2 },
  other: { x: 3, y: 4 },
};

describe.each([
  ["the newest kernel", {}],
  ["an old one", OLD],
])("a syscall program's context on %s", (_, features) => {
  it.each([
    [
      "numbers",
      "ctx.n = ctx.n * 2 + 1; ctx.small = 9; ctx.signed = -1; ctx.port = 443; ctx.flag = true;",
      { n: 11n, small: 9, signed: -1, port: 443, flag: true },
    ],
    [
      "what is added",
      "ctx.n += 3; ctx.small++; ctx.signed -= 5; ctx.port += 1;",
      { n: 8n, small: 7, signed: -12, port: 81 },
    ],
    ["texts", 'ctx.name = "after";', { name: "after" }],
    [
      "bytes and elements",
      "ctx.raw = [9, 8, 7, 0, 0, 0]; ctx.list[3] = 99; ctx.raw[5] = 1;",
      { raw: Uint8Array.of(9, 8, 7, 0, 0, 1), list: GIVEN.list.map((x) => (x === 3 ? 99 : x)) },
    ],
    [
      "structs",
      "ctx.inner = { x: 8, y: u32(ctx.inner.y + 1) }; ctx.other = ctx.inner;",
      { inner: { x: 8, y: 3 }, other: { x: 8, y: 3 } },
    ],
    [
      "fields of structs",
      "ctx.inner.y = 7; if (ctx.inner.y === 7) ctx.other.x = 1;",
      { inner: { x: 1, y: 7 }, other: { x: 1, y: 4 } },
    ],
    [
      "what is written and read again",
      "ctx.n = 1; const a = ctx.n; ctx.n = 2; ctx.small = u16(a + ctx.n);",
      { n: 2n, small: 3 },
    ],
    [
      "arrays",
      "const old = ctx.list; ctx.list[0] = 5; ctx.n = old[0] + ctx.list[0];",
      { n: 5n, list: GIVEN.list.map((x) => (x === 0 ? 5 : x)) },
    ],
  ])("%s", (__, body, changed) => {
    const { spec, module } = compileSource(
      `${SOURCE}export const p = syscall(Ctx, (ctx) => { ${body} });`,
      recordedTarget(features),
    );
    const [context, evaluated] = [layoutContext(LAYOUT, GIVEN), layoutContext(LAYOUT, GIVEN)];
    (new Machine(spec) as unknown as Machine).run("p", context);
    const memory = memoryOf(new ArrayBuffer(Math.ceil(LAYOUT.size / 8) * 8));
    memory.u8.set(context);
    expect(makeDecoder(LAYOUT)(memory, 0)).toEqual({ ...GIVEN, ...changed });
    evaluateModule(module, "p", { context: evaluated });
    expect(evaluated).toEqual(context);
  });
});

it.each([
  [
    "syscall(struct({ a: u64 }), (ctx) => { cell(ctx.a).add(1); })",
    /^EB3109: `ctx.a` is part of the program's context/,
  ],
  ["syscall(struct({ a: array(u64, 4), i: u64 }), (ctx) => { ctx.a[ctx.i] = 1; })", /^EB3107/],
  ["syscall(struct({ a: u8 }), (ctx) => { ctx.a = pid(); })", /^TS2322|^EB2205/],
  [
    'tracepoint("syscalls:sys_enter_openat", (ctx) => { ctx.flags = 1; })',
    /^EB3104: `ctx.flags` is part of the program's context, which this kind/,
  ],
])("%s is refused", (source, said) => {
  const files = new Map([["a.bpf.ts", withWords(`export const p = ${source};`)]]);
  const { diagnostics } = compile({ entry: "a.bpf.ts", files }, recordedTarget());
  expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual([expect.stringMatching(said)]);
});
