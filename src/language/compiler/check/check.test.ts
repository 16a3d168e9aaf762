import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BODIES, EVERY_KIND, NEWER } from "../../../../test/support/accepted-programs.ts";
import { inProgram as programOf } from "../../../../test/support/lower-source.ts";
import { recordedTarget } from "../../../../test/support/recorded-target.ts";
import { check, resolvePath } from "./check.ts";

const target = recordedTarget();
const VOCABULARY =
  "struct, str, bytes, array, u8, u16, u32, u64, i8, i16, i32, i64, u64n, be16, bool, hash, arrayMap, ringbuf, counter, sum, avg, histogram, linear, stackTraces, taskStorage, param, global, tracepoint, rawTracepoint, tpBtf, kprobe, kretprobe, uprobe, fentry, fexit, lsm, profile, interval, iter, syscall, pid, tid, uid, comm, ktime, task, userStr, kernelStr, readUser, readKernel, cell, min, max, abs, range, atMost, print, signal, ntohs, cgroupId, EPERM, xdp, XDP, progArray, cgroupArray, zeros, readUserInto, readKernelInto, userStrInto";

/** Checks a module; `line: code` of what is wrong, lines counted from the first of `text`. */
function faults(text: string, files: Readonly<Record<string, string>> = {}): string[] {
  const source = `import { ${VOCABULARY} } from "skep/kernel"; import type { Kernel, UserPtr } from "skep/kernel"; import type { task_struct } from "btf:vmlinux";\n${text}`;
  const { diagnostics } = check(
    { entry: "a.bpf.ts", files: new Map([["a.bpf.ts", source], ...Object.entries(files)]) },
    target,
  );
  return diagnostics
    .map(({ code, span }) => {
      const whole = span.file === 0 ? source : (Object.values(files)[span.file - 1] ?? "");
      return `${whole.slice(0, span.start).split("\n").length - 1}: ${code}`;
    })
    .sort();
}

/** Maps that only these tests use. */
const MORE =
  'const records = ringbuf({ bytes: 4096 }); const steps = progArray(["p", "p"]); const cgroups = cgroupArray(1);';

/** Checks statements of one program with some maps around. */
function inProgram(body: string): string[] {
  return faults(`${MORE}${programOf(body)}`.replaceAll("\n", " ")).map((fault) => fault.replace(/^1: /, ""));
}

describe("what is accepted", () => {
  it.each<readonly [name: string, body: string]>([
    ...BODIES,
    ...NEWER,
    ["unsigned below signed", "if (ctx.dfd > pid()) seen.add(1);"],
    [
      "narrowing by a branch",
      "const t = started.get(pid()); if (t !== undefined) seen.add(ktime() - t); else seen.add(1);",
    ],
    ["narrowing by !", "const s = stats.get(pid()); if (!s) return; s.n += 1;"],
    ["references are true when they are there", "const s = stats.ref(pid()); if (s) s.n++;"],
    [
      "cells within structs",
      "const s = stats.ref(pid()); if (s) { cell(s.n).add(1); cell(s.list[ctx.flags & 3]).add(2); const was = cell(s.n).cas(1, 2); seen.add(was); }",
    ],
  ])("%s", (_, body) => expect(inProgram(body)).toEqual([]));

  it("programs of every kind", () => {
    expect(
      faults(`${EVERY_KIND}
export const x = xdp((pkt) => { const e = pkt.at(0, struct({ a: be16 })); if (!e || e.a === 5) return XDP.PASS; n.add(pkt.length); return e.a > 3 ? XDP.DROP : XDP.PASS; });`),
    ).toEqual([]);
  });

  it("modules", () => {
    const files = {
      "lib/m.bpf.ts":
        'import { hash, u32, u64 } from "skep/kernel"; export const shared = hash(u32, u64); export function half(x: u64): u64 { return x / 2; } export const LIMIT = 3;',
    };
    expect(
      faults(
        'import { shared, half, LIMIT } from "./lib/m.bpf.ts"; export const p = interval({ ms: 5 }, () => { shared.set(LIMIT, half(8)); });',
        files,
      ),
    ).toEqual([]);
  });
});

describe("program arrays", () => {
  const two = (array: string, second: string) =>
    faults(
      `const steps = ${array}; export const a = rawTracepoint("sys_enter", () => { steps.tailCall(0); }); export const b = ${second};`,
    );
  it("name programs of the module, of one kind", () => {
    expect(two('progArray(["b"])', 'rawTracepoint("sys_exit", () => {})')).toEqual([]);
    expect(two('progArray(["b", "a"])', 'uprobe("libc", "malloc", () => {})')).toEqual(["1: EB2028"]);
    expect(two('progArray(["c"])', 'rawTracepoint("sys_exit", () => {})')).toEqual(["1: TS2345"]);
    expect(two("progArray([])", 'rawTracepoint("sys_exit", () => {})')).toContain("1: TS2345");
  });
});

