import { describe, expect, it } from "vitest";
import { FunctionBuilder } from "../../../../test/support/function-builder.ts";
import { expectedOutcome, longFunction, startingMaps } from "../../../../test/support/random-function.ts";
import { machineOutcome } from "../../../../test/support/run-function.ts";
import { encode } from "../../../object/asm/index.ts";
import type { Func } from "../ssa/ir.ts";
import { checkCode } from "./check.ts";
import { emitFunction, type FunctionCode, runStages } from "./emit-function.ts";

const features = { isaV4: false, fetchAtomics: true, probeReadKernel: true, iterNum: true };
const target = { byteOrder: "little", features } as const;

function codeOf(func: Func, isaV4 = false): FunctionCode {
  const result = emitFunction(func, { byteOrder: "little", features: { ...features, isaV4 } });
  if ("problem" in result) throw new Error(result.problem.kind);
  return result.code;
}

describe("frames", () => {
  it("too large are told of with their largest pieces, not thrown", () => {
    const b = new FunctionBuilder("deep", "program", ["context"]);
    const [small, path, name] = [b.newSlot(64, 8, "small"), b.newSlot(256, 1, "path"), b.newSlot(260, 4, "name")];
    const slots = [small, path, name].map((slot) => b.slot(slot));
    for (const slot of slots) b.store(slot, 0, 1, b.const(1));
    let sum = b.const(0);
    for (const slot of slots) sum = b.binary("add", sum, b.load(slot, 0, 1));
    b.return(sum);
    const result = emitFunction(b.func, target);
    expect(result).toMatchObject({
      problem: {
        kind: "stack",
        size: 584,
        limit: 512,
        spills: 0,
        slots: [
          { name: "name", size: 260 },
          { name: "path", size: 256 },
          { name: "small", size: 64 },
        ],
      },
    });
    expect("problem" in result && result.problem.kind === "stack" && result.problem.slots[0]?.span).toEqual(name.span);
  });

  it("are shared by what is never in use at once, in loops too", () => {
    const b = new FunctionBuilder("shared", "program", ["context"]);
    let sum = b.load(b.global("memory", 0), 0, 8);
    const head = b.newBlock();
    const start = b.const(0);
    b.jump(head);
    b.depth = 1;
    b.block = head;
    const index = b.phi(head, "scalar", start);
    const total = b.phi(head, "scalar", sum);
    sum = total;
    for (let i = 0; i < 4; i++) {
      const slot = b.slot(b.newSlot(200, 8, `piece ${i}`));
      for (let at = 0; at < 200; at += 8) b.store(slot, at, 8, sum);
      sum = b.binary("add", sum, b.load(slot, 192, 8));
    }
    const next = b.binary("add", index, b.const(1));
    const out = b.newBlock();
    b.branch("ult", next, b.const(3), head, out);
    index.args.push(next);
    total.args.push(sum);
    b.block = out;
    b.return(sum);
    checkCode(runStages(b.func, target));
    const { instructions, stackSize } = codeOf(b.func);
    expect(stackSize).toBeLessThanOrEqual(208);
    const program = { main: b.func, functions: [] };
    expect(machineOutcome(instructions.map(named("main", "shared")), 3).result).toBe(
      expectedOutcome(program, 3).result,
    );
  });

  it("hold more values than there are registers", () => {
    const b = new FunctionBuilder("many", "program", ["context"]);
    const values = Array.from({ length: 60 }, (_, i) => b.load(b.global("memory", i * 8), 0, 8));
    const call = () => b.call({ kind: "helper", name: "ktime_get_ns", id: 5 });
    call();
    let sum = b.const(0);
    for (const value of values) sum = b.binary("xor", b.binary("mul", sum, b.const(3)), value);
    call();
    for (const value of values) sum = b.binary("add", sum, value);
    b.return(sum);
    checkCode(runStages(b.func, target));
    const { instructions, stackSize } = codeOf(b.func);
    expect(stackSize).toBeGreaterThan(56 * 8 - 1);
    const expected = expectedOutcome({ main: b.func, functions: [] }, 9);
    expect(machineOutcome(instructions.map(named("main", "many")), 9)).toEqual(expected);
    expect(startingMaps(9).memory).toEqual(expected.memory);
  });
});

/** The instruction with a label renamed. */
function named<T extends { readonly label?: string | readonly string[] }>(to: string, from: string) {
  return (instruction: T): T =>
    instruction.label === undefined
      ? instruction
      : { ...instruction, label: [instruction.label].flat().map((label) => (label === from ? to : label)) };
}

