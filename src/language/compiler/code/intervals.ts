import { Alu, Atomic, Opcode } from "../../../object/asm/index.ts";
import { clearBit, forEachBit, hasBit, setBit } from "./bits.ts";
import { Interval } from "./interval.ts";
import { keepCounters } from "./loop-counters.ts";
import { type MachineFunction, type MachineInst, NONE, type Operand } from "./machine.ts";

/** What the allocation starts from. */
export interface Intervals {
  /** By virtual register; undefined for those that nothing defines any more. */
  readonly values: (Interval | undefined)[];
  /** For r0 to r9: the ranges in which the machine itself needs it. */
  readonly fixed: number[][];
  /** For each virtual register: the machine register it is best in, or NONE. */
  readonly registerHints: Int32Array;
  /** For each virtual register: others that it is best in one register with. */
  readonly relatives: number[][];
}

/**
 * Builds the intervals of a function whose liveness is known. Exchanges operands where that spares a move. `keepsCounters`: what
 * counts a loop's turns is to stay in a register.
 */
export function buildIntervals(func: MachineFunction, keepsCounters: boolean): Intervals {
  const count = func.vregCount;
  // Built from the end: ranges and uses in descending order, turned at last.
  const ranges: number[][] = Array.from({ length: count }, () => []);
  const uses: number[][] = Array.from({ length: count }, () => []);
  const fixed: number[][] = Array.from({ length: 10 }, () => []);
  const registerHints = new Int32Array(count).fill(NONE);
  const relatives: number[][] = Array.from({ length: count }, () => []);
  const phiOf = new Int32Array(count).fill(NONE);

  const addRange = (list: number[], from: number, to: number) => {
    const last = list.length - 2;
    // Descending pairs: to, from.
    if (last >= 0 && (list[last + 1] as number) <= to) {
      if ((list[last + 1] as number) > from) list[last + 1] = from;
      if ((list[last] as number) < to) list[last] = to;
    } else list.push(to, from);
  };
  const relate = (a: number, b: number) => {
    (relatives[a] as number[]).push(b);
    (relatives[b] as number[]).push(a);
  };

  for (const block of func.blocks) {
    for (const inst of block.insts) if (inst.form === "fromRegister") registerHints[inst.dst] = inst.imm;
    for (const phi of block.phis) {
      for (const { vreg } of phi.inputs) {
        if (vreg === NONE) continue;
        relate(phi.dst, vreg);
        phiOf[vreg] = phi.dst;
      }
    }
  }

  for (let i = func.blocks.length - 1; i >= 0; i--) {
    const block = func.blocks[i] as MachineFunction["blocks"][number];
    const live = block.liveOut.slice();
    forEachBit(live, (vreg) => addRange(ranges[vreg] as number[], block.from, block.to));

    const use = (vreg: number, position: number, isLate: boolean, mustBeRegister: boolean) => {
      addRange(ranges[vreg] as number[], block.from, position + (isLate ? 2 : 1));
      (uses[vreg] as number[]).push(((position + (isLate ? 1 : 0)) << 1) | (mustBeRegister ? 1 : 0));
      setBit(live, vreg);
    };
    const useOperand = (operand: Operand, position: number, register: number) => {
      const { vreg } = operand;
      if (vreg === NONE) return;
      if (!hasBit(live, vreg) && register !== NONE) registerHints[vreg] = register;
      use(vreg, position, false, false);
    };
    const define = (vreg: number, position: number, mustBeRegister: boolean) => {
      const list = ranges[vreg] as number[];
      if (list.length === 0) list.push(position + 1, position);
      else list[list.length - 1] = position;
      (uses[vreg] as number[]).push((position << 1) | (mustBeRegister ? 1 : 0));
      clearBit(live, vreg);
    };

    for (let k = block.insts.length - 1; k >= 0; k--) {
      const inst = block.insts[k] as MachineInst;
      const { position, dst } = inst;
      if (dst !== NONE) define(dst, position + 1, inst.form !== "fromRegister");
      switch (inst.form) {
        case "alu": {
          if (inst.b !== NONE && inst.a !== NONE && isExchangeable(inst)) exchange(inst, live, phiOf, registerHints);
          const { a, b } = inst;
          if (a !== NONE && !hasBit(live, a)) {
            relate(a, dst);
            if (registerHints[dst] !== NONE && registerHints[a] === NONE)
              registerHints[a] = registerHints[dst] as number;
            if (phiOf[a] === NONE) phiOf[a] = phiOf[dst] as number;
          }
          if (b !== NONE) use(b, position, b !== a, true);
          if (a !== NONE) use(a, position, false, false);
          break;
        }
        case "move":
          use(inst.b, position, false, true);
          break;
        case "fetch":
          // Its register is overwritten: the base must be in another.
          if (!hasBit(live, inst.b)) {
            relate(inst.b, dst);
            if (registerHints[inst.b] === NONE) registerHints[inst.b] = registerHints[dst] as number;
          }
          if (inst.a !== NONE) use(inst.a, position, true, true);
          use(inst.b, position, false, false);
          break;
        case "call":
          for (let r = 0; r <= 5; r++) addRange(fixed[r] as number[], position + 1, position + 2);
          inst.operands.forEach((operand, n) => {
            useOperand(operand, position, n + 1);
          });
          break;
        case "toRegister":
          useOperand(inst.operands[0] as Operand, position, inst.imm);
          break;
        case "return":
          useOperand(inst.operands[0] as Operand, position, 0);
          break;
        case "fromRegister":
          // Held from where it was written, by the call or the start of the function, which is never far.
          addRange(fixed[inst.imm] as number[], startOf(block.insts, k, block.from), position + 1);
          break;
        default:
          if (inst.form === "atomic" && inst.imm === Atomic.CMPXCHG) {
            addRange(fixed[0] as number[], position - 1, position + 2);
          }
          if (inst.b !== NONE) use(inst.b, position, false, true);
          if (inst.a !== NONE) use(inst.a, position, false, true);
      }
    }
    for (const { dst } of block.phis) define(dst, block.from, false);
  }

  const values = ranges.map((list, vreg) =>
    list.length === 0 ? undefined : new Interval(vreg, list.reverse(), (uses[vreg] as number[]).reverse()),
  );
  markLoopEnds(func, values);
  if (keepsCounters) keepCounters(func, values);
  return {
    values,
    fixed: fixed.map((list) => list.reverse()),
    registerHints,
    relatives,
  };
}

