import { firstIntersection, type Interval, MEMORY, NEVER } from "./interval.ts";
import { type Intervals, isExchangeable } from "./intervals.ts";
import { CodeGenerationError, type MachineFunction, type MachineInst, NONE } from "./machine.ts";

/** r0 to r9; r10 is the frame pointer. */
const REGISTERS = 10;
/** Those that calls overwrite first, of them those last that most calls take arguments in or give results in; then the others. */
const PREFERENCE = [5, 4, 3, 2, 1, 0, 6, 7, 8, 9] as const;
/** Those that calls leave alone. */
const LASTING = [6, 7, 8, 9] as const;

/** Where each value is at each position. */
export class Allocation {
  /** By virtual register: its parts, ascending, each in one place. */
  readonly parts: readonly (readonly Interval[])[];
  /** By virtual register: 1 when some part of it is on the stack (constants never are, they are made anew). */
  readonly spilled: Uint8Array;

  constructor(parts: readonly (readonly Interval[])[], func: MachineFunction) {
    this.parts = parts;
    this.spilled = new Uint8Array(parts.length);
    for (let vreg = 0; vreg < parts.length; vreg++) {
      if (func.constants[vreg] === undefined && this.partsOf(vreg).some((part) => part.register === MEMORY)) {
        this.spilled[vreg] = 1;
      }
    }
  }

  partsOf(vreg: number): readonly Interval[] {
    return this.parts[vreg] as readonly Interval[];
  }

  /** The register that a value is in at a position at which it is live, or MEMORY. */
  registerAt(vreg: number, position: number): number {
    const parts = this.partsOf(vreg);
    for (let i = parts.length - 1; i >= 0; i--) {
      const part = parts[i] as Interval;
      if (part.start <= position) return part.register;
    }
    throw new CodeGenerationError(`Value ${vreg} is looked for at ${position}, before it exists.`);
  }
}

/**
 * Gives each value a register or a place on the stack: linear scan over intervals with holes, which are split where the
 * register is needed for something whose next use is nearer. A value that is ever on the stack is stored once, where it is
 * written, so that a part of it in memory costs nothing to begin.
 */
export function allocate(func: MachineFunction, intervals: Intervals): Allocation {
  return new LinearScan(func, intervals).run();
}

class LinearScan {
  readonly #func: MachineFunction;
  readonly #intervals: Intervals;
  /** By start, descending. */
  readonly #unhandled: Interval[] = [];
  /** By the virtual register of their result: instructions whose operands may change places. */
  readonly #exchangeable: (MachineInst | undefined)[] = [];
  #active: Interval[] = [];
  #inactive: Interval[] = [];
  readonly #parts: Interval[][] = [];
  /** For each register, how many of the numbers of its fixed ranges are behind us. */
  readonly #over = new Int32Array(REGISTERS);
  readonly #free = new Int32Array(REGISTERS);
  readonly #nextUse = new Int32Array(REGISTERS);
  readonly #blocked = new Int32Array(REGISTERS);

  constructor(func: MachineFunction, intervals: Intervals) {
    this.#func = func;
    this.#intervals = intervals;
    for (const { insts } of func.blocks) {
      for (const inst of insts) {
        const { form, a, b } = inst;
        if (form === "alu" && a !== NONE && b !== NONE && a !== b && isExchangeable(inst))
          this.#exchangeable[inst.dst] = inst;
      }
    }
    for (const interval of intervals.values) {
      this.#parts.push([]);
      if (interval !== undefined) this.#unhandled.push(interval);
    }
    this.#unhandled.sort((a, b) => b.start - a.start);
  }

