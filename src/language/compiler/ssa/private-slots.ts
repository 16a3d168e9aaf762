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
  forEachSlotUse(func, (slot, inst, i) => {
    const passed = inst.op === "call" && isListed(inst, i);
    if (!isAccess(inst, i) && !passed) slots.delete(slot);
    if (inst.op === "load" || (passed && inst.callee!.reads?.includes(i) === true)) read.add(slot);
  });
  return { slots, read };
}

/** Visits each operand that is the address of a slot: the slot, whose operand it is, and its number. */
export function forEachSlotUse(func: Func, visit: (slot: Slot, user: Inst, argument: number) => void): void {
  const look = (inst: Inst): void => {
    for (let i = 0; i < inst.args.length; i++) {
      const { slot } = inst.args[i]!;
      if (slot !== undefined) visit(slot, inst, i);
    }
  };
  for (const block of func.blocks) {
    for (const phi of block.phis) look(phi);
    for (const inst of block.insts) look(inst);
    look(block.end!);
  }
}

/** Whether the operand is the address that a load reads or a store writes, at a fixed distance. */
export function isAccess({ op }: Inst, argument: number): boolean {
  return argument === 0 && (op === "load" || op === "store");
}

function isListed(call: Inst, argument: number): boolean {
  const { reads, writes } = call.callee!;
  return reads?.includes(argument) === true || writes?.includes(argument) === true;
}
