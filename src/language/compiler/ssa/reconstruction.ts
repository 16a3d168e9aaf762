import { setPhiKind } from "./builder.ts";
import type { Block, Func, Inst } from "./ir.ts";

/**
 * One variable in a finished graph, of which it is known what it is at the end of some blocks: what is it elsewhere? Makes
 * the phis that this takes; needless ones are for `removeTrivialPhis`.
 */
export class Reconstruction {
  readonly #func: Func;
  /** What it is where it was never given a value. */
  readonly #undefined: Inst;
  readonly #name: string | undefined;
  readonly #ends: (Inst | undefined)[] = [];
  readonly #entries: (Inst | undefined)[] = [];
  /** The phis that were made. */
  readonly phis: Inst[] = [];

  constructor(func: Func, undefinedValue: Inst, name: string | undefined) {
    this.#func = func;
    this.#undefined = undefinedValue;
    this.#name = name;
  }

  /** It is `value` at the end of `block`. */
  define(block: Block, value: Inst): void {
    this.#ends[block.id] = value;
  }

  atEnd(block: Block): Inst {
    return this.#ends[block.id] ?? this.atEntry(block);
  }

  atEntry(block: Block): Inst {
    const passed: Block[] = [];
    let value: Inst | undefined;
    for (let at = block; value === undefined; ) {
      value = this.#entries[at.id];
      if (value !== undefined) break;
      if (at.preds.length === 0) value = this.#undefined;
      else if (at.preds.length > 1) value = this.#phi(at);
      else {
        passed.push(at);
        at = at.preds[0]!;
        value = this.#ends[at.id];
      }
    }
    for (const each of passed) this.#entries[each.id] = value;
    this.#entries[block.id] = value;
    return value;
  }

  #phi(block: Block): Inst {
    const phi = this.#func.newInst("phi", [], block, block.end!.span);
    phi.variable = this.#name;
    block.phis.push(phi);
    // It is there before its operands are: they may lead back to it.
    this.#entries[block.id] = phi;
    this.phis.push(phi);
    for (const pred of block.preds) phi.args.push(this.atEnd(pred));
    return phi;
  }
}

/** Phis have all their operands now, each other among them: what kind are they? */
export function settleKinds(phis: readonly Inst[]): void {
  for (let turns = phis.length + 1, changed = true; changed && turns > 0; turns--) {
    changed = false;
    for (const phi of phis) {
      const { kind, nullable } = phi;
      setPhiKind(phi);
      if (phi.kind !== kind || phi.nullable !== nullable) changed = true;
    }
  }
}
