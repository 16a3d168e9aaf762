import { describe, expect, it } from "vitest";
import { compileSource } from "../../../test/support/compile-source.ts";
import { OLD, withWords } from "../../../test/support/lower-source.ts";
import { recordedTarget } from "../../../test/support/recorded-target.ts";
import { ElfMachine, parseUsdtArguments } from "../../object/elf/index.ts";
import { encodeUsdtSpec, USDT_ADDRESSES, USDT_SPECS, usdtSpecLayout } from "../../object/spec/index.ts";
import { Machine, World } from "../interp/index.ts";
import { compile } from "./compile.ts";
import type { Target } from "./target.ts";

const SOURCE = `
export const seen = hash(u32, i64);
export const p = usdt("libc", "libc", "memory_sbrk_more", (ctx) => {
  seen.set(0, ctx.args[0]); seen.set(1, ctx.args[1]); seen.set(2, ctx.args[2]); seen.set(3, ctx.args[11]);
  seen.set(4, i64(cookie()));
});
`;
const NEW = recordedTarget();
const BEFORE_COOKIES: Target = { ...recordedTarget(OLD), hasHelper: (name) => name !== "get_attach_cookie" };

const machineOf = (target: Target, source = SOURCE, world = new World(), options = {}) =>
  new Machine(compileSource(source, target, options).spec, { world }) as unknown as Machine;
const seenBy = (machine: Machine) => [...machine.map<number, bigint>("seen").values()];

it("the tables are those that attachments know, and only where they are asked for", () => {
  const maps = (source: string, target: Target) => Object.keys(compileSource(source, target).spec.maps);
  expect(maps(SOURCE, NEW)).toEqual(["seen", USDT_SPECS, ".losses"]);
  expect(maps(SOURCE, BEFORE_COOKIES)).toEqual(["seen", USDT_SPECS, USDT_ADDRESSES, ".losses"]);
  expect(maps('const n = counter(); export const p = usdt("a", "b", "c", () => n.inc());', NEW)).toEqual(["n"]);
  const { spec } = compileSource(SOURCE, NEW);
  expect(spec.programs["p"]).toMatchObject({ type: "kprobe", section: "usdt/libc:libc:memory_sbrk_more" });
});