/**
 * What a loop reads and is live around it counts as used where the loop goes back, too: the next use of it is at the loop's
 * beginning, which is never the farthest.
 */
function markLoopEnds(func: MachineFunction, values: readonly (Interval | undefined)[]): void {
  for (const block of func.blocks) {
    for (const head of block.succs) {
      if (head.from > block.from) continue;
      const end = block.to - 1;
      forEachBit(head.liveIn, (vreg) => {
        const interval = values[vreg] as Interval;
        const { uses } = interval;
        let behind = uses.length;
        while (behind > 0 && (uses[behind - 1] as number) >> 1 > end) behind--;
        if (behind > 0 && (uses[behind - 1] as number) >> 1 >= head.from) uses.splice(behind, 0, end << 1);
      });
    }
  }
}

/** From where a register has the value that instruction number `k` takes from it. */
function startOf(insts: readonly MachineInst[], k: number, blockStart: number): number {
  for (let i = k - 1; i >= 0; i--) {
    const inst = insts[i] as MachineInst;
    if (inst.form !== "fromRegister") return inst.position + 1;
  }
  return blockStart;
}

/**
 * The operand that ends here becomes the one whose register the result takes; of two, the one that goes on in the same phi, or
 * that has the register which the result should be in.
 */
function exchange(inst: MachineInst, live: Uint32Array, phiOf: Int32Array, registerHints: Int32Array): void {
  const { a, b, dst } = inst;
  const aEnds = !hasBit(live, a);
  const bEnds = !hasBit(live, b);
  if (!bEnds) return;
  const phi = phiOf[dst] as number;
  const register = registerHints[dst] as number;
  const continues = phi !== NONE && (phi === b || phiOf[b] === phi);
  const suits =
    register !== NONE &&
    registerHints[a] !== register &&
    (registerHints[b] === register || (registerHints[b] === NONE && registerHints[a] !== NONE));
  if (!aEnds || continues || suits) {
    inst.a = b;
    inst.b = a;
  }
}

/** Whether the operands of an arithmetic instruction may change places. */
export function isExchangeable({ opcode, fixed }: MachineInst): boolean {
  if (fixed) return false;
  if (opcode === Opcode.TO_BE || opcode === Opcode.TO_LE) return false;
  const operation = opcode & 0xf0;
  return (
    operation === Alu.ADD ||
    operation === Alu.MUL ||
    operation === Alu.AND ||
    operation === Alu.OR ||
    operation === Alu.XOR
  );
}
