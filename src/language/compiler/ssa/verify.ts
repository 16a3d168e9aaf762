import { Dominators } from "./dominators.ts";
import { dumpInst } from "./dump.ts";
import { isBinary, MASK64 } from "./fold.ts";
import type { Block, Func, Inst, ValueKind } from "./ir.ts";
import { comparedWithZero, isZero, neverZero, nonZeroAtEntry, nonZeroOnEdge } from "./non-null.ts";
import { SsaError } from "./ssa-error.ts";

export interface VerifyOptions {
  /** Whether `bound` and `fits` may still be there (default true). */
  readonly claims?: boolean;
}

/**
 * Checks a function against every rule of the form; throws an `SsaError` that lists what is broken. Passes assume these rules
 * and do not check them.
 */
export function verify(func: Func, options: VerifyOptions = {}): void {
  const problems = new Verifier(func, options).run();
  if (problems.length > 0)
    throw new SsaError("malformed", `${func.name} is not whole:\n  ${problems.join("\n  ")}\n`, problems);
}

/** Operands by operation; calls, phis and atomics have rules of their own. */
const OPERANDS: Partial<Record<Inst["op"], number>> = {
  const: 0,
  param: 0,
  slot: 0,
  map: 0,
  global: 0,
  function: 0,
  neg: 1,
  zext: 1,
  sext: 1,
  bswap: 1,
  offset: 2,
  load: 1,
  kload: 1,
  store: 2,
  bound: 1,
  fits: 1,
  jump: 0,
  branch: 2,
  return: 1,
};
const SUCCESSORS: Partial<Record<Inst["op"], number>> = { jump: 1, branch: 2, return: 0 };
const LOADED = new Set<ValueKind>(["context", "stack", "memory", "packet", "kernel"]);
const STORED = new Set<ValueKind>(["context", "stack", "memory", "packet"]);
const MOVED = new Set<ValueKind>(["stack", "memory", "packet", "kernel", "plain"]);
/** What counts with numbers. `plain` addresses are no pointers to the kernel's verifier. */
const NUMBERS = new Set<ValueKind>(["scalar", "plain"]);

class Verifier {
  readonly #func: Func;
  readonly #claims: boolean;
  readonly #problems: string[] = [];
  readonly #dominators: Dominators;
  /** Where each value stands in its block: phis before all. */
  readonly #index = new Map<Inst, number>();
  #nonZeroAtEntry: readonly (ReadonlySet<Inst> | undefined)[] = [];
  /** What is known not to be 0 in the block that is checked. */
  #nonZero: ReadonlySet<Inst> = new Set();

  constructor(func: Func, options: VerifyOptions) {
    this.#func = func;
    this.#claims = options.claims ?? true;
    this.#dominators = new Dominators(func);
  }

  run(): readonly string[] {
    const { blocks } = this.#func;
    if (blocks.length === 0) return ["it has no blocks"];
    if (blocks[0]!.preds.length > 0)
      this.#problems.push(`b${blocks[0]!.id} begins the function and an edge leads to it`);
    if (new Set(blocks).size !== blocks.length) this.#problems.push("a block is listed twice");
    for (const block of blocks) this.#shape(block);
    // Where the shape is broken, the rest would only repeat it.
    if (this.#problems.length > 0) return this.#problems;
    this.#nonZeroAtEntry = nonZeroAtEntry(this.#dominators);
    for (const block of blocks) {
      this.#nonZero = this.#nonZeroAtEntry[block.id] ?? new Set();
      for (const phi of block.phis) this.#phi(phi, block);
      for (const inst of block.insts) this.#inst(inst);
      this.#inst(block.end!);
    }
    return this.#problems;
  }

  #say(inst: Inst, what: string): void {
    this.#problems.push(`b${inst.block.id}: ${dumpInst(inst)}: ${what}`);
  }

