// Claims about the values of random functions, as the range analysis finds them: what it says has to be true when the function
// runs, and what it makes of a claim has to be what the kernel's verifier accepts.
import { type Known, Ranges } from "../../src/language/compiler/ranges/analysis.ts";
import { NOWHERE } from "../../src/language/compiler/span.ts";
import type { Block, Func, Inst, Op } from "../../src/language/compiler/ssa/ir.ts";
import type { Random } from "./random.ts";
import { MEMORY_SIZE } from "./random-function.ts";

/** A number that is available at the end of a block, and what is known of it there. */
export interface KnownValue {
  readonly block: Block;
  readonly value: Inst;
  readonly known: Known;
}

/** All numbers of a function where they are defined, and those that a branch compared where it leads to. */
export function knownValues(func: Func): KnownValue[] {
  const ranges = new Ranges(func);
  const found: KnownValue[] = [];
  for (const block of func.blocks) {
    if (!ranges.kernelReaches(block)) continue;
    const values = new Set<Inst>([...block.phis, ...block.insts]);
    for (const pred of block.preds)
      for (const arg of pred.end?.args ?? []) if (ranges.dominators.dominates(arg.block, block)) values.add(arg);
    for (const value of values)
      if (value.kind === "scalar" && value.op !== "const" && value.op !== "store")
        found.push({ block, value, known: ranges.at(value, block) });
  }
  return found;
}

/** Writes instructions at the end of a block of a function that is finished. */
class Appender {
  readonly #func: Func;
  readonly #block: Block;

  constructor(func: Func, block: Block) {
    this.#func = func;
    this.#block = block;
  }

  put(
    op: Op,
    args: Inst[],
    set: Partial<Pick<Inst, "imm" | "size" | "kind" | "name" | "claim" | "callee">> = {},
  ): Inst {
    const inst = this.#func.newInst(op, args, this.#block, NOWHERE);
    Object.assign(inst, set);
    this.#block.insts.push(inst);
    return inst;
  }
}

/** Has the helper `watch` look at each value with its number in the list. */
export function watchValues(func: Func, values: readonly KnownValue[]): void {
  values.forEach(({ block, value }, i) => {
    const at = new Appender(func, block);
    at.put("call", [at.put("const", [], { imm: BigInt(i) }), value], {
      callee: { kind: "helper", name: "watch", id: 0 },
    });
  });
}

/**
 * Reads memory at distances that are bounded by what the analysis says, and not by one more; writes what it read elsewhere in
 * memory, so that it is seen. Returns how many of them the kernel sees itself, and how many not.
 */
export function addClaims(
  func: Func,
  random: Random,
  most: number,
): { readonly seen: number; readonly unseen: number } {
  const small = knownValues(func).filter(
    // Old kernels add atomically only where nobody asks for what was there.
    ({ known, value }) => value.op !== "atomic" && (known.exact === undefined || known.exact.umax < MEMORY_SIZE),
  );
  let seen = 0;
  let unseen = 0;
  for (let i = 0; i < most && small.length > 0; i++) {
    const { block, value, known } = small.splice(random.below(small.length), 1)[0] as KnownValue;
    const limit = (known.exact?.umax ?? BigInt(random.below(MEMORY_SIZE))) + 1n;
    if (known.kernel.umax < limit) seen++;
    else unseen++;
    const at = new Appender(func, block);
    const index = at.put("bound", [value], { imm: limit, claim: { code: "EB3101", message: "may be {range}" } });
    const base = at.put("global", [], { kind: "memory", name: "memory", imm: BigInt(MEMORY_SIZE) - limit });
    const byte = at.put("load", [at.put("offset", [base, index], { kind: "memory" })], { size: 1 });
    const into = at.put("global", [], { kind: "memory", name: "memory", imm: BigInt(random.below(MEMORY_SIZE)) });
    at.put("store", [into, byte], { size: 1 });
  }
  return { seen, unseen };
}