describe("jumps", () => {
  it.each([
    { isaV4: false, counts: [100, 66_000], by: "jumps in between" },
    { isaV4: true, counts: [100, 33_000], by: "jumps of 32 bits" },
  ])(
    "reach what 16 bits cannot by $by",
    ({ isaV4, counts }) => {
      for (const count of counts) {
        const func = longFunction(count);
        const { instructions, spans } = codeOf(func, isaV4);
        expect(spans.length).toBe(instructions.length);
        expect(encode(instructions).length).toBe(instructions.length * 8 + 8);
        expect(instructions.some(({ opcode }) => opcode === 0x06)).toBe(isaV4 && count > 32_768);
        for (const seed of [1, 2]) {
          const expected = expectedOutcome({ main: func, functions: [] }, seed);
          expect(machineOutcome(instructions, seed).result).toBe(expected.result);
        }
      }
    },
    60_000,
  );

  it.each([
    ["calls", 2700, false],
    ["calls", 2800, true],
    ["divisions", 2200, false],
    ["divisions", 2800, true],
  ] as const)(
    "reach also when the kernel has put its own code in the place of %s (%d of them)",
    (what, count, isFar) => {
      const b = new FunctionBuilder("f", "program", ["context"]);
      const context = b.param(0);
      const value = b.load(context, 0, 8);
      const [body, end] = [b.newBlock(), b.newBlock()];
      b.branch("eq", value, b.const(0), end, body);
      b.block = body;
      let last = value;
      for (let i = 0; i < count; i++)
        if (what === "calls") last = b.call({ kind: "helper", name: "ktime_get_ns", id: 5 });
        // Two instructions: the divisor comes from elsewhere.
        else last = b.binary("udiv", last, b.binary("udiv", last, value));
      b.store(context, 8, 8, last);
      b.jump(end);
      b.block = end;
      b.return(value);
      expect(codeOf(b.func, true).instructions.some(({ opcode }) => opcode === 0x06)).toBe(isFar);
      const { instructions } = codeOf(b.func);
      expect(instructions.some(({ target: to }) => to?.includes("#far") === true)).toBe(isFar);
    },
  );

  it("between blocks that do nothing are gone", () => {
    const b = new FunctionBuilder("f", "program", ["context"]);
    const value = b.load(b.param(0), 0, 8);
    const [left, right, middle, end] = [b.newBlock(), b.newBlock(), b.newBlock(), b.newBlock()];
    b.branch("eq", value, b.const(0), left, right);
    b.block = left;
    b.jump(middle);
    b.block = right;
    b.jump(middle);
    b.block = middle;
    b.jump(end);
    b.block = end;
    b.return(value);
    expect(codeOf(b.func).instructions.map(({ opcode }) => opcode)).toEqual([0x79, 0x95]);
  });

  it("share ways that return the same constant", () => {
    const b = new FunctionBuilder("f", "program", ["context"]);
    const ctx = b.param(0);
    const ends = [0, 1, 0, 1, 0];
    ends.forEach((result, i) => {
      const [out, on] = [b.newBlock(), b.newBlock()];
      b.branch("eq", b.load(ctx, i * 8, 8), b.const(i), out, on);
      b.block = out;
      b.return(b.const(result));
      b.block = on;
    });
    b.return(b.const(0));
    const { instructions } = codeOf(b.func);
    expect(instructions.filter(({ opcode }) => opcode === 0x95)).toHaveLength(2);
    // The last comparison decides nothing.
    expect(instructions).toHaveLength(13);
  });
});

describe("values", () => {
  it("are named where they are", () => {
    const b = new FunctionBuilder("f", "program", ["context"]);
    const ctx = b.param(0);
    ctx.variable = "ctx";
    const size = b.load(ctx, 8, 8);
    size.variable = "size";
    b.call({ kind: "helper", name: "ktime_get_ns", id: 5 });
    b.store(b.global("memory", 0), 0, 8, b.load(ctx, 0, 8));
    b.return(size);
    const code = codeOf(b.func);
    const at = (index: number) =>
      code
        .values()
        .filter(({ from, to }) => from <= index && index < to)
        .map(({ variable, register, stackOffset }) => `${variable} r${register ?? stackOffset}`)
        .sort();
    const call = code.instructions.findIndex(({ opcode }) => opcode === 0x85);
    expect(at(call)).toEqual(["ctx r6", "size r7"]);
    expect(at(code.instructions.length - 2).filter((name) => name.startsWith("size"))).toEqual(["size r7"]);
    expect(at(code.instructions.length - 1).filter((name) => name.startsWith("ctx"))).toEqual([]);
  });

  it("on the stack are named by their place", () => {
    const b = new FunctionBuilder("f", "program", ["context"]);
    const values = Array.from({ length: 12 }, (_, i) => {
      const value = b.load(b.global("memory", i * 8), 0, 8);
      value.variable = `v${i}`;
      return value;
    });
    b.call({ kind: "helper", name: "ktime_get_ns", id: 5 });
    let sum = b.const(0);
    for (const value of values) sum = b.binary("add", sum, value);
    b.return(sum);
    const code = codeOf(b.func);
    const call = code.instructions.findIndex(({ opcode }) => opcode === 0x85);
    const there = code.values().filter(({ from, to }) => from <= call && call < to);
    expect(new Set(there.map(({ variable }) => variable)).size).toBe(12);
    expect(there.filter(({ register }) => register !== undefined).length).toBe(4);
    for (const { stackOffset } of there.filter(({ register }) => register === undefined)) {
      expect(stackOffset! % 8 === 0 && stackOffset! < 0).toBe(true);
    }
  });
});
