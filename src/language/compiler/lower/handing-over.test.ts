// Words that hand something over: records of several types, programs that go on in others, memory that is copied in part.
import { describe, expect, it } from "vitest";
import { compileSource } from "../../../../test/support/compile-source.ts";
import { loweringFaults, OLD, withWords } from "../../../../test/support/lower-source.ts";
import { recordedTarget } from "../../../../test/support/recorded-target.ts";
import { argumentsContext, Machine, World } from "../../interp/index.ts";
import { compile } from "../compile.ts";
import { evaluateModule } from "./index.ts";

const KERNELS = [
  ["the newest kernel", recordedTarget()],
  ["an old one", recordedTarget({ ...OLD, currentTaskBtf: true })],
] as const;
const text = new TextDecoder();

describe.each(KERNELS)("compiled for %s", (_, target) => {
  it("records of several types stand in one ring", () => {
    const source = `
      const records = ringbuf({ bytes: 4096 });
      const Small = struct({ kind: u8, n: u64 }); const Text = struct({ kind: u8, length: u32, text: bytes(16) });
      export const p = rawTracepoint("sys_enter", (ctx) => {
        if (!records.emit(Small, { kind: 1, n: u64(ctx.args[1]) })) return;
        const whole = zeros(Text); whole.kind = 2;
        const length = userStrInto(whole.text, u64(ctx.args[1]));
        if (length < 0) return;
        whole.length = u32(length);
        records.output(whole, 8 + length);
        const kept = records.reserve(Small);
        if (kept === undefined) return;
        kept.kind = 3; kept.submit();
        records.output(whole);
      });`;
    const { spec } = compileSource(source, target);
    const world = new World();
    const machine = new Machine(spec, { world });
    const address = world.user("/etc/hosts");
    machine.run("p", argumentsContext(0, address));
    const records = machine.ring<Uint8Array>("records").records();
    expect(records.map(({ length }) => length)).toEqual([16, 19, 16, 24]);
    expect(records.map(([kind]) => kind)).toEqual([1, 2, 3, 2]);
    expect(new DataView((records[0] as Uint8Array).slice().buffer).getBigUint64(8, true)).toBe(address);
    expect(text.decode((records[1] as Uint8Array).subarray(8, 18))).toBe("/etc/hosts");
    // Memory that is not there sends nothing.
    machine.run("p", argumentsContext(0, world.user("/x", { resident: false })));
    expect(machine.ring("records").records()).toHaveLength(1);
  });

  it("a full ring is counted", () => {
    const { spec } = compileSource(
      'const records = ringbuf({ bytes: 4096 }); const Big = struct({ text: bytes(256) }); export const p = rawTracepoint("sys_enter", () => { const big = zeros(Big); for (const i of range(20)) records.output(big); });',
      target,
    );
    const machine = new Machine(spec);
    machine.run("p", argumentsContext(0, 0));
    expect(machine.ring("records").records()).toHaveLength(15);
    expect(machine.variable("records.dropped")).toBe(5n);
  });

  it("copies as many bytes as it is told, and says when it cannot", () => {
    const source = `
      const out = arrayMap(struct({ status: i64, data: array(u64, 4) }), 1);
      export const p = rawTracepoint("sys_enter", (ctx) => {
        const length = min(u64(ctx.args[1]), 32);
        const to = out.get(0);
        to.status = readUserInto(to.data, u64(ctx.args[0]), length);
      });`;
    const { spec } = compileSource(source, target);
    const world = new World();
    const machine = new Machine(spec, { world });
    const at = world.user(Uint8Array.from({ length: 40 }, (__, i) => i + 1));
    const out = () => machine.map<number, { status: bigint; data: bigint[] }>("out").get(0);
    machine.run("p", argumentsContext(at, 9));
    expect(out()).toEqual({ status: 0n, data: [0x0807060504030201n, 9n, 0n, 0n] });
    machine.run("p", argumentsContext(at, 1000));
    expect(out()?.data[3]).toBe(0x201f1e1d1c1b1a19n);
    machine.run("p", argumentsContext(8, 8));
    expect(out()).toMatchObject({
      status: -14n,
      data: [0n, 0x100f0e0d0c0b0a09n, expect.anything(), expect.anything()],
    });
  });

  it("programs go on in others, with what they keep in maps", () => {
    const source = `
      const order = arrayMap(array(u64, 4), 1); const count = global(u64);
      const steps = progArray(["second", "third"]);
      function note(step: u64): void { const at = count.value & 3; order.get(0)[at] = step; count.value += 1; }
      export const first = rawTracepoint("sys_enter", (ctx) => { note(1); steps.tailCall(u64(ctx.args[1]) & 1); note(9); });
      export const second = rawTracepoint("sys_enter", () => { note(2); if (count.value < 3) steps.tailCall("third"); });
      export const third = rawTracepoint("sys_enter", () => { note(3); steps.tailCall("second"); });`;
    const { spec } = compileSource(source, target);
    const machine = new Machine(spec);
    machine.run("first", argumentsContext(0, 0));
    expect(machine.map("order").get(0)).toEqual([1n, 2n, 3n, 2n]);
    expect(machine.variable("count")).toBe(4n);
  });

  it("who runs is told in one number, in a pid namespace too", () => {
    const source = `
      const ids = arrayMap(array(u64, 5), 1); const watched = cgroupArray(2);
      export const p = rawTracepoint("sys_enter", () => {
        const to = ids.get(0);
        to[0] = pidTgid(); to[1] = nsPidTgid(3, 4); to[2] = taskAddress(); to[3] = u64(taskRegisters());
        to[4] = watched.currentTaskUnder(1) ? 1 : 0;
      });`;
    const { spec } = compileSource(source, target);
    const world = new World({ pid: 7, tid: 9 });
    world.namespaced = { dev: 3n, ino: 4n, pid: 1, tid: 2 };
    world.registers = 0xffff_0000_0000_1000n;
    world.underCgroup = (index) => index === 1;
    const machine = new Machine(spec, { world });
    const ids = () => machine.map<number, bigint[]>("ids").get(0);
    machine.run("p", argumentsContext(0, 0));
    expect(ids()).toEqual([(7n << 32n) | 9n, (1n << 32n) | 2n, world.task, world.registers, 1n]);
    world.namespaced = { ...world.namespaced, ino: 5n };
    world.underCgroup = () => false;
    machine.run("p", argumentsContext(0, 0));
    expect(ids()).toMatchObject([(7n << 32n) | 9n, 0n, world.task, world.registers, 0n]);
  });

  it("does in the evaluator what it does in the machine", () => {
    const source = `
      const records = ringbuf({ bytes: 65536 }); const Chunk = struct({ n: u32, data: bytes(32) });
      export const p = syscall(struct({ a: u64, b: u64 }), (ctx) => {
        const chunk = zeros(Chunk); chunk.n = u32(ctx.a); chunk.data[ctx.b & 31] = 7;
        const length = min(ctx.b, 36);
        if (!records.output(chunk, length)) return 1;
        records.emit(Chunk, { n: 5, data: chunk.data });
        const more = records.reserve(Chunk); if (!more) return 2;
        more.n = u32(ctx.b); if (ctx.a > 3) more.submit(); else more.discard();
        return 0;
      });`;
    const { module, spec } = compileSource(source, target);
    for (const [a, b] of [
      [1n, 2n],
      [5n, 40n],
      [9n, 0n],
    ] as const) {
      const context = new Uint8Array(new BigUint64Array([a, b]).buffer);
      const machine = new Machine(spec);
      const { result } = machine.run("p", context);
      const said = evaluateModule(module, "p", { context });
      expect(BigInt(result)).toBe(said.result);
      expect(machine.ring<Uint8Array>("records").records()).toEqual(said.state.rings.get("records"));
    }
  });
});