  #shape(block: Block): void {
    const name = `b${block.id}`;
    const { end } = block;
    if (!this.#dominators.reaches(block)) this.#problems.push(`${name} cannot be reached`);
    if (end === undefined) this.#problems.push(`${name} has no end`);
    else {
      if (SUCCESSORS[end.op] === undefined) this.#say(end, "cannot end a block");
      else if (SUCCESSORS[end.op] !== end.succs.length) this.#say(end, `has ${end.succs.length} successors`);
      if (new Set(end.succs).size !== end.succs.length) this.#say(end, "goes to one block in both cases");
      for (const succ of end.succs) {
        if (!this.#func.blocks.includes(succ)) this.#say(end, `b${succ.id} is not a block of the function`);
        if (!succ.preds.includes(block)) this.#say(end, `b${succ.id} does not know of the edge`);
      }
    }
    if (new Set(block.preds).size !== block.preds.length) this.#problems.push(`${name} has a predecessor twice`);
    for (const pred of block.preds)
      if (pred.end?.succs.includes(block) !== true)
        this.#problems.push(`${name} has b${pred.id} before it, which does not go there`);
    let index = 0;
    for (const phi of block.phis) this.#listed(phi, block, -1, phi.op === "phi" ? undefined : "is no phi");
    for (const inst of block.insts) {
      const wrong = inst.op === "phi" || SUCCESSORS[inst.op] !== undefined;
      this.#listed(inst, block, index++, wrong ? "does not stand among instructions" : undefined);
    }
    if (end !== undefined) this.#listed(end, block, index, undefined);
  }

  #listed(inst: Inst, block: Block, index: number, wrong: string | undefined): void {
    if (wrong !== undefined) this.#say(inst, wrong);
    if (inst.block !== block) this.#say(inst, `stands in b${block.id} and says b${inst.block.id}`);
    if (this.#index.has(inst)) this.#say(inst, "stands in two places");
    this.#index.set(inst, index);
  }

  /** Whether the value is there where `inst` is done. */
  #available(value: Inst, inst: Inst): boolean {
    const at = this.#index.get(value);
    if (at === undefined) return false;
    if (value.block === inst.block) return at < this.#index.get(inst)!;
    return this.#dominators.dominates(value.block, inst.block);
  }

