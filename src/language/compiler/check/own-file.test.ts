import { expect, it } from "vitest";
import { recordedTarget } from "../../../../test/support/recorded-target.ts";
import { compile } from "../compile.ts";

const USER = `
import { readFileSync } from "node:fs";
import { load } from "skep";
import { counter as count, ktime, param, pid, str, syscall, tracepoint, u64, comm } from "skep/kernel";
import type { u32 } from "skep/kernel";
import * as other from "./other.bpf.ts";
import { twice } from "./math.bpf.ts";
import helper from "./helper.ts";

export const minUs = param(u64, 1000);
const opens = count(str(16));
const LIMIT = 3;
const [a, { b: c }] = readFileSync("x");
let changing = 0;
const started = new Date();
const fraction = 0.5;
const big = 5n;
const isLate = (us: u64): boolean => us > minUs && us > LIMIT;
function unused<T>(x: T): T { return x; }
async function main() { await load({ q }); for await (const x of helper) console.log(x, isLate); }

export const q = tracepoint("syscalls:sys_enter_openat", () => {
  if (ktime() / 1000 < minUs || pid() === 0) return;
  if (isLate(twice(ktime()))) opens.inc(comm());
});
const unwanted = tracepoint("no:such", () => { nothing(); });
class Thing {}
const me = { minUs, q };
using bpf = await load(me, { params: { minUs: 5n } });
for await (const e of bpf.events.x) console.log(e, other, started, a, c, changing, fraction, big, new Thing());
await main();
export { unused };
`;
const files = (text: string) =>
  new Map([
    ["app.ts", text],
    [
      "other.bpf.ts",
      'import { tracepoint } from "skep/kernel"; export const theirs = tracepoint("no:such", () => {});',
    ],
    ["math.bpf.ts", 'import type { u64 } from "skep/kernel"; export function twice(x: u64): u64 { return x * 2; }'],
  ]);
const compiled = (text: string, programs?: readonly string[]) =>
  compile({ entry: "app.ts", files: files(text), own: programs === undefined ? {} : { programs } }, recordedTarget());

it("kernel code in a file of JavaScript's own is compiled, and all else is left alone", () => {
  const { spec, diagnostics, module } = compiled(USER, ["minUs", "q"]);
  expect(diagnostics).toEqual([]);
  expect(Object.keys(spec?.programs ?? {})).toEqual(["q"]);
  expect(Object.keys(spec?.variables ?? {})).toContain("minUs");
  expect(module.maps.map(({ name, exported }) => [name, exported])).toEqual([["opens", true]]);
  // Without names all of its programs are wanted.
  expect(compiled(USER).diagnostics.map(({ code }) => code)).toEqual(["TS2345"]);
});

it.each([
  ["readFileSync()", "EB1022: `readFileSync` is a value of JavaScript, which the kernel does not see."],
  ["started === 1", "EB1022: `started` is a value of JavaScript, which the kernel does not see."],
  ["a > 1", "EB1022: `a` is a value of JavaScript, which the kernel does not see."],
  ["changing > 1", "EB1022: `changing` is a value of JavaScript, which the kernel does not see."],
  ["fraction > 1", "EB1022: `fraction` is a value of JavaScript, which the kernel does not see."],
  ["big > 1", "EB1022: `big` is a value of JavaScript, which the kernel does not see."],
  ["helper.x > 1", "EB1022: `helper` is a value of JavaScript, which the kernel does not see."],
  ["bpf.maps.get(1)", "EB1022: `bpf` is a value of JavaScript, which the kernel does not see."],
  ["me.q", "EB1022: `me` is a value of JavaScript, which the kernel does not see."],
  ["none > 1", "TS2304: There is no `none` here."],
])("%s in kernel code is refused", (test, said) => {
  const { diagnostics } = compiled(USER.replace("pid() === 0", test), ["q"]);
  expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual([said]);
});

it("functions of JavaScript's are looked at when kernel code calls them", () => {
  const { diagnostics } = compiled(USER.replace("pid() === 0", "unused(pid())"), ["q"]);
  expect(diagnostics.map(({ code }) => code)).toEqual(["EB1011"]);
});