describe("a kernel without types", () => {
  it("has raw tracepoints with numbers for arguments", () => {
    const source =
      'import { hash, rawTracepoint, u64 } from "skep/kernel"; const seen = hash(u64, u64); export const p = rawTracepoint("sys_enter", (ctx) => { seen.set(ctx.args[0], ctx.args[11]); });';
    const files = new Map([["a.bpf.ts", source]]);
    expect(check({ entry: "a.bpf.ts", files }, { ...target, btf: undefined }).diagnostics).toEqual([]);
    const more = new Map([["a.bpf.ts", source.replace("args[11]", "args[12]")]]);
    expect(check({ entry: "a.bpf.ts", files: more }, { ...target, btf: undefined }).diagnostics).toHaveLength(1);
  });
});

it("parameters are changed neither by functions that are handed them nor by another name", () => {
  const module = (body: string): string =>
    `const Row = struct({ a: u32 });
     const Table = struct({ rows: array(Row, 2), n: u32 });
     export const table = param(Table, { rows: [{ a: 1 }, { a: 2 }], n: 2 });
     export const reads = counter();
     function change(row: Kernel<typeof Row>): void { row.a = 5; }
     function passOn(all: Kernel<typeof Table>): void { change(all.rows[0]); }
     function read(all: Kernel<typeof Table>): u32 { return all.n + all.rows[1].a; }
     export const p = interval({ ms: 5 }, () => { ${body} });`;
  const codes = (text: string): string[] => faults(text).map((each) => each.replace(/^\d+: /, ""));
  expect(codes(module("change(table.rows[1]);"))).toEqual(["EB3104"]);
  expect(codes(module("passOn(table);"))).toEqual(["EB3104"]);
  expect(codes(module("for (const row of table.rows) row.a = 2;"))).toEqual(["EB3104"]);
  expect(codes(module("reads.add(read(table)); for (const row of table.rows) reads.add(row.a);"))).toEqual([]);
  expect(codes(module("const own: Kernel<typeof Table> = table; passOn(own); reads.add(read(own));"))).toEqual([]);
});

