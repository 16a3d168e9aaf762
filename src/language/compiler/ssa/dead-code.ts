import type { Func, Inst } from "./ir.ts";
import { isLeaf } from "./leaves.ts";

/** Whether an instruction does something besides giving its value. Claims do until they are proven: they may be errors. */
export function hasEffect(inst: Inst): boolean {
  switch (inst.op) {
    case "store":
    case "atomic":
    case "bound":
    case "fits":
      return true;
    case "call":
      return inst.callee?.pure !== true;
    default:
      return false;
  }
}

/** Takes out what nothing needs: values nobody uses, loads among them, and phis that only use each other. */
export function removeDeadCode(func: Func): boolean {
  const live = new Uint8Array(func.instCount);
  const work: Inst[] = [];
  const need = (inst: Inst): void => {
    for (const arg of inst.args)
      if (live[arg.id] === 0) {
        live[arg.id] = 1;
        work.push(arg);
      }
  };
  for (const block of func.blocks) {
    for (const inst of block.insts)
      if (hasEffect(inst) && live[inst.id] === 0) {
        live[inst.id] = 1;
        need(inst);
      }
    need(block.end!);
  }
  for (let inst = work.pop(); inst !== undefined; inst = work.pop()) need(inst);
  let changed = false;
  for (const block of func.blocks) {
    const { phis, insts } = block;
    if (phis.some((phi) => live[phi.id] === 0)) {
      const kept = phis.filter((phi) => live[phi.id] === 1);
      phis.length = 0;
      phis.push(...kept);
      changed = true;
    }
    const isKept = (inst: Inst): boolean => live[inst.id] === 1 || isLeaf(inst.op);
    if (!insts.every(isKept)) {
      block.insts = insts.filter(isKept);
      changed = true;
    }
  }
  return changed;
}
