import { removeEdge } from "../ssa/edges.ts";
import { MASK64, negate, swapSides } from "../ssa/fold.ts";
import type { Block, Condition, Func, Inst } from "../ssa/ir.ts";
import { isLeaf, type Leaves } from "../ssa/leaves.ts";
import { isZero } from "../ssa/non-null.ts";
import type { Ranges } from "./analysis.ts";
import { constantRange, join, type Range, SIGNED_MAX, SIGNED_MIN, within } from "./range.ts";

/** A branch that only says which of 0 and 1 something is, and what its sides may be. */
export interface Choice {
  readonly block: Block;
  readonly sides: readonly [Range, Range];
}

/** Operations that take no more instructions than the branch would. */
const SHORT = 3;
const SIGN_BIT = 63n;

/** Where the ways of a choice meet: their numbers among the predecessors of that block. */
interface Meeting {
  readonly to: Block;
  readonly ifSo: number;
  readonly ifNot: number;
}

/**
 * Whether the branch that ends a block only says which of 0 and 1 something is, and tells the kernel nothing that holds behind both of
 * its ways. Leaves may stand in those.
 */
export function choiceOf(block: Block, ranges: Ranges): Choice | undefined {
  if (meetingOf(block) === undefined) return undefined;
  const [a, b] = block.end!.args as [Inst, Inst];
  if (teaches(block, a, ranges) || teaches(block, b, ranges)) return undefined;
  const [x, y] = [ranges.at(a, block).exact, ranges.at(b, block).exact];
  return x === undefined || y === undefined ? undefined : { block, sides: [x, y] };
}

/**
 * Whether the kernel knows more of a value where the ways of a branch meet than it did before: of what `& 0xf1` leaves below 200, what is
 * above 192 is 193, so that all is below 196. Somebody may rely on that.
 */
function teaches(block: Block, value: Inst, ranges: Ranges): boolean {
  if (value.op === "const") return false;
  const [yes, no] = block.end!.succs.map((next) => ranges.onEdge(value, block, next).kernel) as [Range, Range];
  return !within(ranges.at(value, block).kernel, join(yes, no));
}

function meetingOf(block: Block): Meeting | undefined {
  const { op, args, succs } = block.end!;
  if (op !== "branch" || args.some(({ kind }) => kind !== "scalar")) return undefined;
  const [yes, no] = succs as [Block, Block];
  const to = behind(yes);
  if (to.phis.length === 0 || to === block || to !== behind(no)) return undefined;
  const from = (next: Block): number => to.preds.indexOf(isEmpty(next) ? next : block);
  const [ifSo, ifNot] = [from(yes), from(no)];
  const isChoice = ifSo !== ifNot && to.phis.every(({ args: of }) => isSameOrBit(of[ifSo]!, of[ifNot]!));
  return isChoice ? { to, ifSo, ifNot } : undefined;
}

/** Where a block that does nothing goes to; else the block. */
function behind(block: Block): Block {
  return isEmpty(block) ? block.end!.succs[0]! : block;
}

function isEmpty({ phis, insts, end }: Block): boolean {
  return phis.length === 0 && end!.op === "jump" && insts.every(({ op }) => isLeaf(op));
}

function isSameOrBit(a: Inst, b: Inst): boolean {
  return isSame(a, b) || (a.op === "const" && b.op === "const" && (a.imm | b.imm) === 1n);
}

function isSame(a: Inst, b: Inst): boolean {
  return a === b || (a.op === "const" && b.op === "const" && a.imm === b.imm);
}

/**
 * Has comparisons that only say which of 0 and 1 something is computed instead of branched on. The verifier goes each way of a
 * branch, remembers on each what it compared, and cannot take two ways for one afterwards when what it remembers matters: a key
 * of a dozen such fields is thousands of ways. Where nothing more is to be learned there should be one. What takes more
 * instructions than the branch is left as it is, unless `sparing`.
 *
 * In place; leaves have to be gathered. Blocks that nothing leads to any more are left for `simplifyControlFlow`: others may still
 * have to be worked on.
 */
export function flattenChoices(func: Func, choices: readonly Choice[], leaves: Leaves, sparing: boolean): void {
  for (const { block, sides } of choices) {
    // What was flattened before may have changed it.
    const meeting = meetingOf(block);
    if (meeting === undefined) continue;
    const { to, ifSo, ifNot } = meeting;
    const { condition, args, succs, span } = block.end!;
    const values: Inst[] = [];
    const insts: Inst[] = [];
    const bits: (Inst | undefined)[] = [];
    for (const phi of to.phis) {
      const value = phi.args[ifSo]!;
      if (isSame(value, phi.args[ifNot]!)) {
        values.push(value);
        continue;
      }
      const bit = Number(value.imm);
      if (bits[bit] === undefined) {
        const terms = new Terms(func, block, leaves, span);
        const made = terms.compare(condition, bit === 1, args[0]!, args[1]!, ...sides);
        if (made.length > SHORT && !sparing) break;
        insts.push(...made);
        bits[bit] = made.at(-1)!;
      }
      values.push(bits[bit]);
    }
    if (insts.length === 0 || values.length < to.phis.length) continue;
    block.insts.push(...insts);
    for (const next of succs) removeEdge(block, next);
    block.end = func.newInst("jump", [], block, span);
    block.end.succs.push(to);
    to.preds.push(block);
    for (const [i, phi] of to.phis.entries()) phi.args.push(values[i]!);
  }
}

