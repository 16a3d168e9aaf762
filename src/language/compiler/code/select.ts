import { Alu, Atomic, Class, Helper, Jump, Mode, Opcode, Width } from "../../../object/asm/index.ts";
import type { Block, Callee, Condition, Func, Inst, Size, Slot } from "../ssa/ir.ts";
import type { Target } from "../target.ts";
import { type BlockPlan, planBlocks } from "./blocks.ts";
import { Constants, fitsImmediate, fitsOffset } from "./constants.ts";
import {
  CodeGenerationError,
  type Constant,
  MachineBlock,
  MachineFunction,
  MachineInst,
  NONE,
  type Operand,
} from "./machine.ts";
import { CodeProblemError } from "./problem.ts";
import { expandSignedDivision } from "./signed-division.ts";
import { countUses, hasEffect, type Uses } from "./uses.ts";

/** What code generation needs to know of the kernel. */
export type CodeTarget = Pick<Target, "byteOrder"> & {
  readonly features: Pick<Target["features"], "isaV4" | "fetchAtomics" | "probeReadKernel">;
};

const WIDTH: Readonly<Record<Size, number>> = { 1: Width.u8, 2: Width.u16, 4: Width.u32, 8: Width.u64 };
const ARITHMETIC: Readonly<Record<string, number>> = {
  add: Alu.ADD,
  sub: Alu.SUB,
  mul: Alu.MUL,
  udiv: Alu.DIV,
  umod: Alu.MOD,
  and: Alu.AND,
  or: Alu.OR,
  xor: Alu.XOR,
  shl: Alu.LSH,
  lshr: Alu.RSH,
  ashr: Alu.ARSH,
};
const ATOMIC: Readonly<Record<string, number>> = {
  add: Atomic.ADD,
  or: Atomic.OR,
  and: Atomic.AND,
  xor: Atomic.XOR,
  xchg: Atomic.XCHG,
  cmpxchg: Atomic.CMPXCHG,
};
/** The condition with its sides exchanged. */
const EXCHANGED: Readonly<Record<Condition, Condition>> = {
  eq: "eq",
  ne: "ne",
  set: "set",
  ult: "ugt",
  ule: "uge",
  ugt: "ult",
  uge: "ule",
  slt: "sgt",
  sle: "sge",
  sgt: "slt",
  sge: "sle",
};
const PROBE_READ: Callee = { kind: "helper", name: "probe_read_kernel", id: Helper.probe_read_kernel, writes: [0] };
/** Before Linux 5.5 the one helper for both. */
const PROBE_READ_ANY: Callee = { kind: "helper", name: "probe_read", id: Helper.probe_read, writes: [0] };

/** Makes the instructions of a function, with virtual registers. Throws CodeProblemError when the kernel lacks one. */
export function selectInstructions(func: Func, target: CodeTarget): MachineFunction {
  return new Selector(func, target).run();
}

export class Selector {
  readonly machine: MachineFunction;
  readonly constants = new Constants();
  readonly #func: Func;
  readonly #target: CodeTarget;
  readonly #uses: Uses;
  /** By the id of the value. */
  readonly #vregs: Int32Array;
  #block: MachineBlock = new MachineBlock(-1, 0);
  /** What was made in this block of values that are made where they are used: by the constant, or by the id of the value. */
  readonly #made = new Map<Constant | number, number>();
  /** For each map, an address inside its value that this block has in a register. */
  readonly #anchors = new Map<string, { readonly vreg: number; readonly offset: number }>();
  #slots: number;

  constructor(func: Func, target: CodeTarget) {
    this.#func = func;
    this.#target = target;
    this.#uses = countUses(func);
    this.#vregs = new Int32Array(func.instCount).fill(NONE);
    this.#slots = func.slots.length;
    this.machine = new MachineFunction(func.name);
  }

  run(): MachineFunction {
    const plan = planBlocks(this.#func);
    this.machine.blocks = plan.order;
    this.#enter(plan.order[0] as MachineBlock);
    this.#parameters();
    for (const block of plan.order) this.#select(block, plan);
    this.#connectPhis(plan);
    return this.machine;
  }

  #enter(block: MachineBlock): void {
    this.#block = block;
    this.#made.clear();
    this.#anchors.clear();
  }

