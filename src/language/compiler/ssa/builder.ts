import { NOWHERE, type Span } from "../span.ts";
import { foldCondition, unsigned } from "./fold.ts";
import {
  type AtomicOp,
  type BinaryOp,
  type Block,
  type Callee,
  type Claim,
  type Condition,
  Func,
  type FunctionCallee,
  type Inst,
  type Op,
  type Size,
  type Slot,
  type ValueKind,
} from "./ir.ts";
import { isZero, knownNonZero } from "./non-null.ts";
import { simplify } from "./simplify.ts";
import { SsaError } from "./ssa-error.ts";

/** A variable of the source, or one that the compiler needs: what is assigned in several places and read after. */
export class Variable {
  readonly name: string;
  /** The value it has at the end of a block, by the block's id, so far as it is known. */
  readonly values: (Inst | undefined)[] = [];

  /** The one value that it has, where it was defined and not written since. */
  only: Inst | undefined = undefined;

  constructor(name: string) {
    this.name = name;
  }
}

/** What else there is to say of a value that comes from memory or a call. */
export interface ValueOptions {
  readonly kind?: ValueKind | undefined;
  readonly nullable?: boolean | undefined;
}

/**
 * Writes a function in SSA form, block by block, as one walks the source: variables are read and written by name, and phis
 * appear where they are needed (Braun et al., Simple and Efficient Construction of Static Single Assignment Form, 2013).
 *
 * A block is sealed when no more edges to it will come: at once for the arms of an `if`, after the body for the head of a
 * loop. What is written after a `return` or `jump` goes into a block that nothing reaches, so that the walk need not care;
 * `finish()` drops it.
 */
export class Builder {
  readonly func: Func;
  /** Where in the source the instructions that come are from. */
  span: Span;
  #block: Block | undefined;
  readonly #sealed = new Set<Block>();
  /** Sealed blocks that no edge leads to: edges out of them do not count. */
  readonly #dead = new Set<Block>();
  /** Phis of blocks that are not sealed: their operands come when the block is. */
  readonly #incomplete = new Map<Block, [Variable, Inst][]>();
  /** What stands for a phi that turned out to have one operand. */
  readonly #replaced: (Inst | undefined)[] = [];
  readonly #params: (Inst | undefined)[] = [];
  #phis: Inst[] = [];
  #finished = false;

  constructor(name: string, kind: Func["kind"], params: readonly ValueKind[], span: Span = NOWHERE) {
    this.func = new Func(name, kind, params, span);
    this.span = span;
    const entry = this.func.newBlock();
    this.#sealed.add(entry);
    this.#block = entry;
  }

  // Blocks

  /** The block that is written to. */
  get block(): Block {
    return this.#here();
  }

  /** Whether what is written now can be reached: false after `ret` and `jump`, until `at()`. */
  get reachable(): boolean {
    return this.#block !== undefined && !this.#dead.has(this.#block);
  }

  /** A new block. Nothing is written to it before `at(block)`. */
  newBlock(): Block {
    return this.func.newBlock();
  }

  /** Goes on writing at the end of `block`. */
  at(block: Block): void {
    if (block.end !== undefined) throw new SsaError("misuse", `b${block.id} of ${this.func.name} has ended`);
    this.#block = block;
  }

