import { bitLength } from "../ssa/fold.ts";
import type { Func, Inst } from "../ssa/ir.ts";
import { fitsImmediate } from "./constants.ts";
import { countUses, type Uses } from "./uses.ts";

/** How far `bits` looks back. */
const DEPTH = 6;

/** What several instructions of a function can be made into one: asked of each in the order they stand in, answered always alike. */
export class Patterns {
  readonly uses: Uses;

  constructor(func: Func) {
    this.uses = countUses(func);
  }

  isUsed(inst: Inst): boolean {
    return this.uses.count[inst.id] !== 0;
  }

  /** Whether the one instruction that uses it is of its block and is as `is` says. */
  #isOnlyUsedBy(inst: Inst, is: (user: Inst) => boolean): boolean {
    const user = this.uses.user[inst.id];
    return this.uses.count[inst.id] === 1 && user !== undefined && user.block === inst.block && is(user);
  }

  /** Whether it is done in 32 bits by the zext to 32 bits that alone uses it. */
  isFused(inst: Inst): boolean {
    switch (inst.op) {
      case "add":
      case "sub":
      case "mul":
      case "and":
      case "or":
      case "xor":
      case "neg":
        break;
      case "shl": {
        // The count is taken modulo 32 there.
        const count = inst.args[1] as Inst;
        if (count.op !== "const" || (count.imm & 63n) > 31n) return false;
        break;
      }
      default:
        return false;
    }
    return (
      this.#isOnlyUsedBy(inst, (user) => user.op === "zext" && user.size === 4) &&
      inst.kind === "scalar" &&
      inst.args.every((arg) => arg.kind === "scalar") &&
      this.bits(inst) > 32
    );
  }

  /**
   * Whether the branch compares the low 32 bits. The kernel follows comparisons of 64 bits better, so only where that saves an
   * instruction: an operand that would have to be cut first, or a constant that fits no immediate.
   */
  comparesIn32(branch: Inst): boolean {
    const { condition } = branch;
    if (condition.startsWith("s") && condition !== "set") return false;
    let saves = false;
    for (const side of branch.args) {
      if (side.kind !== "scalar" || this.bits(side) > 32) return false;
      if (side.op === "const" ? !fitsImmediate(side.imm) : this.isCut(side)) saves = true;
    }
    return saves;
  }

  /** A zext to 32 bits that does something and that only the branch at the end of its block needs. */
  isCut(inst: Inst): boolean {
    if (inst.op !== "zext" || inst.size !== 4 || !this.#isOnlyUsedBy(inst, (user) => user.op === "branch"))
      return false;
    const source = inst.args[0] as Inst;
    return source.kind === "scalar" && !this.isFused(source) && this.bits(source) > 32;
  }

  /** Whether a branch that compares 32 bits makes the zext needless. */
  isComparedIn32(zext: Inst): boolean {
    return this.isCut(zext) && this.comparesIn32(this.uses.user[zext.id] as Inst);
  }

  /** How many low bits of a value can be other than 0, as far as is seen at once. */
  bits(inst: Inst, depth = 0): number {
    if (depth > DEPTH) return 64;
    const arg = (k: number) => this.bits(inst.args[k] as Inst, depth + 1);
    switch (inst.op) {
      case "const":
        return bitLength(inst.imm);
      case "load":
      case "kload":
        return inst.signed ? 64 : inst.size * 8;
      case "zext":
        return Math.min(inst.size * 8, arg(0));
      case "bswap":
        return inst.size * 8;
      case "and":
        return Math.min(arg(0), arg(1));
      case "or":
      case "xor":
        return Math.max(arg(0), arg(1));
      case "udiv":
      case "umod":
        return arg(0);
      case "lshr": {
        const count = inst.args[1] as Inst;
        return count.op === "const" ? Math.max(0, arg(0) - Number(count.imm & 63n)) : arg(0);
      }
      default:
        return 64;
    }
  }
}
