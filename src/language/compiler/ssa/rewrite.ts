import type { Func, Inst } from "./ir.ts";

/** Values that others stand for now. Operands are looked up in it while a pass walks, and rewritten all at once at its end. */
export class Replacements {
  readonly #by: (Inst | undefined)[] = [];
  #any = false;

  /** `value` is `by` from now on. */
  replace(value: Inst, by: Inst): void {
    this.#by[value.id] = by;
    this.#any = true;
    if (by.variable === undefined && by.op !== "const" && value.variable !== undefined) by.variable = value.variable;
  }

  /** What stands for the value: itself when nothing does. */
  resolve(value: Inst): Inst {
    let at = value;
    for (let by = this.#by[at.id]; by !== undefined; by = this.#by[at.id]) at = by;
    // The way is kept short for who asks next.
    if (at !== value && this.#by[value.id] !== at) this.#by[value.id] = at;
    return at;
  }

  resolveArgs(inst: Inst): void {
    const { args } = inst;
    for (let i = 0; i < args.length; i++) args[i] = this.resolve(args[i]!);
  }

  isReplaced(value: Inst): boolean {
    return this.#by[value.id] !== undefined;
  }

  /** Rewrites all operands of the function, and takes out what was replaced. Returns whether anything was. */
  apply(func: Func): boolean {
    if (!this.#any) return false;
    for (const block of func.blocks) {
      const { phis } = block;
      let kept = 0;
      for (const phi of phis) {
        if (this.isReplaced(phi)) continue;
        this.resolveArgs(phi);
        phis[kept++] = phi;
      }
      phis.length = kept;
      let some = false;
      for (const inst of block.insts) {
        if (this.isReplaced(inst)) some = true;
        else this.resolveArgs(inst);
      }
      if (some) block.insts = block.insts.filter((inst) => !this.isReplaced(inst));
      this.resolveArgs(block.end!);
    }
    return true;
  }
}

/** Makes of a load one of what was stored there as `value`, of which memory keeps the low bytes only. */
export function loadToExtension(load: Inst, value: Inst): void {
  load.op = load.signed ? "sext" : "zext";
  load.signed = false;
  load.imm = 0n;
  load.args[0] = value;
}