  #parameters(): void {
    const jump = this.#block.insts.pop();
    const params = new Map<number, number>();
    const entry = this.#func.blocks[0] as Block;
    for (const inst of entry.insts) {
      if (inst.op !== "param" || this.#uses.count[inst.id] === 0) continue;
      const number = Number(inst.imm);
      let vreg = params.get(number);
      if (vreg === undefined) {
        vreg = this.#fromRegister(number + 1, inst);
        params.set(number, vreg);
      }
      this.define(inst, vreg);
    }
    if (jump !== undefined) this.#block.insts.push(jump);
  }

  #select(block: MachineBlock, plan: BlockPlan): void {
    const returned = plan.returns.get(block);
    if (returned !== undefined) {
      this.#enter(block);
      this.#return({ vreg: NONE, add: 0, constant: this.constants.int(returned.value) }, returned.origin);
      return;
    }
    const source = plan.sources.get(block);
    if (source === undefined) return;
    this.#enter(block);
    for (const phi of source.phis) {
      if (this.#uses.count[phi.id] === 0) continue;
      const dst = this.machine.newVreg(phi);
      this.define(phi, dst);
      block.phis.push({ dst, inputs: [], origin: phi });
    }
    for (const inst of source.insts) if (this.#uses.count[inst.id] !== 0 || hasEffect(inst)) this.#inst(inst);
    this.#end(source.end as Inst);
  }

  /** Phis receive what their predecessors end with; what is made where it is used is made at the end of those. */
  #connectPhis(plan: BlockPlan): void {
    for (const block of plan.order) {
      if (block.phis.length === 0) continue;
      block.preds.forEach((pred, i) => {
        const number = block.predNumbers[i] as number;
        this.#enter(pred);
        const end = pred.insts.pop() as MachineInst;
        for (const phi of block.phis) phi.inputs.push(this.#phiInput(phi.origin.args[number] as Inst));
        pred.insts.push(end);
      });
    }
  }

  #phiInput(inst: Inst): Operand {
    const constant = this.constants.of(inst);
    return constant === undefined ? { vreg: this.reg(inst), add: 0, constant } : { vreg: NONE, add: 0, constant };
  }

  emit(inst: MachineInst): MachineInst {
    this.#block.insts.push(inst);
    return inst;
  }

  /** `dst = a op b` as an instruction, its register or immediate already chosen; gives dst. */
  alu(opcode: number, origin: Inst, a: number, b: number, imm = 0, offset = 0): number {
    const m = new MachineInst("alu", opcode, origin);
    m.a = a;
    m.b = b;
    m.imm = imm;
    m.offset = offset;
    m.dst = this.machine.newVreg(origin);
    this.emit(m);
    return m.dst;
  }

  /** The virtual register that holds a value; makes it when it is one that is made where it is used. */
  reg(inst: Inst): number {
    const known = this.#vregs[inst.id] as number;
    if (known !== NONE) return known;
    const constant = this.constants.of(inst);
    if (constant !== undefined) return this.constantReg(constant, inst);
    if (inst.op !== "offset")
      throw new CodeGenerationError(`The value ${inst.op} #${inst.id} is used before it is made.`);
    let made = this.#made.get(inst.id);
    if (made === undefined) {
      const distance = (inst.args[1] as Inst).imm;
      made = this.alu(
        Class.ALU64 | Alu.ADD,
        inst,
        this.reg(inst.args[0] as Inst),
        NONE,
        Number(BigInt.asIntN(64, distance)),
      );
      this.#made.set(inst.id, made);
    }
    return made;
  }

  constantReg(constant: Constant, origin: Inst): number {
    let vreg = this.#made.get(constant);
    if (vreg === undefined) {
      const m = new MachineInst("constant", 0, origin);
      m.constant = constant;
      m.dst = vreg = this.machine.newVreg(origin, constant);
      this.#made.set(constant, vreg);
      this.emit(m);
    }
    return vreg;
  }