  #nonZeroAtEnd(value: Inst, pred: Block, block: Block): boolean {
    return this.#nonZeroAtEntry[pred.id]?.has(value) === true || nonZeroOnEdge(pred, block) === value;
  }

  #phi(phi: Inst, block: Block): void {
    if (phi.args.length !== block.preds.length) {
      this.#say(phi, `has ${phi.args.length} operands, its block ${block.preds.length} predecessors`);
      return;
    }
    for (let i = 0; i < phi.args.length; i++) {
      const arg = phi.args[i]!;
      const pred = block.preds[i]!;
      if (!this.#index.has(arg) || !this.#dominators.dominates(arg.block, pred))
        this.#say(phi, `v${arg.id} is not there at the end of b${pred.id}`);
      if (phi.kind !== "scalar" && isZero(arg)) {
        if (!phi.nullable && phi.kind !== "plain") this.#say(phi, "may be 0 and is not nullable");
      } else if (!joins(phi.kind, arg.kind)) this.#say(phi, `v${arg.id} is ${arg.kind}`);
      else if (arg.nullable && !phi.nullable && arg !== phi && !this.#nonZeroAtEnd(arg, pred, block))
        this.#say(phi, `v${arg.id} is nullable, it is not`);
    }
  }

  #inst(inst: Inst): void {
    const expected = OPERANDS[inst.op] ?? (isBinary(inst.op) ? 2 : undefined);
    if (expected !== undefined && inst.args.length !== expected) {
      this.#say(inst, `has ${inst.args.length} operands instead of ${expected}`);
      return;
    }
    for (const arg of inst.args) if (!this.#available(arg, inst)) this.#say(inst, `v${arg.id} is not there`);
    const [a, b] = inst.args;
    if (isBinary(inst.op) || inst.op === "neg" || inst.op === "zext" || inst.op === "sext" || inst.op === "bswap") {
      // How far apart two bytes of a packet are is a number.
      if (inst.op === "sub" && a?.kind === "packet" && b?.kind === "packet") return;
      for (const arg of inst.args) if (!NUMBERS.has(arg.kind)) this.#say(inst, `v${arg.id} is no number`);
      return;
    }
    switch (inst.op) {
      case "const":
        if (inst.imm < 0n || inst.imm > MASK64) this.#say(inst, "is not 64 bits, unsigned");
        break;
      case "param":
        if (this.#func.params[Number(inst.imm)] !== inst.kind) this.#say(inst, "is not what the function takes");
        if (inst.block !== this.#func.blocks[0]) this.#say(inst, "does not stand where the function begins");
        break;
      case "slot":
        if (inst.slot === undefined || !this.#func.slots.includes(inst.slot))
          this.#say(inst, "is no slot of the function");
        break;
      case "map":
      case "global":
        if (inst.name === "") this.#say(inst, "has no name");
        break;
      case "function":
        if (inst.callee?.kind !== "function") this.#say(inst, "names no function");
        break;
      case "offset":
        // Of the kernel's objects and the context, what was moved may be an address from anywhere: for helpers that read.
        if (inst.kind === "plain" && (a!.kind === "kernel" || a!.kind === "context")) break;
        this.#address(inst, a!, MOVED);
        if (inst.kind !== a!.kind) this.#say(inst, `is ${inst.kind}, its base ${a!.kind}`);
        if (!NUMBERS.has(b!.kind)) this.#say(inst, `the distance v${b!.id} is no number`);
        break;
      case "load":
        this.#address(inst, a!, LOADED);
        break;
      case "kload":
        if (a!.kind !== "kernel" && !NUMBERS.has(a!.kind)) this.#say(inst, `v${a!.id} is no address of the kernel`);
        break;
      case "store":
        this.#address(inst, a!, STORED);
        break;
      case "atomic":
        this.#address(inst, a!, STORED);
        if (inst.size < 4) this.#say(inst, "is not of 4 or 8 bytes");
        if (inst.args.length !== (inst.atomic === "cmpxchg" ? 3 : 2))
          this.#say(inst, `has ${inst.args.length} operands`);
        break;
      case "call":
        this.#call(inst);
        break;
      case "bound":
      case "fits":
        if (!this.#claims) this.#say(inst, "claims are proven by now");
        if (inst.claim === undefined) this.#say(inst, "claims nothing");
        break;
      case "branch":
        this.#branch(inst, a!, b!);
        break;
      default:
        break;
    }
  }

  /** Memory is reached at `base`, which has to be an address, of one of these kinds, and not 0. */
  #address(inst: Inst, base: Inst, kinds: ReadonlySet<ValueKind>): void {
    if (!kinds.has(base.kind)) this.#say(inst, `v${base.id} is ${base.kind}`);
    if ((base.kind === "memory" || base.kind === "packet") && !neverZero(base) && !this.#nonZero.has(base))
      this.#say(inst, `v${base.id} may be 0: nothing compared it with 0 on the way here`);
    const { slot } = base;
    if (base.op !== "slot" || slot === undefined || inst.op === "offset") return;
    if (inst.imm < 0n || inst.imm + BigInt(inst.size) > BigInt(slot.size))
      this.#say(inst, `reaches out of s${slot.id}, which has ${slot.size} bytes`);
  }

  #call(inst: Inst): void {
    const { callee, args } = inst;
    if (callee === undefined) {
      this.#say(inst, "calls nothing");
      return;
    }
    if (args.length > 5) this.#say(inst, `passes ${args.length} arguments; five is all there are registers for`);
    for (const i of [...(callee.reads ?? []), ...(callee.writes ?? [])])
      if (args[i] === undefined) this.#say(inst, `has no argument ${i}`);
  }

  #branch(inst: Inst, a: Inst, b: Inst): void {
    if (NUMBERS.has(a.kind) && NUMBERS.has(b.kind)) return;
    if (a.kind === "packet" && b.kind === "packet") return;
    if (inst.condition !== "eq" && inst.condition !== "ne") this.#say(inst, "orders addresses");
    if (comparedWithZero(a, b) === undefined && a.kind !== b.kind) this.#say(inst, `compares ${a.kind} with ${b.kind}`);
  }
}

/** Whether an operand of kind `arg` may come into a phi of kind `phi`: the kernel lets one load read from stack or memory. */
function joins(phi: ValueKind, arg: ValueKind): boolean {
  if (phi === arg) return true;
  const memory = (kind: ValueKind): boolean => kind === "stack" || kind === "memory";
  return (memory(phi) && memory(arg)) || (NUMBERS.has(phi) && NUMBERS.has(arg));
}
