import type { Instruction } from "../../../object/asm/index.ts";
import type { Stages } from "./emit-function.ts";
import { MEMORY } from "./interval.ts";
import { STACK } from "./parallel-moves.ts";

/** A variable of the source is in a register, or in 8 bytes of the stack, before each of the instructions `from` to `to` (exclusive). */
export interface ValueLocation {
  readonly variable: string;
  /** 0 to 9; undefined when it is on the stack. */
  readonly register: number | undefined;
  /** From the frame pointer; undefined when it is in a register. */
  readonly stackOffset: number | undefined;
  readonly from: number;
  readonly to: number;
}

/** Where the variables of a function are, for people who are told about a register by the verifier. */
export function locateValues(stages: Stages, instructions: readonly Instruction[]): ValueLocation[] {
  const { machine, allocation, frame, emission } = stages;
  const indexOf = new Map(instructions.map((instruction, i) => [instruction, i]));
  /** The number of the first instruction at or behind a position; odd ones are behind the instruction there. */
  const numberAt = (position: number): number => {
    const at = (position >> 1) * 4 + ((position & 1) === 0 ? 0 : 2);
    if (at >= emission.parts.length) return instructions.length;
    const draft = emission.instructions[emission.parts[at] as number];
    return draft === undefined ? instructions.length : (indexOf.get(draft) ?? instructions.length);
  };
  const result: ValueLocation[] = [];
  machine.variables.forEach((variable, vreg) => {
    if (variable === undefined) return;
    for (const { ranges, register } of allocation.partsOf(vreg)) {
      if (register === MEMORY && allocation.spilled[vreg] === 0) continue;
      for (let i = 0; i < ranges.length; i += 2) {
        const from = numberAt(ranges[i] as number);
        const to = numberAt(ranges[i + 1] as number);
        if (from >= to) continue;
        result.push({
          variable,
          register: register === MEMORY ? undefined : register,
          stackOffset: register === MEMORY ? frame.placeOffset(STACK + vreg) : undefined,
          from,
          to,
        });
      }
    }
  });
  return result.sort((a, b) => a.from - b.from);
}