  /** The number of a constant, signed, or undefined. */
  constant(inst: Inst): bigint | undefined {
    return inst.op === "const" ? BigInt.asIntN(64, inst.imm) : undefined;
  }

  define(inst: Inst, vreg: number): void {
    this.#vregs[inst.id] = vreg;
    this.machine.variables[vreg] ??= inst.variable;
  }

  get hasV4(): boolean {
    return this.#target.features.isaV4;
  }

  #inst(inst: Inst): void {
    switch (inst.op) {
      case "const":
      case "slot":
      case "map":
      case "global":
      case "function":
      case "param":
        return;
      case "offset":
        this.#offset(inst);
        return;
      case "neg":
        this.define(inst, this.#unary(Class.ALU64 | Alu.NEG, inst, inst.args[0] as Inst, 0));
        return;
      case "zext":
        this.#zext(inst);
        return;
      case "sext":
        this.define(inst, this.#signExtend(inst, this.reg(inst.args[0] as Inst), inst.size));
        return;
      case "bswap":
        this.#bswap(inst);
        return;
      case "load":
      case "kload":
        this.#load(inst);
        return;
      case "store":
        this.#store(inst);
        return;
      case "atomic":
        this.#atomic(inst);
        return;
      case "call":
        this.#call(inst);
        return;
      case "sdiv":
      case "smod":
        this.#signedDivision(inst);
        return;
      case "phi":
      case "jump":
      case "branch":
      case "return":
      case "bound":
      case "fits":
        throw new CodeGenerationError(`${inst.op} #${inst.id} stands where code is made of instructions.`);
      default:
        this.#arithmetic(inst);
        return;
    }
  }

  #arithmetic(inst: Inst): void {
    // Done in 32 bits by the zext that alone uses it.
    if (!this.#isFused(inst)) this.define(inst, this.#binary(inst, inst, Class.ALU64));
  }

  /** `inst` done in 64 or 32 bits. */
  #binary(inst: Inst, origin: Inst, cls: number): number {
    let [a, b] = inst.args as [Inst, Inst];
    const { op } = inst;
    if (a.op === "const" && b.op !== "const" && isCommutative(op)) [a, b] = [b, a];
    const value = this.constant(b);
    if (value !== undefined) return this.#withConstant(inst, origin, a, b, value, cls);
    return this.#finish(cls | (ARITHMETIC[op] as number), origin, a, this.reg(b), 0);
  }

