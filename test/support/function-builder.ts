// Writes functions in SSA form for tests: one call an instruction, phis by hand.
import type { Span } from "../../src/language/compiler/span.ts";
import {
  type AtomicOp,
  type BinaryOp,
  type Block,
  type Callee,
  type Condition,
  Func,
  type Inst,
  type Size,
  type Slot,
  type ValueKind,
} from "../../src/language/compiler/ssa/ir.ts";

export class FunctionBuilder {
  readonly func: Func;
  /** Where instructions are appended. */
  block: Block;
  depth = 0;
  #at = 0;

  constructor(name: string, kind: Func["kind"], params: readonly ValueKind[]) {
    this.func = new Func(name, kind, params, { file: 0, start: 0, end: 0 });
    this.block = this.func.newBlock();
  }

  /** A span of its own for each instruction, so that tests see which is which. */
  #span(): Span {
    this.#at++;
    return { file: 0, start: this.#at, end: this.#at + 1 };
  }

  #add(op: Inst["op"], args: Inst[]): Inst {
    const inst = this.func.newInst(op, args, this.block, this.#span());
    this.block.insts.push(inst);
    return inst;
  }

  newBlock(): Block {
    const block = this.func.newBlock();
    block.loopDepth = this.depth;
    return block;
  }

  const(value: bigint | number): Inst {
    const inst = this.#add("const", []);
    inst.imm = BigInt.asUintN(64, BigInt(value));
    return inst;
  }

  param(number: number): Inst {
    const inst = this.#add("param", []);
    inst.imm = BigInt(number);
    inst.kind = this.func.params[number] ?? "scalar";
    return inst;
  }

  binary(op: BinaryOp, a: Inst, b: Inst): Inst {
    return this.#add(op, [a, b]);
  }

  unary(op: "neg" | "zext" | "sext" | "bswap", a: Inst, size: Size = 8): Inst {
    const inst = this.#add(op, [a]);
    inst.size = size;
    return inst;
  }

  newSlot(size: number, align: number, name = "slot"): Slot {
    return this.func.newSlot(size, align, name, this.#span());
  }

  slot(slot: Slot): Inst {
    const inst = this.#add("slot", []);
    inst.slot = slot;
    inst.kind = "stack";
    return inst;
  }

  map(name: string): Inst {
    const inst = this.#add("map", []);
    inst.name = name;
    inst.kind = "map";
    return inst;
  }

  global(name: string, offset: number): Inst {
    const inst = this.#add("global", []);
    inst.name = name;
    inst.imm = BigInt(offset);
    inst.kind = "memory";
    return inst;
  }

  functionAddress(name: string): Inst {
    const inst = this.#add("function", []);
    inst.callee = { kind: "function", name };
    inst.kind = "function";
    return inst;
  }

  offset(base: Inst, distance: Inst): Inst {
    const inst = this.#add("offset", [base, distance]);
    inst.kind = base.kind;
    return inst;
  }

  load(base: Inst, offset: number, size: Size, signed = false): Inst {
    const inst = this.#add("load", [base]);
    inst.imm = BigInt(offset);
    inst.size = size;
    inst.signed = signed;
    return inst;
  }

  kload(base: Inst, offset: number, size: Size, signed = false): Inst {
    const inst = this.load(base, offset, size, signed);
    inst.op = "kload";
    return inst;
  }

  store(base: Inst, offset: number, size: Size, value: Inst): Inst {
    const inst = this.#add("store", [base, value]);
    inst.imm = BigInt(offset);
    inst.size = size;
    return inst;
  }

  atomic(op: AtomicOp, base: Inst, offset: number, size: 4 | 8, ...operands: Inst[]): Inst {
    const inst = this.#add("atomic", [base, ...operands]);
    inst.atomic = op;
    inst.imm = BigInt(offset);
    inst.size = size;
    return inst;
  }

  call(callee: Callee, ...args: Inst[]): Inst {
    const inst = this.#add("call", args);
    inst.callee = callee;
    return inst;
  }

  phi(block: Block, kind: ValueKind, ...args: Inst[]): Inst {
    const inst = this.func.newInst("phi", args, block, this.#span());
    inst.kind = kind;
    block.phis.push(inst);
    return inst;
  }

  #end(op: "jump" | "branch" | "return", args: Inst[], succs: Block[]): Inst {
    const inst = this.func.newInst(op, args, this.block, this.#span());
    for (const succ of succs) {
      inst.succs.push(succ);
      succ.preds.push(this.block);
    }
    this.block.end = inst;
    return inst;
  }

  jump(to: Block): void {
    this.#end("jump", [], [to]);
  }

  branch(condition: Condition, a: Inst, b: Inst, whenTrue: Block, whenFalse: Block): void {
    this.#end("branch", [a, b], [whenTrue, whenFalse]).condition = condition;
  }

  return(value?: Inst): void {
    this.#end("return", value === undefined ? [] : [value], []);
  }
}
