import { Alu } from "../../../object/asm/index.ts";
import type { Interval } from "./interval.ts";
import type { MachineBlock, MachineFunction, MachineInst, MachinePhi } from "./machine.ts";

/**
 * Keeps in a register what counts a loop's turns, as far as that can be: it counts as used by every instruction of the loop.
 *
 * Before Linux 6.8 the kernel takes a loop for endless when it comes to an instruction once more with the same in all registers,
 * and compares numbers on the stack as if they were alike ("infinite loop detected"). A counter in a register that calls leave
 * alone is another one in each turn, wherever in the loop the kernel looks.
 */
export function keepCounters(func: MachineFunction, values: readonly (Interval | undefined)[]): void {
  const definitions = new Map<number, MachineInst>();
  for (const { insts } of func.blocks) for (const inst of insts) definitions.set(inst.dst, inst);
  for (const head of func.blocks) {
    const latches = head.preds.filter((pred) => pred.from >= head.from);
    if (latches.length === 0) continue;
    const counter = counterOf(head, latches, definitions);
    const to = Math.max(...latches.map((latch) => latch.to));
    for (const vreg of counter) {
      const interval = values[vreg];
      if (interval !== undefined) useThroughout(interval, head.from, to);
    }
  }
}

/** The phi that counts, and what it is on the way back; nothing when there is none. */
function counterOf(
  head: MachineBlock,
  latches: readonly MachineBlock[],
  definitions: ReadonlyMap<number, MachineInst>,
): readonly number[] {
  const next = (phi: MachinePhi, latch: MachineBlock): number | undefined => {
    const operand = phi.inputs[head.preds.indexOf(latch)];
    const inst = operand === undefined ? undefined : definitions.get(operand.vreg);
    const counts = inst?.form === "alu" && (inst.opcode & 0xf0) === Alu.ADD && inst.a === phi.dst && inst.imm !== 0;
    return counts ? inst.dst : undefined;
  };
  for (const phi of head.phis) {
    const ways = latches.map((latch) => next(phi, latch));
    if (ways.every((way) => way !== undefined)) return [phi.dst, ...new Set(ways)];
  }
  return [];
}

function useThroughout(interval: Interval, from: number, to: number): void {
  const uses = new Set(interval.uses.map((use) => use >> 1));
  for (let position = from; position < to; position += 2)
    if (!uses.has(position) && interval.covers(position)) interval.uses.push(position << 1);
  interval.uses.sort((a, b) => a - b);
}