  /** No more edges to `block` will come. */
  seal(block: Block): void {
    if (this.#sealed.has(block)) throw new SsaError("misuse", `b${block.id} of ${this.func.name} is sealed twice`);
    this.#sealed.add(block);
    if (block.preds.length === 0) this.#dead.add(block);
    const waiting = this.#incomplete.get(block);
    if (waiting === undefined) return;
    this.#incomplete.delete(block);
    for (const [variable, phi] of waiting) this.#complete(variable, phi);
  }

  /** Seals `block` and goes on writing there. */
  enter(block: Block): void {
    this.seal(block);
    this.at(block);
  }

  // Variables

  /** The variable has this value from here on. */
  write(variable: Variable, value: Inst): void {
    const given = this.#resolve(value);
    if (given.variable === undefined && variable.name !== "") given.variable = variable.name;
    variable.values[this.#here().id] = given;
    variable.only = undefined;
  }

  /** The variable has this value wherever it is read, which is behind here; where its place comes round again, another one. */
  define(variable: Variable, value: Inst): void {
    this.write(variable, value);
    variable.only = value;
  }

  /** What the variable is here. */
  read(variable: Variable): Inst {
    if (variable.only !== undefined) return this.#resolve(variable.only);
    return this.#read(variable, this.#here());
  }

  #read(variable: Variable, block: Block): Inst {
    // Walks up while there is one way to come from, in a loop, so that long functions need no deep stack.
    const passed: Block[] = [];
    let at = block;
    let value: Inst;
    for (;;) {
      const known = variable.values[at.id];
      if (known !== undefined) {
        value = this.#resolve(known);
        break;
      }
      if (!this.#sealed.has(at)) {
        value = this.#newPhi(variable, at);
        const from = at.preds[0];
        // What it is, as far as one can tell before the edges that come back are there.
        if (from !== undefined) {
          const first = this.#read(variable, from);
          value.kind = first.kind;
          value.nullable = first.nullable;
        }
        const waiting = this.#incomplete.get(at);
        if (waiting === undefined) this.#incomplete.set(at, [[variable, value]]);
        else waiting.push([variable, value]);
        break;
      }
      if (at.preds.length === 0) {
        if (!this.#dead.has(at))
          throw new SsaError(
            "misuse",
            `${variable.name || "a variable"} is read in ${this.func.name} before it is written`,
          );
        value = this.#constantIn(at, 0n);
        variable.values[at.id] = value;
        break;
      }
      if (at.preds.length > 1) {
        value = this.#complete(variable, this.#newPhi(variable, at));
        variable.values[at.id] = value;
        break;
      }
      passed.push(at);
      at = at.preds[0]!;
      if (passed.length > this.func.blocks.length) {
        // A loop that only its own end leads to: nothing ever comes here.
        value = this.#constantIn(at, 0n);
        break;
      }
    }
    for (const each of passed) variable.values[each.id] = value;
    return value;
  }

  #newPhi(variable: Variable, block: Block): Inst {
    const phi = this.func.newInst("phi", [], block, this.span);
    if (variable.name !== "") phi.variable = variable.name;
    block.phis.push(phi);
    this.#phis.push(phi);
    variable.values[block.id] = phi;
    return phi;
  }

  /** Gives a phi its operands, and removes it when they are all the same. */
  #complete(variable: Variable, phi: Inst): Inst {
    for (const pred of phi.block.preds) phi.args.push(this.#read(variable, pred));
    return this.#settle(phi);
  }

  #settle(phi: Inst): Inst {
    for (let i = 0; i < phi.args.length; i++) phi.args[i] = this.#resolve(phi.args[i]!);
    const only = simplify(phi);
    if (only !== undefined && typeof only !== "bigint") {
      this.#replace(phi, only);
      return only;
    }
    setPhiKind(phi);
    return phi;
  }

