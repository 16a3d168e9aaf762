import { describe, expect, it } from "vitest";
import { Random } from "../../../../test/support/random.ts";
import { randomProgram } from "../../../../test/support/random-function.ts";
import { Class, Opcode } from "../../../object/asm/index.ts";
import { parse } from "../ssa/parse.ts";
import { verify } from "../ssa/verify.ts";
import { checkCode } from "./check.ts";
import type { Draft } from "./emit.ts";
import { runStages, type Stages } from "./emit-function.ts";
import { STACK } from "./parallel-moves.ts";

const target = {
  byteOrder: "little",
  features: { isaV4: true, fetchAtomics: true, probeReadKernel: true, iterNum: true },
} as const;

function stagesOf(seed: number): Stages {
  return runStages(randomProgram(seed, { fetchAtomics: true, variableStack: true }).main, target);
}

interface Read {
  readonly at: number;
  readonly field: "src" | "dst";
}

/** Instructions that read a register which matters, by their number, and which of their fields names it. */
function reads(code: readonly Draft[]): Read[] {
  return code.flatMap<Read>(({ opcode, src, dst }, at) => {
    const cls = opcode & 7;
    if (cls === Class.LDX && src !== 10) return [{ at, field: "src" }];
    if (cls === Class.STX && dst !== 10) return [{ at, field: "dst" }];
    if (
      (cls === Class.JMP || cls === Class.JMP32) &&
      opcode !== Opcode.JA &&
      opcode !== Opcode.CALL &&
      opcode !== Opcode.EXIT
    )
      return [{ at, field: "dst" }];
    return [];
  });
}

describe("the checker", () => {
  it("lets a call read what it says of a piece of stack, where something else of the piece is written later", () => {
    const func = parse(`program f(context)
  slot s0 8 align 8 value
  slot s1 24 align 8 key
b0:
  v0 = param 0
  v1 = slot s0
  v2 = load8 v0
  store8 v1, v2
  v3 = call helper use#1(v1) reads 0
  v4 = slot s1
  v5 = const 0
  store8 v4, v5
  store8 v4 + 8, v5
  v6 = const 16
  v7 = call helper get_current_comm#16(v4, v6) reads 0 writes 0
  store8 v4 + 16, v3
  v8 = call helper use#1(v4) reads 0
  return v8`);
    verify(func);
    const stages = runStages(func, target);
    const [value, key] = func.slots.map((slot) => stages.frame.offsetOf(slot));
    // The piece before is over, and its place is in that of the key.
    expect([value, key]).toEqual([-8, -24]);
    checkCode(stages);
  });

  it("finds an operand in a register that is another", () => {
    let changed = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const random = new Random(seed);
      const stages = stagesOf(seed);
      const places = reads(stages.emission.instructions);
      if (places.length === 0) continue;
      const { at, field } = random.pick(places);
      const draft = stages.emission.instructions[at] as Draft;
      // r10 holds no value of the function: whoever reads it instead is wrong.
      draft[field] = 10;
      expect(() => checkCode(stages), `seed ${seed}, instruction ${at}`).toThrow(/fault of the compiler/);
      changed++;
    }
    expect(changed).toBeGreaterThan(25);
  });

  it("finds a value that is not fetched from where it is", () => {
    let changed = 0;
    let found = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const stages = stagesOf(seed);
      const { spilled } = stages.allocation;
      const places = new Set(
        [...spilled.keys()].filter((vreg) => spilled[vreg] === 1).map((vreg) => stages.frame.placeOffset(STACK + vreg)),
      );
      const fills = stages.emission.instructions.filter(
        ({ opcode, src, offset }) => opcode === 0x79 && src === 10 && places.has(offset),
      );
      if (fills.length === 0) continue;
      // Below all that the function has.
      new Random(seed).pick(fills).offset = -stages.frame.size - 8;
      changed++;
      try {
        checkCode(stages);
      } catch {
        found++;
      }
    }
    expect(changed).toBeGreaterThan(10);
    // A value may be fetched on a way on which nothing needs it.
    expect(found).toBeGreaterThan(changed * 0.8);
  });

  it("finds a jump that goes elsewhere, and a condition that is another", () => {
    let changed = 0;
    for (let seed = 1; seed <= 30; seed++) {
      for (const kind of ["target", "condition"] as const) {
        const stages = stagesOf(seed);
        const { instructions } = stages.emission;
        const jumps = instructions.filter(
          ({ opcode, target: to }, at) =>
            to !== undefined &&
            [Class.JMP, Class.JMP32].includes((opcode & 7) as 5) &&
            opcode !== Opcode.CALL &&
            (kind === "condition" ? opcode !== Opcode.JA : instructions[at + 1] !== undefined),
        );
        if (jumps.length === 0) continue;
        const jump = new Random(seed).pick(jumps);
        if (kind === "condition") jump.opcode ^= 0x10 ^ 0x30;
        else jump.target = stages.machine.name;
        expect(() => checkCode(stages), `seed ${seed}, ${kind}`).toThrow(/fault of the compiler/);
        changed++;
      }
    }
    expect(changed).toBeGreaterThan(30);
  });

  it("finds a value that overwrites a slot in use", () => {
    let changed = 0;
    for (let seed = 1; seed <= 30; seed++) {
      const stages = stagesOf(seed);
      const { frame, allocation } = stages;
      const vreg = allocation.spilled.indexOf(1);
      if (vreg === -1) continue;
      // As if the frame had given the value the place of each slot in turn.
      const { slots } = stages.machine.blocks.reduce(
        (all, block) => {
          for (const inst of block.insts) if (inst.form === "load" && inst.slot !== undefined) all.slots.add(inst.slot);
          return all;
        },
        { slots: new Set<NonNullable<(typeof stages.machine.blocks)[number]["insts"][number]["slot"]>>() },
      );
      const own = frame.placeOffset(STACK + vreg);
      for (const slot of slots) {
        const stages2 = stagesOf(seed);
        const wanted = frame.offsetOf(slot) & ~7;
        for (const draft of stages2.emission.instructions) {
          const isOwn =
            draft.offset === own &&
            ((draft.opcode === 0x79 && draft.src === 10) || (draft.opcode === 0x7b && draft.dst === 10));
          if (isOwn) draft.offset = wanted;
        }
        try {
          checkCode(stages2);
        } catch {
          changed++;
        }
      }
    }
    // Not each of them is in use where the value is.
    expect(changed).toBeGreaterThan(5);
  });
});