  #withConstant(inst: Inst, origin: Inst, a: Inst, b: Inst, value: bigint, cls: number): number {
    const { op } = inst;
    const operation = cls | (ARITHMETIC[op] as number);
    const unsigned = BigInt.asUintN(64, value);
    switch (op) {
      case "shl":
      case "lshr":
      case "ashr":
        return this.#finish(operation, origin, a, NONE, Number(unsigned & 63n));
      case "mul": {
        const power = powerOfTwo(unsigned);
        if (power > 0 && cls === Class.ALU64) return this.#finish(cls | Alu.LSH, origin, a, NONE, power);
        break;
      }
      case "udiv": {
        if (value === 0n) return this.constantReg(this.constants.int(0n), origin);
        const power = powerOfTwo(unsigned);
        if (power >= 0) return this.#finish(cls | Alu.RSH, origin, a, NONE, power);
        break;
      }
      case "umod":
        if (value === 0n) return this.reg(a);
        if (powerOfTwo(unsigned) >= 0 && fitsImmediate(unsigned - 1n))
          return this.#finish(cls | Alu.AND, origin, a, NONE, Number(unsigned - 1n));
        break;
      case "and":
        // In 32 bits, where the constant has no others: the rest becomes 0 as it should.
        if (unsigned === 0xffff_ffffn) return this.#cutTo32(origin, this.reg(a));
        if (unsigned > 0x7fff_ffffn && unsigned <= 0xffff_ffffn)
          return this.#finish(Class.ALU | Alu.AND, origin, a, NONE, Number(unsigned) | 0);
        break;
      default:
    }
    if (cls === Class.ALU) return this.#finish(operation, origin, a, NONE, Number(BigInt.asIntN(32, value)));
    if (fitsImmediate(value)) return this.#finish(operation, origin, a, NONE, Number(value));
    return this.#finish(operation, origin, a, this.reg(b), 0);
  }

  #finish(opcode: number, origin: Inst, a: Inst, b: number, imm: number): number {
    const constant = this.#vregs[a.id] === NONE ? this.constants.of(a) : undefined;
    const vreg = this.alu(opcode, origin, constant === undefined ? this.reg(a) : NONE, b, imm);
    if (constant !== undefined) this.#last.constant = constant;
    return vreg;
  }

  get #last(): MachineInst {
    return this.#block.end;
  }

  #unary(opcode: number, origin: Inst, a: Inst, imm: number): number {
    return this.#finish(opcode, origin, a, NONE, imm);
  }

  #offset(inst: Inst): void {
    const [base, distance] = inst.args as [Inst, Inst];
    const value = this.constant(distance);
    // Made where it is used: a load or store takes the distance in, a call adds it to its argument.
    if (value !== undefined && fitsImmediate(value)) return;
    const opcode = Class.ALU64 | Alu.ADD;
    this.define(inst, this.#finish(opcode, inst, base, this.reg(distance), 0));
  }

  #zext(inst: Inst): void {
    const source = inst.args[0] as Inst;
    if (inst.size === 8 || this.#bits(source) <= inst.size * 8) {
      this.define(inst, this.reg(source));
      return;
    }
    if (this.#isComparedIn32(inst)) return;
    if (inst.size < 4) {
      this.define(inst, this.#unary(Class.ALU64 | Alu.AND, inst, source, inst.size === 1 ? 0xff : 0xffff));
      return;
    }
    if (this.#isFused(source)) {
      const vreg =
        source.op === "neg"
          ? this.#unary(Class.ALU | Alu.NEG, inst, source.args[0] as Inst, 0)
          : this.#binary(source, inst, Class.ALU);
      this.define(inst, vreg);
      return;
    }
    this.define(inst, this.#cutTo32(inst, this.reg(source)));
  }

  #cutTo32(origin: Inst, source: number): number {
    return this.#move(Class.ALU | Alu.MOV, origin, source, 0);
  }

  #move(opcode: number, origin: Inst, source: number, offset: number): number {
    const m = new MachineInst("move", opcode, origin);
    m.b = source;
    m.offset = offset;
    m.dst = this.machine.newVreg(origin);
    this.emit(m);
    return m.dst;
  }

  #signExtend(origin: Inst, source: number, size: Size): number {
    if (size === 8) return source;
    if (this.hasV4) return this.#move(Class.ALU64 | Alu.MOV, origin, source, size * 8);
    const count = 64 - size * 8;
    const high = this.alu(Class.ALU64 | Alu.LSH, origin, source, NONE, count);
    return this.alu(Class.ALU64 | Alu.ARSH, origin, high, NONE, count);
  }

  #bswap(inst: Inst): void {
    const source = inst.args[0] as Inst;
    if (inst.size === 1) {
      this.define(inst, this.#unary(Class.ALU64 | Alu.AND, inst, source, 0xff));
      return;
    }
    // "To the order that this machine has not" reverses.
    const opcode = this.#target.byteOrder === "little" ? Opcode.TO_BE : Opcode.TO_LE;
    this.define(inst, this.#unary(opcode, inst, source, inst.size * 8));
  }

  #signedDivision(inst: Inst): void {
    const value = this.constant(inst.args[1] as Inst);
    if (value === 0n) {
      const dividend = inst.args[0] as Inst;
      this.define(inst, inst.op === "sdiv" ? this.constantReg(this.constants.int(0n), inst) : this.reg(dividend));
      return;
    }
    if (!this.hasV4) {
      this.define(inst, expandSignedDivision(this, inst, value));
      return;
    }
    const opcode = Class.ALU64 | (inst.op === "sdiv" ? Alu.DIV : Alu.MOD);
    const a = this.reg(inst.args[0] as Inst);
    const vreg =
      value !== undefined && fitsImmediate(value)
        ? this.alu(opcode, inst, a, NONE, Number(value), 1)
        : this.alu(opcode, inst, a, this.reg(inst.args[1] as Inst), 0, 1);
    this.define(inst, vreg);
  }

  /** Gives a load, store or atomic its base and offset. */
  #address(m: MachineInst, inst: Inst): MachineInst {
    let base = inst.args[0] as Inst;
    let offset = Number(BigInt.asIntN(64, inst.imm));
    while (base.op === "offset" && this.#vregs[base.id] === NONE) {
      offset += Number(BigInt.asIntN(64, (base.args[1] as Inst).imm));
      base = base.args[0] as Inst;
    }
    if (base.op === "slot") {
      m.slot = base.slot;
      m.offset = offset;
      return m;
    }
    if (base.op === "global") {
      offset += Number(base.imm);
      let anchor = this.#anchors.get(base.name);
      if (anchor === undefined || !fitsOffset(offset - anchor.offset)) {
        const constant = this.constants.of(base, offset - Number(base.imm)) as Constant;
        anchor = { vreg: this.constantReg(constant, inst), offset };
        this.#anchors.set(base.name, anchor);
      }
      m.a = anchor.vreg;
      m.offset = offset - anchor.offset;
      return m;
    }
    m.a = this.reg(base);
    if (!fitsOffset(offset)) {
      if (!fitsImmediate(BigInt(offset)))
        throw new CodeGenerationError(`${inst.op} #${inst.id} is ${offset} bytes away.`);
      m.a = this.alu(Class.ALU64 | Alu.ADD, inst, m.a, NONE, offset);
      offset = 0;
    }
    m.offset = offset;
    return m;
  }

  #load(inst: Inst): void {
    const base = inst.args[0] as Inst;
    if (inst.op === "kload" && (base.kind === "plain" || base.kind === "scalar")) {
      this.#probeRead(inst, base);
      return;
    }
    const extends4 = inst.signed && inst.size < 8 && this.hasV4;
    const m = new MachineInst("load", Class.LDX | (extends4 ? Mode.MEMSX : Mode.MEM) | WIDTH[inst.size], inst);
    this.#address(m, inst);
    m.dst = this.machine.newVreg(inst);
    this.emit(m);
    this.define(inst, inst.signed && !extends4 ? this.#signExtend(inst, m.dst, inst.size) : m.dst);
  }

  /** The helper leaves zeros where it cannot read. */
  #probeRead(inst: Inst, base: Inst): void {
    const slot: Slot = { id: this.#slots++, size: 8, align: 8, name: inst.variable ?? "", span: inst.span };
    const distance = Number(BigInt.asIntN(64, inst.imm));
    const pointer = this.#operand(base);
    const call = new MachineInst("call", Opcode.CALL, inst);
    call.callee = this.#target.features.probeReadKernel ? PROBE_READ : PROBE_READ_ANY;
    call.operands = [
      { vreg: NONE, add: 0, constant: this.constants.slot(slot) },
      { vreg: NONE, add: 0, constant: this.constants.int(BigInt(inst.size)) },
      pointer.constant === undefined
        ? { vreg: pointer.vreg, add: pointer.add + distance, constant: undefined }
        : { vreg: NONE, add: 0, constant: this.constants.of(base, distance) },
    ];
    this.emit(call);
    const extends4 = inst.signed && inst.size < 8 && this.hasV4;
    const load = new MachineInst("load", Class.LDX | (extends4 ? Mode.MEMSX : Mode.MEM) | WIDTH[inst.size], inst);
    load.slot = slot;
    load.dst = this.machine.newVreg(inst);
    this.emit(load);
    this.define(inst, inst.signed && !extends4 ? this.#signExtend(inst, load.dst, inst.size) : load.dst);
  }

  #store(inst: Inst): void {
    const base = inst.args[0] as Inst;
    const value = inst.args[1] as Inst;
    const number = this.constant(value);
    // Constants are not stored straight to a context or a kernel object: older kernels refuse it.
    if (number !== undefined && base.kind !== "context" && base.kind !== "kernel") {
      const cut = inst.size === 8 ? number : BigInt.asIntN(inst.size * 8, number);
      if (fitsImmediate(cut)) {
        const m = this.#address(new MachineInst("storeImm", Class.ST | Mode.MEM | WIDTH[inst.size], inst), inst);
        m.imm = Number(cut);
        this.emit(m);
        return;
      }
    }
    const m = this.#address(new MachineInst("store", Class.STX | Mode.MEM | WIDTH[inst.size], inst), inst);
    m.b = this.reg(value);
    this.emit(m);
  }

  #atomic(inst: Inst): void {
    const isUsed = this.#uses.count[inst.id] !== 0;
    const { atomic } = inst;
    if (!this.#target.features.fetchAtomics && (isUsed || atomic !== "add")) {
      throw new CodeProblemError({ kind: "atomic", operation: atomic, isUsed, span: inst.span });
    }
    const opcode = Class.STX | Mode.ATOMIC | WIDTH[inst.size];
    const value = inst.args[1] as Inst;
    if (atomic === "cmpxchg") {
      const to = new MachineInst("toRegister", Class.ALU64 | Alu.MOV, inst);
      const m = this.#address(new MachineInst("atomic", opcode, inst), inst);
      m.b = this.reg(value);
      m.imm = Atomic.CMPXCHG;
      to.operands = [this.#operand(inst.args[2] as Inst)];
      this.emit(to);
      this.emit(m);
      if (isUsed) this.define(inst, this.#fromRegister(0, inst));
      return;
    }
    const fetches = isUsed || atomic === "xchg";
    const m = this.#address(new MachineInst(fetches ? "fetch" : "atomic", opcode, inst), inst);
    m.b = this.reg(value);
    m.imm = (ATOMIC[atomic] as number) | (fetches ? Atomic.FETCH : 0);
    if (fetches) {
      m.dst = this.machine.newVreg(inst);
      this.define(inst, m.dst);
    }
    this.emit(m);
  }

  #call(inst: Inst): void {
    if (inst.args.length > 5) throw new CodeGenerationError(`A call has ${inst.args.length} arguments.`);
    const m = new MachineInst("call", Opcode.CALL, inst);
    m.callee = inst.callee;
    m.operands = inst.args.map((arg) => this.#operand(arg));
    this.emit(m);
    if (this.#uses.count[inst.id] !== 0) this.define(inst, this.#fromRegister(0, inst));
  }

  #fromRegister(register: number, origin: Inst): number {
    const m = new MachineInst("fromRegister", Class.ALU64 | Alu.MOV, origin);
    m.imm = register;
    m.dst = this.machine.newVreg(origin);
    this.emit(m);
    return m.dst;
  }

  /** What is passed: a constant, an address at a distance, or a register. */
  #operand(inst: Inst): Operand {
    if (this.#vregs[inst.id] === NONE) {
      const constant = this.constants.of(inst);
      if (constant !== undefined) return { vreg: NONE, add: 0, constant };
      if (inst.op === "offset") {
        const base = this.#operand(inst.args[0] as Inst);
        const distance = Number(BigInt.asIntN(64, (inst.args[1] as Inst).imm));
        if (base.constant === undefined && fitsImmediate(BigInt(base.add + distance)))
          return { vreg: base.vreg, add: base.add + distance, constant: undefined };
      }
    }
    return { vreg: this.reg(inst), add: 0, constant: undefined };
  }

  #return(operand: Operand, origin: Inst): void {
    const m = new MachineInst("return", Opcode.EXIT, origin);
    m.operands = [operand];
    this.emit(m);
  }

  #end(end: Inst): void {
    if (end.op === "return") {
      const value = end.args[0];
      const zero = { vreg: NONE, add: 0, constant: this.constants.int(0n) };
      this.#return(value === undefined ? zero : this.#operand(value), end);
    } else if (this.#block.succs.length === 1) this.emit(new MachineInst("jump", Opcode.JA, end));
    else this.#branch(end);
  }

  #branch(end: Inst): void {
    let [a, b] = end.args as [Inst, Inst];
    let { condition } = end;
    if (a.op === "const") {
      [a, b] = [b, a];
      condition = EXCHANGED[condition];
    }
    const narrow = this.#comparesIn32(end);
    const m = new MachineInst("branch", (narrow ? Class.JMP32 : Class.JMP) | Jump.JA, end);
    m.condition = condition;
    const side = (inst: Inst) => this.reg(narrow && this.#isNarrowing(inst) ? (inst.args[0] as Inst) : inst);
    m.a = side(a);
    const value = this.constant(b);
    if (value !== undefined && (narrow || fitsImmediate(value))) m.imm = Number(BigInt.asIntN(32, value));
    else m.b = side(b);
    this.emit(m);
  }

  /**
   * Whether the branch compares the low 32 bits. The kernel follows comparisons of 64 bits better, so only where that saves an
   * instruction: an operand that would have to be cut first, or a constant that fits no immediate.
   */
  #comparesIn32(branch: Inst): boolean {
    const { condition } = branch;
    if (condition.startsWith("s") && condition !== "set") return false;
    let saves = false;
    for (const side of branch.args) {
      const value = this.constant(side);
      if (side.kind !== "scalar" || this.#bits(side) > 32) return false;
      if (value !== undefined) saves ||= !fitsImmediate(value);
      else saves ||= this.#isNarrowing(side);
    }
    return saves;
  }

  /** A zext to 32 bits that does something and that only the branch at the end of its block needs. */
  #isNarrowing(inst: Inst): boolean {
    return (
      inst.op === "zext" &&
      inst.size === 4 &&
      this.#uses.count[inst.id] === 1 &&
      this.#uses.user[inst.id]?.op === "branch" &&
      this.#uses.user[inst.id]?.block === inst.block &&
      (inst.args[0] as Inst).kind === "scalar" &&
      !this.#isFused(inst.args[0] as Inst) &&
      this.#bits(inst.args[0] as Inst) > 32
    );
  }

  #isComparedIn32(zext: Inst): boolean {
    return this.#isNarrowing(zext) && this.#comparesIn32(this.#uses.user[zext.id] as Inst);
  }

  /** Whether the zext to 32 bits that alone uses it does it in 32 bits. */
  #isFused(inst: Inst): boolean {
    switch (inst.op) {
      case "add":
      case "sub":
      case "mul":
      case "and":
      case "or":
      case "xor":
      case "neg":
        break;
      case "shl":
        // The count is taken modulo 32 there.
        if ((inst.args[1] as Inst).op !== "const" || ((inst.args[1] as Inst).imm & 63n) > 31n) return false;
        break;
      default:
        return false;
    }
    const user = this.#uses.user[inst.id];
    return (
      this.#uses.count[inst.id] === 1 &&
      user !== undefined &&
      user.op === "zext" &&
      user.size === 4 &&
      user.block === inst.block &&
      inst.kind === "scalar" &&
      inst.args.every((arg) => arg.kind === "scalar") &&
      this.#bits(inst) > 32
    );
  }

  /** How many low bits of a value can be other than 0, as far as is seen at once. */
  #bits(inst: Inst, depth = 0): number {
    if (depth > 6) return 64;
    const arg = (k: number) => this.#bits(inst.args[k] as Inst, depth + 1);
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
        const count = this.constant(inst.args[1] as Inst);
        return count === undefined ? arg(0) : Math.max(0, arg(0) - Number(count & 63n));
      }
      default:
        return 64;
    }
  }
}

function isCommutative(op: string): boolean {
  return op === "add" || op === "mul" || op === "and" || op === "or" || op === "xor";
}

/** The exponent, or -1. */
function powerOfTwo(value: bigint): number {
  return value > 0n && (value & (value - 1n)) === 0n ? bitLength(value) - 1 : -1;
}

function bitLength(value: bigint): number {
  const unsigned = BigInt.asUintN(64, value);
  const high = Number(unsigned >> 32n);
  return high === 0 ? 32 - Math.clz32(Number(unsigned)) : 64 - Math.clz32(high);
}