  #replace(phi: Inst, by: Inst): void {
    this.#replaced[phi.id] = by;
    phi.block.phis.splice(phi.block.phis.indexOf(phi), 1);
    if (by.variable === undefined) by.variable = phi.variable;
  }

  #resolve(value: Inst): Inst {
    let at = value;
    for (let by = this.#replaced[at.id]; by !== undefined; by = this.#replaced[at.id]) at = by;
    return at;
  }

  /** A phi of the current block, with an operand for each edge that leads to it, in their order. */
  phi(values: readonly Inst[]): Inst {
    const block = this.#here();
    if (!this.#sealed.has(block) || block.preds.length !== values.length)
      throw new SsaError(
        "misuse",
        `a phi of ${values.length} values in b${block.id}, which has ${block.preds.length} edges`,
      );
    const phi = this.func.newInst("phi", [...values], block, this.span);
    block.phis.push(phi);
    this.#phis.push(phi);
    return values.length === 0 ? phi : this.#settle(phi);
  }

  // Values

  /** A number; negative ones are taken as their 64 bits. */
  constant(value: bigint | number): Inst {
    return this.#constantIn(this.#here(), unsigned(BigInt(value)));
  }

  #constantIn(block: Block, value: bigint): Inst {
    const inst = this.func.newInst("const", [], block, this.span);
    inst.imm = value;
    block.insts.push(inst);
    return inst;
  }

  /** Parameter `index` of the function. */
  param(index: number): Inst {
    const made = this.#params[index];
    if (made !== undefined) return made;
    const kind = this.func.params[index];
    if (kind === undefined) throw new SsaError("misuse", `${this.func.name} has no parameter ${index}`);
    const entry = this.func.blocks[0]!;
    const inst = this.func.newInst("param", [], entry, this.func.span);
    inst.imm = BigInt(index);
    inst.kind = kind;
    entry.insts.unshift(inst);
    this.#params[index] = inst;
    return inst;
  }

  /** A new piece of the stack; `slot()` gives its address. */
  newSlot(size: number, align: number, name: string): Slot {
    return this.func.newSlot(size, align, name, this.span);
  }

  /** The address of a piece of the stack. */
  slot(slot: Slot): Inst {
    const inst = this.#make("slot", [], "stack");
    inst.slot = slot;
    return this.#put(inst);
  }

  /** The map `name`, as helpers take it. */
  map(name: string): Inst {
    const inst = this.#make("map", [], "map");
    inst.name = name;
    return this.#put(inst);
  }

  /** The address of byte `offset` of the global data `name`. */
  global(name: string, offset: number | bigint): Inst {
    const inst = this.#make("global", [], "memory");
    inst.name = name;
    inst.imm = BigInt(offset);
    return this.#put(inst);
  }

  /** The address of a function of this object, for a helper that calls it back. */
  functionAddress(name: string): Inst {
    const inst = this.#make("function", [], "function");
    inst.callee = { kind: "function", name } satisfies FunctionCallee;
    return this.#put(inst);
  }

  binary(op: BinaryOp, a: Inst, b: Inst): Inst {
    return this.#put(this.#make(op, [a, b], "scalar"));
  }
  add(a: Inst, b: Inst): Inst {
    return this.binary("add", a, b);
  }
  sub(a: Inst, b: Inst): Inst {
    return this.binary("sub", a, b);
  }
  mul(a: Inst, b: Inst): Inst {
    return this.binary("mul", a, b);
  }
  udiv(a: Inst, b: Inst): Inst {
    return this.binary("udiv", a, b);
  }
  umod(a: Inst, b: Inst): Inst {
    return this.binary("umod", a, b);
  }
  sdiv(a: Inst, b: Inst): Inst {
    return this.binary("sdiv", a, b);
  }
  smod(a: Inst, b: Inst): Inst {
    return this.binary("smod", a, b);
  }
  and(a: Inst, b: Inst): Inst {
    return this.binary("and", a, b);
  }
  or(a: Inst, b: Inst): Inst {
    return this.binary("or", a, b);
  }
  xor(a: Inst, b: Inst): Inst {
    return this.binary("xor", a, b);
  }
  shl(a: Inst, b: Inst): Inst {
    return this.binary("shl", a, b);
  }
  lshr(a: Inst, b: Inst): Inst {
    return this.binary("lshr", a, b);
  }
  ashr(a: Inst, b: Inst): Inst {
    return this.binary("ashr", a, b);
  }
  neg(a: Inst): Inst {
    return this.#put(this.#make("neg", [a], "scalar"));
  }

  /** The low `size` bytes, zero extended. */
  zext(a: Inst, size: Size): Inst {
    return this.#sized("zext", a, size);
  }
  /** The low `size` bytes, sign extended. */
  sext(a: Inst, size: Size): Inst {
    return this.#sized("sext", a, size);
  }
  /** The low `size` bytes in reverse order. */
  bswap(a: Inst, size: Size): Inst {
    return this.#sized("bswap", a, size);
  }

  #sized(op: "zext" | "sext" | "bswap", a: Inst, size: Size): Inst {
    const inst = this.#make(op, [a], "scalar");
    inst.size = size;
    return this.#put(inst);
  }

  // Memory

  /** The address `base` plus `distance` bytes. Constant distances belong into loads and stores instead. */
  offset(base: Inst, distance: Inst): Inst {
    const inst = this.#make("offset", [base, distance], base.kind);
    return this.#put(inst);
  }

  /** `size` bytes at `base + offset`. */
  load(base: Inst, offset: number | bigint, size: Size, options?: ValueOptions & { readonly signed?: boolean }): Inst {
    return this.#load("load", base, offset, size, options);
  }

  /** `size` bytes of kernel memory at `base + offset`, 0 when they cannot be read. */
  kload(base: Inst, offset: number | bigint, size: Size, options?: ValueOptions & { readonly signed?: boolean }): Inst {
    return this.#load("kload", base, offset, size, options);
  }

  #load(
    op: "load" | "kload",
    base: Inst,
    offset: number | bigint,
    size: Size,
    options: (ValueOptions & { readonly signed?: boolean }) | undefined,
  ): Inst {
    const inst = this.#make(op, [base], options?.kind ?? "scalar");
    inst.nullable = options?.nullable ?? false;
    inst.imm = BigInt(offset);
    inst.size = size;
    inst.signed = (options?.signed ?? false) && size < 8;
    return this.#put(inst);
  }

  /** Writes the low `size` bytes of `value` at `base + offset`. */
  store(base: Inst, offset: number | bigint, size: Size, value: Inst): void {
    const inst = this.#make("store", [base, value], "scalar");
    inst.imm = BigInt(offset);
    inst.size = size;
    this.#put(inst);
  }

  /** Changes memory atomically; gives what was there before. `cmpxchg` puts `value` there when it is equal to `expected`. */
  atomic(op: AtomicOp, base: Inst, offset: number | bigint, size: 4 | 8, value: Inst, expected?: Inst): Inst {
    const inst = this.#make("atomic", expected === undefined ? [base, value] : [base, value, expected], "scalar");
    inst.atomic = op;
    inst.imm = BigInt(offset);
    inst.size = size;
    return this.#put(inst);
  }

  // Calls and claims

  call(callee: Callee, args: readonly Inst[], options?: ValueOptions): Inst {
    const inst = this.#make("call", [...args], options?.kind ?? "scalar");
    inst.nullable = options?.nullable ?? false;
    inst.callee = callee;
    return this.#put(inst);
  }

  /** `value`, of which is claimed that it is below `limit`. */
  bound(value: Inst, limit: number | bigint, claim: Claim): Inst {
    const inst = this.#make("bound", [value], "scalar");
    inst.imm = BigInt(limit);
    inst.claim = claim;
    return this.#put(inst);
  }

  /** `value`, of which is claimed that `size` bytes hold it. */
  fits(value: Inst, size: Size, signed: boolean, claim: Claim): Inst {
    const inst = this.#make("fits", [value], "scalar");
    inst.size = size;
    inst.signed = signed;
    inst.claim = claim;
    return this.#put(inst);
  }

  // Ends of blocks

  jump(to: Block): void {
    this.#end("jump", [], [to]);
  }

  /** To `yes` when `a condition b`, else to `no`. What is known already becomes a jump. */
  branch(condition: Condition, a: Inst, b: Inst, yes: Block, no: Block): void {
    const left = this.#resolve(a);
    const right = this.#resolve(b);
    const known = left.op === "const" && right.op === "const";
    if (yes === no || known) {
      this.jump(known && !foldCondition(condition, left.imm, right.imm) ? no : yes);
      return;
    }
    const end = this.#end("branch", [left, right], [yes, no]);
    end.condition = condition;
  }

  ret(value: Inst): void {
    this.#end("return", [this.#resolve(value)], []);
  }

  #end(op: "jump" | "branch" | "return", args: Inst[], succs: Block[]): Inst {
    const block = this.#here();
    const inst = this.func.newInst(op, args, block, this.span);
    block.end = inst;
    this.#block = undefined;
    for (const succ of succs) {
      inst.succs.push(succ);
      // What cannot be reached makes nothing else reached.
      if (this.#dead.has(block)) continue;
      if (this.#sealed.has(succ))
        throw new SsaError("misuse", `an edge from b${block.id} to b${succ.id}, which is sealed, in ${this.func.name}`);
      succ.preds.push(block);
    }
    return inst;
  }

  // Putting

  #here(): Block {
    if (this.#finished) throw new SsaError("misuse", `${this.func.name} is finished`);
    if (this.#block === undefined) {
      this.#block = this.func.newBlock();
      this.#sealed.add(this.#block);
      this.#dead.add(this.#block);
    }
    return this.#block;
  }

  #make(op: Op, args: Inst[], kind: ValueKind): Inst {
    for (let i = 0; i < args.length; i++) args[i] = this.#resolve(args[i]!);
    const inst = this.func.newInst(op, args, this.#here(), this.span);
    inst.kind = kind;
    return inst;
  }

  #put(inst: Inst): Inst {
    const simple = simplify(inst);
    if (simple === undefined) {
      inst.block.insts.push(inst);
      return inst;
    }
    return typeof simple === "bigint" ? this.#constantIn(inst.block, simple) : simple;
  }

  /** The function: without what nothing reaches, and with no phi that is not needed. Throws when a block has no end. */
  finish(): Func {
    const { func } = this;
    const reached = new Set<Block>([func.blocks[0]!]);
    for (const block of reached) {
      if (block.end === undefined) throw new SsaError("misuse", `b${block.id} of ${func.name} has no end`);
      for (const succ of block.end.succs) reached.add(succ);
    }
    for (const block of reached) {
      if (!this.#sealed.has(block)) throw new SsaError("misuse", `b${block.id} of ${func.name} was never sealed`);
      for (let i = block.preds.length - 1; i >= 0; i--) {
        if (reached.has(block.preds[i]!)) continue;
        block.preds.splice(i, 1);
        for (const phi of block.phis) phi.args.splice(i, 1);
      }
    }
    func.blocks = func.blocks.filter((block) => reached.has(block));
    // Removing one phi may make another needless.
    this.#phis = this.#phis.filter((phi) => reached.has(phi.block) && this.#replaced[phi.id] === undefined);
    // Kinds settle within as many turns as there are phis; those that contradict each other are for `verify` to tell.
    for (let changed = true, turns = this.#phis.length + 1; changed && turns > 0; turns--) {
      changed = false;
      const rest: Inst[] = [];
      for (const phi of this.#phis) {
        const { kind, nullable } = phi;
        if (this.#settle(phi) !== phi) changed = true;
        else {
          rest.push(phi);
          if (phi.kind !== kind || phi.nullable !== nullable) changed = true;
        }
      }
      this.#phis = rest;
    }
    for (const block of func.blocks) {
      for (const phi of block.phis) this.#resolveAll(phi);
      for (const inst of block.insts) this.#resolveAll(inst);
      this.#resolveAll(block.end!);
    }
    this.#finished = true;
    return func;
  }

  #resolveAll(inst: Inst): void {
    for (let i = 0; i < inst.args.length; i++) inst.args[i] = this.#resolve(inst.args[i]!);
  }
}

/**
 * What a phi is, by its operands: an address when one of them is, and then nullable when one may be 0 there. Operands that are the phi
 * itself say nothing.
 */
export function setPhiKind(phi: Inst): void {
  let kind: ValueKind = "scalar";
  for (const arg of phi.args) {
    if (arg === phi || isZero(arg) || arg.kind === "scalar") continue;
    kind = arg.kind;
    break;
  }
  let nullable = false;
  if (kind !== "scalar" && kind !== "plain") {
    const { preds } = phi.block;
    for (let i = 0; i < phi.args.length; i++) {
      const arg = phi.args[i]!;
      if (arg === phi) continue;
      // An operand that was compared with 0 on its way here is none.
      if (arg.op === "const" || (arg.nullable && !knownNonZero(arg, preds[i]!, phi.block))) nullable = true;
    }
  }
  phi.kind = kind;
  phi.nullable = nullable;
}