describe.each([
  ["a kernel with cookies", NEW],
  ["one without", BEFORE_COOKIES],
])("arguments of a probe on %s", (_, target) => {
  it("are those that the test says", () => {
    const machine = machineOf(target);
    machine.run("p", undefined, { probeArguments: [-7, 2n ** 40n, 0], cookie: 77 });
    expect(seenBy(machine)).toEqual([-7n, 2n ** 40n, 0n, 0n, 77n]);
  });

  it.each([
    ["8@%rax -4@%eax 2@%ax", [0x1122334485667788n, -0x7a998878n, 0x7788n]],
    ["1@%ah -1@%al -8@$-9", [0x77n, -0x78n, -9n]],
    ["-4@-4(%rbx) 8@(%rbx) 1@3(%rbx)", [-5n, 0x0807060504030201n, 4n]],
    ["2@(%rbx,%rcx,2) -4@-8(%rbx,%rcx,2) 1@0(%rbx,%rcx,1)", [0x0605n, -5n, 3n]],
    ["8@$18446744073709551615 4@$4294967295", [-1n, 4294967295n, 0n]],
  ])("are read as %s", (text, expected) => {
    const world = new World();
    // Nothing stands behind: an argument is read no further than it goes.
    const memory = world.user(Uint8Array.of(0xfb, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5, 6, 7, 8));
    const machine = machineOf(target, SOURCE, world);
    const registers = new BigUint64Array(21);
    registers[10] = 0x1122334485667788n;
    registers[5] = memory + 4n;
    registers[11] = 2n;
    const number = 3;
    registers[16] = 0x401000n;
    const specs = machine.map<number, unknown>(USDT_SPECS);
    const layout = usdtSpecLayout({ type: "array", valueSize: specs.valueSize }, specs.spec.value);
    specs.set(number, encodeUsdtSpec(layout, parseUsdtArguments(text, ElfMachine.x64), 2n ** 63n) as never);
    if (target === BEFORE_COOKIES) machine.map(USDT_ADDRESSES).set(0x401000n, number);
    machine.run("p", new Uint8Array(registers.buffer), { cookie: number });
    expect(seenBy(machine)).toEqual([...expected, 0n, -(2n ** 63n)]);
  });

  it("are 0 where the place is not known, and where memory is gone", () => {
    const machine = machineOf(target);
    const context = new Uint8Array(168);
    if (target === NEW) machine.run("p", context, { cookie: 256 });
    else machine.run("p", context);
    expect(seenBy(machine)).toEqual([0n, 0n, 0n, 0n, 0n]);
    const layout = usdtSpecLayout({ type: "array", valueSize: 208 }, machine.map(USDT_SPECS).spec.value);
    machine.map<number, unknown>(USDT_SPECS).set(0, encodeUsdtSpec(layout, parseUsdtArguments("4@(%rbx)", 62), 0n));
    if (target === BEFORE_COOKIES) machine.map(USDT_ADDRESSES).set(0n, 0);
    machine.run("p", context);
    expect(seenBy(machine)[0]).toBe(0n);
  });

  it("are read in loops and by functions", () => {
    const machine = machineOf(
      target,
      `export const seen = hash(u32, i64); const big = hash(u64, u64);
      function add(x: i64, y: i64): i64 { return x + y; }
      export const p = usdt("a", "b", "c", (ctx) => {
        let sum: i64 = 0;
        for (let i = 0; i < 5; i++) { sum = add(sum, ctx.args[1]); big.set(u64(i), 1); }
        for (const i of range(1000)) { if (i === 3) break; sum += ctx.args[0]; }
        seen.set(0, sum);
      });`,
      new World(),
      // As `load` does it: what is only likely to be too much for the kernel is left to that.
      { trying: true },
    );
    machine.run("p", undefined, { probeArguments: [100, -3] });
    expect(seenBy(machine)).toEqual([285n]);
  });
});

it("cookie() of other programs is what the kernel gives", () => {
  const { spec } = compileSource(
    'export const p = uprobe("a", "b", () => u32(cookie())); export const q = usdt("a", "b", "c", () => u32(cookie()));',
    NEW,
  );
  const machine = new Machine(spec) as unknown as Machine;
  expect(machine.run("p", new Uint8Array(168), { cookie: 5 }).result).toBe(5);
  expect(machine.run("q", undefined, { probeArguments: [], cookie: 9 }).result).toBe(9);
  expect(() => machine.run("q", undefined, { probeArguments: Array(13).fill(0) })).toThrow(/has room for 12/);
});

it.each([
  ['usdt("a", "b:c", "d", () => {})', 'TS2345: "b:c" is no provider.'],
  ['usdt("a", "b", "", () => {})', 'TS2345: "" is no probe.'],
  ['usdt("a", "b", () => {})', "TS2554: `usdt` takes 3 arguments and the program's function behind."],
  ['usdt("a", "b", "c", (ctx) => u32(ctx.args[12]))', "TS2493: There is no argument 12 in probe b:c, which has 12."],
  ['usdt("a", "b", "c", (ctx) => u32(ctx.args[pid()]))', /^EB3107: Which argument is meant/],
  ['usdt("a", "b", "c", (ctx) => u32(ctx.ret))', "TS2339: There is no `ret` in probe b:c."],
  [
    'usdt("a", "b", "c", (ctx) => { const n: u32 = ctx.args[0]; return n; })',
    "TS2322: `ctx.args[0]` is i64, and `n` holds u32.",
  ],
])("%s is refused", (source, said) => {
  const files = new Map([["a.bpf.ts", withWords(`export const p = ${source};`)]]);
  const { diagnostics } = compile({ entry: "a.bpf.ts", files }, NEW);
  expect(diagnostics.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    said instanceof RegExp ? expect.stringMatching(said) : said,
  ]);
});