describe("what is refused", () => {
  it.each([
    ["absent values", "const t = started.get(pid()); seen.add(ktime() - t);", ["EB2101"]],
    [
      "absent values, behind a loop that assigns",
      "let t = started.get(1); if (t === undefined) return; for (const i of range(3)) { seen.add(t); t = started.get(i); }",
      ["EB2101"],
    ],
    ["0 or absent", "const t = started.get(pid()); if (t) seen.add(1);", ["EB2104"]],
    ["!", "const t = started.get(pid())!; seen.add(t);", ["EB2102"]],
    ["u64 into u32", "const n: u32 = ktime();", ["TS2322"]],
    ["a cast of the other sign", "const n: u32 = i32(3);", ["TS2322"]],
    ["a number too large", "const n: u8 = 256;", ["EB2206"]],
    ["u64 with signed", "if (ktime() < ctx.dfd * 2) seen.add(1);", ["EB2203"]],
    ["a range to a number of 32 bits with a sign", "for (const i of range(ctx.dfd)) seen.add(i);", ["EB2203"]],
    ["a range from one", "for (const i of range(i16(ctx.dfd), 7)) seen.add(i);", ["EB2203"]],
    ["a range to one below 0", "for (const i of range(-1)) seen.add(i);", ["EB2203"]],
    ["a range to a known one below 0", "for (const i of range(0, i32(-1))) seen.add(i);", ["EB2203"]],
    ["never negative", "if (ktime() - 5 < 0) seen.add(1);", ["EB2207"]],
    ["fractions", "seen.add(0.5);", ["EB1012"]],
    ["bigints", "seen.add(5n);", ["EB1013"]],
    ["division by 0", "seen.add(ktime() / 0);", ["EB2201"]],
    ["shifts", "seen.add(1 << 64);".replace("1 <<", "ktime() <<"), ["EB2208"]],
    ["==", "if (pid() == 1) seen.add(1);", ["EB1002"]],
    ["await", "await 5;", ["EB1000", "EB1001"]],
    ["new", "new Foo();", ["EB1001"]],
    ["try", "try { seen.add(1); } catch {}", ["EB1001"]],
    ["var", "var x = 1;", ["EB1007"]],
    ["a closure", "const f = () => 1;", ["EB1001"]],
    ["unknown names", "foo(1); bar;", ["TS2304", "TS2304"]],
    ["unknown fields", "seen.add(ctx.flag);", ["TS2339"]],
    ["unknown members of the kernel", "seen.add(task().pidd);", ["TS2339"]],
    ["unknown methods", "started.gett(1);", ["TS2339"]],
    ["missing fields", "events.emit({ n: 1, small: 1, name: comm() });", ["TS2741"]],
    ["fields too many", "stats.set(1, { n: 1, small: 1, name: comm(), list: [1, 2, 3, 4], x: 1 });", ["TS2353"]],
    ["elements too few", "stats.set(1, { n: 1, small: 1, name: comm(), list: [1] });", ["EB2210"]],
    ["an index too large", "slots.set(256, 1);", ["EB3101"]],
    ["memory of the process", "seen.add(ctx.filename.x);", ["EB3105"]],
    ["kernel memory is not written", "task().pid = 3;", ["EB3103"]],
    ["cells of kernel memory", "cell(task().pid).add(1);", ["EB3103"]],
    ["cells of the stack", "const s = { n: ktime() }; cell(s.n).add(1);", ["EB3109"]],
    ["cells of parameters", "cell(limit).add(1);", ["EB3104"]],
    ["cells of texts", "const s = stats.ref(1); if (s) cell(s.name).add(1);", ["TS2345"]],
    ["cells of 16 bits", "const s = stats.ref(1); if (s) cell(s.small).add(1);", ["EB3109"]],
    ["parameters are not written", "limit = 3;", ["EB3104"]],
    ["constants", "const x = 1; x = 2;", ["TS2588"]],
    ["endless recursion", "seen.add(loops(1));", ["TS2304"]],
    [
      "texts too long",
      'stats.set(1, { n: 1, small: 1, name: "a text that is too long for it", list: [1, 2, 3, 4] });',
      ["EB2209"],
    ],
    ["texts that never match", 'if (comm() === "a name of more than fifteen") seen.add(1);', ["EB2211"]],
    ["texts that are joined", 'const x = comm() + "x";', ["EB1015"]],
    ["|| for a number", "const x = pid() || 3;", ["EB2108"]],
    ["… that is computed", "const x = (pid() & 1) || ctx.flags > 3;", ["EB2108"]],
    ["… within another", "const x = (pid() && uid() > 1) || ctx.flags > 3;", ["EB2108"]],
    ["… of what is there", "const s = stats.get(1); const x = s !== undefined && s.n;", ["EB2108"]],
    ["the least of a number below 0 and one beyond 63 bits", "seen.add(u64(min(ctx.dfd, 1 << 63)));", ["EB2203"]],
    ["the context as a value", "const x = ctx;", ["EB2010"]],
    ["what a program returns", "return comm();", ["TS2322"]],
    ["tasks that nobody vouches for", "perTask.get(task().real_parent);", ["EB3106"]],
    ["break outside", "break;", ["EB1000", "TS1105"]],
    ["programs that an array has not", 'steps.tailCall("third");', ["TS2345"]],
    ["slots that a program array has not", "steps.tailCall(2);", ["EB3101"]],
    ["slots that a cgroup array has not", "if (cgroups.currentTaskUnder(1)) seen.add(1);", ["EB3101"]],
    ["records of no type", "records.emit({ n: 1 });", ["TS2554"]],
    ["records that are no structs", "records.reserve(u64);", ["EB2022"]],
    ["what is sent of a ring of one type", "const s = zeros(Stat); events.output(s);", ["TS2339"]],
    ["numbers that are sent", "const n = ktime(); records.output(n);", ["TS2364"]],
    ["more bytes than there are", "const s = zeros(Stat); records.output(s, 4096);", ["EB3101"]],
    ["zeros of a number", "seen.add(zeros(u64));", ["EB2022"]],
    ["memory of the kernel as the process's", "const s = zeros(Stat); readUserInto(s, task());", ["EB3106"]],
    ["memory of the process as the kernel's", "const s = zeros(Stat); readKernelInto(s, ctx.filename);", ["EB3105"]],
    ["memory of the kernel to read into", "readUserInto(task(), ctx.filename);", ["TS2364"]],
    ["several at once", "foo(1); const n: u8 = 300; seen.add(n); started.gett(1);", ["EB2206", "TS2304", "TS2339"]],
    ["arguments", "started.get(); twice(1, 2); twice(comm());", ["TS2345", "TS2554", "TS2554"]],
  ])("%s", (_, body, codes) => expect(inProgram(body)).toEqual(codes));

  it.each([
    ["tracepoints", 'export const p = tracepoint("syscalls:sys_enter_opennat", () => {});', ["1: TS2345"]],
    ["raw tracepoints", 'export const p = rawTracepoint("sys_entered", () => {});', ["1: TS2345"]],
    ["functions of the kernel", 'export const p = fentry("vfs_reed", () => {});', ["1: TS2345"]],
    [
      "recursion",
      "function a(x: u64): u64 { return b(x); } function b(x: u64): u64 { return a(x); }\nexport const p = interval({ ms: 1 }, () => { a(1); });",
      ["1: EB2310"],
    ],
    ["imports of others", 'import x from "node:fs";', ["1: EB1021"]],
    ["missing files", 'import { x } from "./no.bpf.ts";', ["1: TS2307"]],
    ["statements", "ktime();", ["1: EB1018"]],
    ["let", "let x = 1;", ["1: EB1017"]],
    ["rings of odd sizes", "const r = ringbuf(struct({ a: u32 }), { bytes: 5000 });", ["1: EB2022"]],
    ["a ring of no struct", "const r = ringbuf(u32);", ["1: EB2022"]],
    ["options", "const h = hash(u32, u64, { size: 3 });", ["1: TS2353"]],
    ["types of parameters", "function f(x) { return x; }", ["1: TS7006"]],
    ["number", "function f(x: number) { return x; }", ["1: EB2004"]],
    [
      "what uses a broken declaration is not refused again",
      "const h = hash(u32, foo);\nexport const p = interval({ ms: 1 }, () => { h.set(1, 2); });",
      ["1: EB2001"],
    ],
    ["no end without a value", "function f(x: u64): u64 { if (x > 1) return 2; }", ["1: TS2366"]],
    ["an XDP program answers with one of five", "export const p = xdp(() => 7);", ["1: TS2322"]],
    ["… as it is written", "export const p = xdp((pkt) => pkt.length & 1);", ["1: TS2322"]],
    [
      "headers that may not be there",
      "export const p = xdp((pkt) => pkt.at(0, struct({ a: u8 })).a === 1 ? XDP.DROP : XDP.PASS);",
      ["1: EB2101"],
    ],
    [
      "what is farther than packets go",
      "export const p = xdp((pkt) => { pkt.at(40_000, struct({ a: u8 })); return XDP.PASS; });",
      ["1: EB3101"],
    ],
    ["an lsm program answers", 'export const p = lsm("file_open", () => { return; });', ["1: TS2322"]],
    ["syntax", "const = 3;", ["1: EB1000"]],
  ])("%s", (_, text, expected) => expect(faults(text)).toEqual(expected));
});