  run(): Allocation {
    for (let current = this.#unhandled.pop(); current !== undefined; current = this.#unhandled.pop()) {
      this.#advance(current.start);
      (this.#parts[current.vreg] as Interval[]).push(current);
      if (!this.#takeFree(current)) this.#takeOccupied(current);
      if (current.register !== MEMORY) this.#active.push(current);
    }
    return new Allocation(this.#parts, this.#func);
  }

  #advance(position: number): void {
    for (let r = 0; r < REGISTERS; r++) {
      const ranges = this.#intervals.fixed[r] as number[];
      let over = this.#over[r] as number;
      while (over < ranges.length && (ranges[over + 1] as number) <= position) over += 2;
      this.#over[r] = over;
    }
    const active: Interval[] = [];
    const inactive: Interval[] = [];
    for (const list of [this.#active, this.#inactive]) {
      for (const interval of list) {
        if (interval.end <= position || interval.register === MEMORY) continue;
        (interval.covers(position) ? active : inactive).push(interval);
      }
    }
    this.#active = active;
    this.#inactive = inactive;
  }

  #queue(interval: Interval): void {
    const list = this.#unhandled;
    let at = list.length;
    while (at > 0 && (list[at - 1] as Interval).start < interval.start) at--;
    list.splice(at, 0, interval);
  }

  /** A register that is free, for all of the interval or for its beginning. */
  #takeFree(current: Interval): boolean {
    const position = current.start;
    const free = this.#free;
    for (let r = 0; r < REGISTERS; r++) {
      free[r] = firstIntersection(this.#intervals.fixed[r] as number[], current.ranges, position, this.#over[r]);
    }
    for (const other of this.#active) free[other.register] = 0;
    for (const other of this.#inactive) {
      const at = firstIntersection(other.ranges, current.ranges, position);
      if (at < (free[other.register] as number)) free[other.register] = at;
    }
    const { end } = current;
    const hint = this.#hint(current, free);
    let best = hint !== NONE && (free[hint] as number) >= end ? hint : NONE;
    if (best === NONE) {
      for (const r of PREFERENCE) {
        if ((free[r] as number) >= end) {
          best = r;
          break;
        }
      }
    }
    const other = this.#takenOver(current, free);
    if (other !== NONE && (best === NONE || best !== hint)) best = other;
    if (best !== NONE) {
      current.register = best;
      if (best === other) exchangeOperands(this.#exchangeable[current.vreg] as MachineInst);
      return true;
    }
    best = hint;
    for (const r of PREFERENCE) if (best === NONE || (free[r] as number) > (free[best] as number)) best = r;
    const until = evenBelow(free[best] as number);
    if (until <= position || current.nextRegisterUse(position) >= until) return false;
    // What is in a register that would do for all of it may have to go there, and then better at once: that spares a move.
    // But where a phi begins in the register of its inputs, it would take one on each way to it.
    const later = hint !== NONE && (position & 1) === 0 ? NEVER : current.nextUse(until);
    this.#findNextUses(current);
    for (let r = 0; r < REGISTERS && later !== NEVER; r++) {
      if ((this.#blocked[r] as number) < end || (this.#nextUse[r] as number) <= later) continue;
      if ((this.#nextUse[r] as number) > (this.#nextUse[best] as number) || (this.#blocked[best] as number) < end)
        best = r;
    }
    if ((this.#blocked[best] as number) >= end && (this.#nextUse[best] as number) > later) {
      this.#occupy(current, best);
      return true;
    }
    current.register = best;
    this.#queue(current.split(until));
    return true;
  }

  /** The free register that spares a move, when there is one. */
  #hint(current: Interval, free: Int32Array): number {
    const { vreg, start, end } = current;
    let best = NONE;
    const consider = (register: number) => {
      if (register < 0) return;
      const until = free[register] as number;
      if (until > start && (best === NONE || (until > (free[best] as number) && (free[best] as number) < end))) {
        best = register;
      }
    };
    const own = this.#parts[vreg] as Interval[];
    // A part that follows another in a register goes on there.
    const previous = own[own.length - 2];
    if (previous !== undefined && previous.end === start) consider(previous.register);
    consider(this.#intervals.registerHints[vreg] as number);
    for (const relative of this.#intervals.relatives[vreg] as number[]) {
      const parts = this.#parts[relative] as Interval[];
      if (parts.length === 0) {
        // What goes on in something that outlives a call is best where calls leave it alone from the beginning.
        if (best === NONE && this.#outlivesCall(relative))
          consider(LASTING.find((r) => (free[r] as number) >= end) ?? NONE);
        continue;
      }
      const last = parts[parts.length - 1] as Interval;
      consider((last.end === start ? last : (parts[0] as Interval)).register);
    }
    return best;
  }

  /**
   * The register of an instruction's second operand, where that may be the first, ends there, and its register is free for as
   * long as the result is needed: which spares a move that the first operand's would cost.
   */
  #takenOver(current: Interval, free: Int32Array): number {
    const { start, end } = current;
    const inst = this.#exchangeable[current.vreg];
    if (inst === undefined || start !== inst.position + 1) return NONE;
    const second = this.#active.find((part) => part.vreg === inst.b && part.end === start + 1);
    if (second === undefined) return NONE;
    // A part that another follows is read once more when the instruction is done: it goes on elsewhere.
    if (this.#unhandled.some((part) => part.vreg === inst.b && part.start === second.end)) return NONE;
    const { register } = second;
    if (this.#inactive.some((part) => part.register === register)) return NONE;
    const fixed = this.#intervals.fixed[register] as number[];
    if (firstIntersection(fixed, current.ranges, start, this.#over[register]) < end) return NONE;
    // What is the second then is read from its register.
    const first = (this.#parts[inst.a] as Interval[]).findLast((part) => part.start <= inst.position);
    if (first === undefined || first.register === MEMORY) return NONE;
    return first.end <= start && (free[first.register] as number) >= end ? NONE : register;
  }

  #outlivesCall(vreg: number): boolean {
    const interval = this.#intervals.values[vreg];
    const calls = this.#intervals.fixed[5] as number[];
    return interval !== undefined && firstIntersection(calls, interval.ranges, interval.start, this.#over[5]) !== NEVER;
  }

  /** The register whose values are used latest, unless the interval itself is used later than all. */
  #takeOccupied(current: Interval): void {
    const position = current.start;
    this.#findNextUses(current);
    const nextUse = this.#nextUse;
    let best = PREFERENCE[0] as number;
    for (const r of PREFERENCE) if ((nextUse[r] as number) > (nextUse[best] as number)) best = r;
    const needed = current.nextRegisterUse(position);
    const mustHave = needed !== NEVER && evenBelow(needed) <= position;
    const latest = nextUse[best] as number;
    if (!mustHave && (latest <= position || latest <= evenBelow(current.nextUse(position)))) {
      this.#toMemory(current);
      return;
    }
    if (latest <= position) throw new CodeGenerationError(`${this.#func.name} has no register left at ${position}.`);
    this.#occupy(current, best);
  }

  /** For each register: where what is in it is used next, and from where on the machine itself needs it. */
  #findNextUses(current: Interval): void {
    const position = current.start;
    const nextUse = this.#nextUse.fill(NEVER);
    for (const other of this.#active) lower(nextUse, other.register, evenBelow(other.nextUse(position)));
    for (const other of this.#inactive) {
      if (firstIntersection(other.ranges, current.ranges, position) !== NEVER) {
        lower(nextUse, other.register, evenBelow(other.nextUse(position)));
      }
    }
    for (let r = 0; r < REGISTERS; r++) {
      const fixed = this.#intervals.fixed[r] as number[];
      const at = evenBelow(firstIntersection(fixed, current.ranges, position, this.#over[r]));
      this.#blocked[r] = at;
      lower(nextUse, r, at);
    }
  }

  /** Gives it a register; what is there goes to memory. */
  #occupy(current: Interval, register: number): void {
    const position = current.start;
    current.register = register;
    for (const other of this.#active) if (other.register === register) this.#evict(other, position);
    for (const other of this.#inactive) {
      if (other.register === register && firstIntersection(other.ranges, current.ranges, position) !== NEVER) {
        this.#evict(other, position);
      }
    }
    const until = this.#blocked[register] as number;
    if (until < current.end) this.#queue(current.split(until));
  }

  /** From a position on it is in memory, until it is needed in a register again. */
  #evict(interval: Interval, position: number): void {
    if (interval.start >= position) {
      this.#toMemory(interval);
      return;
    }
    const rest = interval.split(position);
    if (evenBelow(rest.nextRegisterUse(rest.start)) <= rest.start) {
      this.#queue(rest);
      return;
    }
    (this.#parts[rest.vreg] as Interval[]).push(rest);
    this.#toMemory(rest);
  }

  #toMemory(interval: Interval): void {
    const needed = interval.nextRegisterUse(interval.start);
    if (needed !== NEVER) this.#queue(interval.split(evenBelow(needed)));
    interval.register = MEMORY;
  }
}

function exchangeOperands(inst: MachineInst): void {
  const { a, b } = inst;
  inst.a = b;
  inst.b = a;
}

/** Splits stand between instructions. */
function evenBelow(position: number): number {
  return position & ~1;
}

function lower(values: Int32Array, index: number, value: number): void {
  if (value < (values[index] as number)) values[index] = value;
}
