import type { Func, Inst, Slot } from "./ir.ts";

/** What is known of slots whose every use is plain to see. */
export interface PrivateSlots {
  /**
   * Slots that are reached by loads and stores at fixed distances, and by calls that say what they do with them: nobody else
   * can know their address.
   */
  readonly slots: ReadonlySet<Slot>;
  /** Those of them that something reads. */
  readonly read: ReadonlySet<Slot>;
}

export function findPrivateSlots(func: Func): PrivateSlots {
  const slots = new Set(func.slots);
  const read = new Set<Slot>();
  const look = (inst: Inst): void => {
    for (let i = 0; i < inst.args.length; i++) {
      const { slot } = inst.args[i]!;
      if (slot === undefined) continue;
      const direct = i === 0 && (inst.op === "load" || inst.op === "store");
      const passed = inst.op === "call" && isListed(inst, i);
      if (!direct && !passed) slots.delete(slot);
      if (inst.op === "load" || (passed && inst.callee!.reads?.includes(i) === true)) read.add(slot);
    }
  };
  for (const block of func.blocks) {
    for (const phi of block.phis) look(phi);
    for (const inst of block.insts) look(inst);
    look(block.end!);
  }
  return { slots, read };
}

function isListed(call: Inst, argument: number): boolean {
  const { reads, writes } = call.callee!;
  return reads?.includes(argument) === true || writes?.includes(argument) === true;
}