it("a text of a tracepoint's record is cut where it goes", () => {
  const program = (size: number) =>
    `const events = ringbuf(struct({ file: str(${size}) })); export const p = tracepoint("sched:sched_process_exec", (ctx) => { events.emit({ file: ctx.filename }); const text = ctx.filename; events.emit({ file: text }); });`;
  expect(faults(program(127))).toEqual(["1: TS2322"]); // A variable has 64 bytes.
  expect(faults(program(64))).toEqual([]);
});

it("constants are named by themselves, and by the module that has them", () => {
  const text = `import * as k from "skep/kernel"; import * as lib from "./lib.bpf.ts"; const DOUBLE = lib.LIMIT * 2;
const seen2 = global(u64, lib.TABLE.a);
export const p = k.xdp((packet) => packet.length > DOUBLE ? k.XDP.DROP : k.XDP.PASS);
export const q = k.lsm("file_open", () => -k.EPERM);
export const r = k.interval({ ms: lib.LIMIT }, () => { for (const [key, value] of lib.map) seen2.add(key + value + lib.TABLE.a); });`;
  const lib =
    'import { hash, u32 } from "skep/kernel"; export const LIMIT = 5; export const TABLE = { a: 1 }; export const map = hash(u32, u32);';
  expect(faults(text, { "lib.bpf.ts": lib })).toEqual([]);
});

it("a variable hides the module of its name", () => {
  const text = `import * as lib from "./lib.bpf.ts"; const Stat = struct({ read: u32, name: str(8) }); const stats = hash(u32, Stat);
export const p = interval({ ms: 1 }, () => { const lib = stats.get(1); if (lib && lib.name.startsWith("x")) lib.read += 1; });`;
  const lib = 'import { hash, u32 } from "skep/kernel"; export const name = hash(u32, u32); export const read = 7;';
  expect(faults(text, { "lib.bpf.ts": lib })).toEqual([]);
});

it("resolves paths of imports", () => {
  expect(resolvePath("/a/b/c.bpf.ts", "./d.bpf.ts")).toBe("/a/b/d.bpf.ts");
  expect(resolvePath("/a/b/c.bpf.ts", "../d.bpf.ts")).toBe("/a/d.bpf.ts");
  expect(resolvePath("c.bpf.ts", "../x/d.bpf.ts")).toBe("../x/d.bpf.ts");
});

it("never throws, whatever it is given", () => {
  const files = ["1-hello", "2-opensnoop"].map((name) => `// ${name}`);
  const programs = new URL("../../../../test/support/accepted-programs.ts", import.meta.url);
  const text = [new URL(import.meta.url), programs].map((file) => readFileSync(file, "utf8")).join("");
  for (let i = 0; i < text.length; i += 97) faults(text.slice(i, i + 400) + files.join("\n"));
});
