/**
 * Where a virtual register is live, as half-open ranges of positions, and where it is used; or the part of that which has one
 * place. Instructions stand at even positions: what they read is read there, what they write is written at the odd position
 * behind. An operand that must not share its register with the result is read at the odd position too.
 */
export class Interval {
  readonly vreg: number;
  /** from, to, from, to …; ascending, with holes between them. */
  ranges: number[];
  /** Position × 2, plus 1 where it must be in a register; ascending. */
  uses: number[];
  /** The register it is in; MEMORY when it is in its place on the stack, or made anew where it is used. */
  register: number = UNPLACED;

  constructor(vreg: number, ranges: number[], uses: number[]) {
    this.vreg = vreg;
    this.ranges = ranges;
    this.uses = uses;
  }

  get start(): number {
    return this.ranges[0] as number;
  }

  get end(): number {
    return this.ranges[this.ranges.length - 1] as number;
  }

  covers(position: number): boolean {
    const { ranges } = this;
    for (let i = 0; i < ranges.length; i += 2) {
      if (position < (ranges[i] as number)) return false;
      if (position < (ranges[i + 1] as number)) return true;
    }
    return false;
  }

  /**
   * The first use behind a position, or at it when it needs a register there; NEVER when there is none. A use that can read
   * memory as well is no reason to keep a register for it.
   */
  nextUse(position: number): number {
    for (const use of this.uses) if (use >> 1 > position || use === ((position << 1) | 1)) return use >> 1;
    return NEVER;
  }

  /** The first use at or behind a position that needs a register. */
  nextRegisterUse(position: number): number {
    for (const use of this.uses) if ((use & 1) === 1 && use >> 1 >= position) return use >> 1;
    return NEVER;
  }

  /** Cuts off what is at and behind a position inside it, and gives that. */
  split(position: number): Interval {
    const { ranges, uses } = this;
    let i = 0;
    while ((ranges[i + 1] as number) <= position) i += 2;
    const rest = ranges.slice(i);
    const kept = ranges.slice(0, i);
    const from = ranges[i] as number;
    if (from < position) {
      kept.push(from, position);
      rest[0] = position;
    }
    let u = 0;
    while (u < uses.length && (uses[u] as number) >> 1 < position) u++;
    this.ranges = kept;
    this.uses = uses.slice(0, u);
    return new Interval(this.vreg, rest, uses.slice(u));
  }
}

export const NEVER = 0x3fff_ffff;
const UNPLACED = -2;
export const MEMORY = -1;

/** The first position from `from` on that both cover; NEVER when there is none. `start`: ranges of `a` before it are over. */
export function firstIntersection(a: readonly number[], b: readonly number[], from: number, start = 0): number {
  let i = start;
  let k = 0;
  while (i < a.length && k < b.length) {
    const aTo = a[i + 1] as number;
    const bTo = b[k + 1] as number;
    if (aTo <= from) i += 2;
    else if (bTo <= from) k += 2;
    else {
      const start = Math.max(a[i] as number, b[k] as number, from);
      if (start < aTo && start < bTo) return start;
      if (aTo < bTo) i += 2;
      else k += 2;
    }
  }
  return NEVER;
}
