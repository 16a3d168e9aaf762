import { addBits, clearBit, newBits, setBit } from "./bits.ts";
import { type MachineBlock, type MachineFunction, type MachineInst, NONE } from "./machine.ts";

/** Gives every instruction its position, in steps of two, and finds what is live where blocks begin and end. */
export function analyseLiveness(func: MachineFunction): void {
  const { blocks, vregCount } = func;
  let position = 0;
  const kills: Uint32Array[] = [];
  for (const block of blocks) {
    block.from = position;
    position += 2;
    for (const inst of block.insts) {
      inst.position = position;
      position += 2;
    }
    block.to = position;
    const gen = newBits(vregCount);
    const kill = newBits(vregCount);
    const { insts } = block;
    for (let i = insts.length - 1; i >= 0; i--) {
      const inst = insts[i] as MachineInst;
      if (inst.dst !== NONE) {
        clearBit(gen, inst.dst);
        setBit(kill, inst.dst);
      }
      if (inst.a !== NONE) setBit(gen, inst.a);
      if (inst.b !== NONE) setBit(gen, inst.b);
      for (const operand of inst.operands) if (operand.vreg !== NONE) setBit(gen, operand.vreg);
    }
    for (const phi of block.phis) {
      clearBit(gen, phi.dst);
      setBit(kill, phi.dst);
    }
    kills.push(kill);
    block.liveIn = gen;
    block.liveOut = newBits(vregCount);
  }
  // Phis use what their predecessors end with.
  for (const block of blocks) {
    block.preds.forEach((pred, i) => {
      for (const phi of block.phis) {
        const input = phi.inputs[i];
        if (input !== undefined && input.vreg !== NONE) setBit(pred.liveOut, input.vreg);
      }
    });
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      const { liveIn, liveOut, succs } = blocks[i] as MachineBlock;
      for (const succ of succs) addBits(liveOut, succ.liveIn);
      if (addBits(liveIn, liveOut, kills[i])) changed = true;
    }
  }
}