describe("a tail call", () => {
  const around = (body: string) =>
    `const steps = progArray(["q"]); const Event = struct({ n: u64 }); const ring = ringbuf(Event); export const q = rawTracepoint("sys_enter", () => {}); export const p = rawTracepoint("sys_enter", (ctx) => { ${body} });`;

  it("leaves nothing behind that is to be given back", () => {
    const held = "const e = ring.reserve(); if (e === undefined) return; e.n = 1; steps.tailCall(0);";
    expect(loweringFaults(around(held))).toMatchObject([expect.stringMatching(/^EB4303: /)]);
    const looped = "for (const i of range(0, u64(ctx.args[1]))) { if (i === 3) steps.tailCall(0); }";
    expect(loweringFaults(around(looped))).toMatchObject([expect.stringMatching(/^EB4303: /)]);
    expect(loweringFaults(around("if (ring.emit({ n: 1 })) steps.tailCall(0);"))).toEqual([]);
  });
});

describe("a length that is not seen to be small enough", () => {
  it("is an error with what it may be", () => {
    const source = withWords(
      'const records = ringbuf({ bytes: 4096 }); const T = struct({ n: array(u64, 4) }); export const p = rawTracepoint("sys_enter", (ctx) => { const t = zeros(T); records.output(t, u64(ctx.args[1])); });',
    );
    const { diagnostics } = compile({ entry: "a.bpf.ts", files: new Map([["a.bpf.ts", source]]) }, recordedTarget());
    expect(diagnostics).toMatchObject([{ code: "EB3101", message: expect.stringContaining("there are 32 bytes") }]);
  });
});