/** Comparisons as arithmetic: lists of instructions, the last of which is 1 where it holds, else 0. */
class Terms {
  readonly #func: Func;
  readonly #block: Block;
  readonly #leaves: Leaves;
  readonly #span: Inst["span"];
  readonly #made: Inst[] = [];

  constructor(func: Func, block: Block, leaves: Leaves, span: Inst["span"]) {
    this.#func = func;
    this.#block = block;
    this.#leaves = leaves;
    this.#span = span;
  }

  /** Whether the condition holds, or (`holds` is false) whether it does not. */
  compare(condition: Condition, holds: boolean, a: Inst, b: Inst, x: Range, y: Range): Inst[] {
    if (condition === "set") {
      this.#nonZero(holds, this.#op("and", a, b), x.smin >= 0n || y.smin >= 0n);
      return this.#made;
    }
    const asked = holds ? condition : negate(condition)!;
    switch (asked) {
      case "eq":
      case "ne":
        this.#differs(asked === "ne", a, b, x, y);
        break;
      case "ult":
      case "slt":
        this.#signOf(this.#less(asked === "slt", a, b, x, y));
        break;
      case "ule":
      case "sle":
        this.#lessOrEqual(asked === "sle", a, b, x, y);
        break;
      default:
        return this.compare(swapSides(asked), true, b, a, y, x);
    }
    return this.#made;
  }

  #op(op: "add" | "sub" | "and" | "or" | "xor" | "lshr" | "neg" | "zext", ...args: Inst[]): Inst {
    const inst = this.#func.newInst(op, args, this.#block, this.#span);
    this.#made.push(inst);
    return inst;
  }

  #constant(value: bigint): Inst {
    return this.#leaves.constant(value & MASK64);
  }

  #signOf(value: Inst): Inst {
    return this.#op("lshr", value, this.#constant(SIGN_BIT));
  }

  #not(bit: Inst): Inst {
    return this.#op("xor", bit, this.#constant(1n));
  }

  /** Whether the two differ, or whether they are equal. */
  #differs(differ: boolean, a: Inst, b: Inst, x: Range, y: Range): void {
    if (isZero(b)) this.#nonZero(differ, a, x.smin >= 0n);
    else if (isZero(a)) this.#nonZero(differ, b, y.smin >= 0n);
    else {
      const bits = this.#op("xor", a, b);
      const haveOneSign = (x.smin >= 0n && y.smin >= 0n) || (x.smax < 0n && y.smax < 0n);
      if (!haveOneSign && isWord(x) && isWord(y)) {
        // The upper halves are the signs of the lower ones: those say all.
        const word = this.#op("zext", bits);
        word.size = 4;
        this.#nonZero(differ, word, true);
      } else this.#nonZero(differ, bits, haveOneSign);
    }
  }

  /** Whether the value is not 0, or whether it is; `isPositive` where it has no sign. */
  #nonZero(isNot: boolean, value: Inst, isPositive: boolean): void {
    if (isPositive) {
      if (isNot) this.#signOf(this.#op("neg", value));
      else this.#signOf(this.#op("sub", value, this.#constant(1n)));
      return;
    }
    const sign = this.#signOf(this.#op("or", value, this.#op("neg", value)));
    if (!isNot) this.#not(sign);
  }

  /** A value whose sign says whether `a` is less than `b`. */
  #less(isSigned: boolean, a: Inst, b: Inst, x: Range, y: Range): Inst {
    const difference = (): Inst => this.#op("sub", a, b);
    if (isSigned) {
      if (fits(x.smin - y.smax) && fits(x.smax - y.smin)) return difference();
      const by = difference();
      return this.#op("xor", by, this.#op("and", this.#op("xor", a, b), this.#op("xor", by, a)));
    }
    if (x.smin >= 0n && y.smin >= 0n) return difference();
    if (x.smin >= 0n) return this.#op("or", difference(), b);
    const notA = this.#op("xor", a, this.#constant(-1n));
    if (y.smin >= 0n) return this.#op("and", difference(), notA);
    return this.#op("or", this.#op("and", notA, b), this.#op("and", this.#op("or", notA, b), difference()));
  }

  #lessOrEqual(isSigned: boolean, a: Inst, b: Inst, x: Range, y: Range): void {
    // With a constant: less than the next one, where there is one.
    const last = isSigned ? SIGNED_MAX : MASK64;
    const first = isSigned ? SIGNED_MIN : 0n;
    const [xs, ys] = isSigned ? [x.smin, y.smin] : [x.umin, y.umin];
    if (b.op === "const" && ys < last) {
      this.#signOf(this.#less(isSigned, a, this.#constant(b.imm + 1n), x, shifted(y, 1n)));
    } else if (a.op === "const" && xs > first) {
      this.#signOf(this.#less(isSigned, this.#constant(a.imm - 1n), b, shifted(x, -1n), y));
    } else if (x.smin >= 0n && y.smin >= 0n) {
      this.#signOf(this.#op("sub", this.#op("sub", a, b), this.#constant(1n)));
    } else this.#not(this.#signOf(this.#less(isSigned, b, a, y, x)));
  }
}

/** A number of 32 bits with a sign. */
function isWord({ smin, smax }: Range): boolean {
  return smin >= -0x8000_0000n && smax < 0x8000_0000n;
}

function fits(value: bigint): boolean {
  return value >= SIGNED_MIN && value <= SIGNED_MAX;
}

/** Of a constant: that of the one beside it. */
function shifted({ umin }: Range, by: bigint): Range {
  return constantRange((umin + by) & MASK64);
}
