import { forEachBit } from "./bits.ts";
import { MEMORY } from "./interval.ts";
import type { Allocation } from "./linear-scan.ts";
import { type MachineBlock, type MachineFunction, type MachineInst, NONE, type Operand } from "./machine.ts";
import { ASIDE, isRegister, LENT, type Move, type Place, STACK, sequence } from "./parallel-moves.ts";

/** The moves that the places of values ask for, by position / 2. */
export interface Moves {
  /** Before the instruction there; at the first position of a block, where it begins. */
  readonly before: (Move[] | undefined)[];
  /** Stores of what the instruction there has written; at the first position of a block, of its phis. */
  readonly after: (Move[] | undefined)[];
  /** Whether the two places of last resort are used. */
  usesAside: boolean;
  usesLent: boolean;
}

/** Finds all moves: between the parts of a value, on edges, of arguments, and the stores of values that are ever on the stack. */
export function resolveMoves(func: MachineFunction, allocation: Allocation, fixed: readonly number[][]): Moves {
  return new Resolver(func, allocation, fixed).run();
}

const SCRATCH = [0, 5, 4, 3, 2, 1, 6, 7, 8, 9] as const;

class Resolver {
  readonly #func: MachineFunction;
  readonly #allocation: Allocation;
  readonly #fixed: readonly number[][];
  readonly #moves: Moves = { before: [], after: [], usesAside: false, usesLent: false };

  constructor(func: MachineFunction, allocation: Allocation, fixed: readonly number[][]) {
    this.#func = func;
    this.#allocation = allocation;
    this.#fixed = fixed;
  }

  run(): Moves {
    const between = this.#betweenParts();
    for (const block of this.#func.blocks) {
      for (const { dst } of block.phis) this.#storeDefinition(dst, block.from, block.from);
      for (const inst of block.insts) {
        const moves = between.get(inst.position);
        if (moves !== undefined) this.#add(inst.position, moves, () => this.#liveMask(inst.position));
        if (inst.dst !== NONE) this.#storeDefinition(inst.dst, inst.position, inst.position + 1);
        this.#arguments(inst);
      }
      for (const succ of block.succs) this.#edge(block, succ);
    }
    return this.#moves;
  }

  /** Where a value goes on in another register, or comes back into one, in the middle of a block. */
  #betweenParts(): Map<number, Move[]> {
    const starts = new Set(this.#func.blocks.map((block) => block.from));
    const found = new Map<number, Move[]>();
    for (const parts of this.#allocation.parts) {
      for (let i = 1; i < parts.length; i++) {
        const previous = parts[i - 1] as (typeof parts)[number];
        const part = parts[i] as (typeof parts)[number];
        const { start } = part;
        if (part.register === MEMORY || previous.end !== start || starts.has(start)) continue;
        if (part.register === previous.register) continue;
        const move = this.#move(part.register, part.vreg, previous.register);
        const list = found.get(start);
        if (list === undefined) found.set(start, [move]);
        else list.push(move);
      }
    }
    return found;
  }

  #move(to: Place, vreg: number, register: number): Move {
    const constant = register === MEMORY ? this.#func.constants[vreg] : undefined;
    return { to, from: register === MEMORY ? STACK + vreg : register, constant };
  }

  /** The place of a value at a position. */
  #place(vreg: number, position: number): Place {
    const register = this.#allocation.registerAt(vreg, position);
    return register === MEMORY ? STACK + vreg : register;
  }

  #storeDefinition(vreg: number, position: number, defined: number): void {
    if (this.#allocation.spilled[vreg] === 0) return;
    const register = this.#allocation.registerAt(vreg, defined);
    if (register === MEMORY) return;
    append(this.#moves.after, position, { to: STACK + vreg, from: register, constant: undefined });
  }

  #edge(from: MachineBlock, to: MachineBlock): void {
    const end = from.to - 1;
    const moves: Move[] = [];
    let busy = 0;
    const occupy = (place: Place) => {
      if (isRegister(place)) busy |= 1 << place;
    };
    forEachBit(to.liveIn, (vreg) => {
      const target = this.#place(vreg, to.from);
      const register = this.#allocation.registerAt(vreg, end);
      occupy(target);
      occupy(register === MEMORY ? STACK : register);
      // What is ever on the stack is there from its definition on.
      if (isRegister(target) && target !== register) moves.push(this.#move(target, vreg, register));
    });
    const number = to.preds.indexOf(from);
    for (const phi of to.phis) {
      const target = this.#place(phi.dst, to.from);
      const { vreg, constant } = phi.inputs[number] as Operand;
      occupy(target);
      if (constant !== undefined) moves.push({ to: target, from: NONE, constant });
      else {
        const register = this.#allocation.registerAt(vreg, end);
        occupy(register === MEMORY ? STACK : register);
        moves.push(this.#move(target, vreg, register));
      }
    }
    if (moves.length === 0) return;
    const atStart = from.succs.length > 1;
    // Values that only others of the two ways need are dead on this one; where the moves stand before the jump, all are.
    this.#add(atStart ? to.from : from.end.position, moves, () => busy);
  }

  /** Arguments of calls, what is returned, what a compare-and-exchange expects. */
  #arguments(inst: MachineInst): void {
    const { operands, form } = inst;
    if (operands.length === 0) return;
    const moves: Move[] = [];
    let busy = 0;
    operands.forEach(({ vreg, constant }, n) => {
      const to = form === "call" ? n + 1 : inst.imm;
      busy |= 1 << to;
      if (constant !== undefined) moves.push({ to, from: NONE, constant });
      else {
        const register = this.#allocation.registerAt(vreg, inst.position);
        if (register !== MEMORY) busy |= 1 << register;
        moves.push(this.#move(to, vreg, register));
      }
    });
    // Only r0 to r5 are free for sure: the others may hold what goes on.
    this.#add(inst.position, moves, () => (form === "call" ? busy | 0x3c0 : 0x3ff));
  }

  /** `busy`: a bit for each register that holds something; asked for only where a register is wanted. */
  #add(position: number, moves: Move[], busy: () => number): void {
    const freeRegister = (not: number) => {
      const mask = busy();
      return SCRATCH.find((r) => r !== not && (mask & (1 << r)) === 0) ?? -1;
    };
    for (const move of sequence(moves, freeRegister)) {
      append(this.#moves.before, position, move);
      if (move.to === ASIDE) this.#moves.usesAside = true;
      if (move.to === LENT) this.#moves.usesLent = true;
    }
  }

  /** The registers that hold something around a position. */
  #liveMask(position: number): number {
    let mask = 0;
    for (const parts of this.#allocation.parts) {
      for (const part of parts) {
        if (part.register !== MEMORY && part.start <= position && part.end >= position) mask |= 1 << part.register;
      }
    }
    this.#fixed.forEach((ranges, register) => {
      for (let i = 0; i < ranges.length; i += 2) {
        if ((ranges[i] as number) <= position && (ranges[i + 1] as number) >= position) mask |= 1 << register;
      }
    });
    return mask;
  }
}

function append(lists: (Move[] | undefined)[], position: number, move: Move): void {
  const list = lists[position >> 1];
  if (list === undefined) lists[position >> 1] = [move];
  else list.push(move);
}
