import { Alu, Class, Jump, Opcode } from "../../../object/asm/index.ts";
import { isCounted } from "../ssa/counted.ts";
import { hasEffect } from "../ssa/dead-code.ts";
import { swapSides } from "../ssa/fold.ts";
import type { Block, Func, Inst, Slot } from "../ssa/ir.ts";
import type { Target } from "../target.ts";
import { isNewer } from "../version.ts";
import { type BlockPlan, planBlocks } from "./blocks.ts";
import { Constants, fitsImmediate } from "./constants.ts";
import {
  CodeGenerationError,
  type Constant,
  MachineBlock,
  MachineFunction,
  MachineInst,
  NONE,
  type Operand,
} from "./machine.ts";
import { Patterns } from "./patterns.ts";
import { selectBinary, selectBswap, selectSignedDivision, selectZext, signExtend } from "./select-arithmetic.ts";
import { selectAtomic, selectLoad, selectStore } from "./select-memory.ts";
import { FOLLOWS_POINTERS, looseSlots } from "./stack-tracking.ts";

/** What code generation needs to know of the kernel. */
export type CodeTarget = Pick<Target, "byteOrder"> & {
  /** Of the newest kernel when left out. */
  readonly release?: string;
  readonly features: Pick<Target["features"], "isaV4" | "fetchAtomics" | "probeReadKernel" | "iterNum">;
};

/** What numbers that are added to addresses may be apart from others, in bytes (BPF_MAX_VAR_OFF). */
const FAR = 1n << 29n;

/**
 * Whether a number is a sum that may be far from one of its parts. Since Linux 6.10 the verifier remembers how far a register is from another
 * one, and does not add it to an address where that is too far, however small the number is known to be (seen on Linux 6.18).
 */
function isFarSum(distance: Inst): boolean {
  const seen = new Set<Inst>();
  const isFar = (one: Inst): boolean => {
    if (seen.has(one)) return false;
    seen.add(one);
    if (one.op === "phi") return one.args.some((arg) => isFar(arg));
    // It does so as well where the sum is made in 32 bits.
    if (one.op === "zext" && one.size === 4) return isFar(one.args[0] as Inst);
    const [, by] = one.args;
    if ((one.op !== "add" && one.op !== "sub") || by === undefined) return false;
    const by64 = by.op === "const" ? BigInt.asIntN(64, by.imm) : FAR;
    return by64 >= FAR || by64 <= -FAR;
  };
  return isFar(distance);
}

/** Makes the instructions of a function, with virtual registers. Throws CodeProblemError when the kernel lacks one. */
export function selectInstructions(func: Func, target: CodeTarget): MachineFunction {
  return new Selector(func, target).run();
}

/** The state of a selection, and what its parts (select-*.ts) make instructions with. */
export class Selector {
  readonly machine: MachineFunction;
  readonly constants = new Constants();
  readonly patterns: Patterns;
  readonly isLittleEndian: boolean;
  /** Asked for only when it matters: of a live kernel each is found out then. */
  readonly features: CodeTarget["features"];
  /** The kernel knows of a number that comes from the stack where it has been, also when another register than r10 points there. */
  readonly followsPointers: boolean;
  /** For each map, an address inside its value that this block has in a register. */
  readonly anchors = new Map<string, { readonly vreg: number; readonly offset: number }>();
  readonly #func: Func;
  /** By the id of the value. */
  readonly #vregs: Int32Array;
  #block: MachineBlock = new MachineBlock(-1, 0);
  /** What was made in this block of values that are made where they are used: by the constant, or by the id of the value. */
  readonly #made = new Map<Constant | number, number>();
  #slots: number;

  #loose: ReadonlySet<Slot> | undefined;

  constructor(func: Func, { byteOrder, features, release }: CodeTarget) {
    this.#func = func;
    this.followsPointers = release === undefined || !isNewer(FOLLOWS_POINTERS, release);
    this.isLittleEndian = byteOrder === "little";
    this.features = features;
    this.patterns = new Patterns(func);
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

  /** Pieces of stack that something is stored to at a computed place. */
  looseSlots(): ReadonlySet<Slot> {
    this.#loose ??= looseSlots(this.#func);
    return this.#loose;
  }

  #enter(block: MachineBlock): void {
    this.#block = block;
    this.#made.clear();
    this.anchors.clear();
  }

  #parameters(): void {
    const params = new Map<number, number>();
    const entry = this.#func.blocks[0] as Block;
    for (const inst of entry.insts) {
      if (inst.op !== "param" || !this.patterns.isUsed(inst)) continue;
      const number = Number(inst.imm);
      let vreg = params.get(number);
      if (vreg === undefined) {
        vreg = this.fromRegister(number + 1, inst);
        params.set(number, vreg);
      }
      this.define(inst, vreg);
    }
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
      if (!this.patterns.isUsed(phi)) continue;
      const dst = this.machine.newVreg(phi);
      this.define(phi, dst);
      block.phis.push({ dst, inputs: [], origin: phi });
    }
    for (const inst of source.insts) if (this.patterns.isUsed(inst) || hasEffect(inst)) this.#inst(inst);
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

  emit(inst: MachineInst): void {
    this.#block.insts.push(inst);
  }

  /** `dst = a op b`, or `a op imm`, of virtual registers; gives dst. */
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

  /** The same with a value that may be a constant: then it needs no register of its own. */
  aluOf(opcode: number, origin: Inst, a: Inst, b: number, imm = 0): number {
    const constant = this.hasReg(a) ? undefined : this.constants.of(a);
    const dst = this.alu(opcode, origin, constant === undefined ? this.reg(a) : NONE, b, imm);
    this.#block.end.constant = constant;
    return dst;
  }

  /** A move that extends or cuts. */
  move(opcode: number, origin: Inst, source: number, offset: number): number {
    const m = new MachineInst("move", opcode, origin);
    m.b = source;
    m.offset = offset;
    m.dst = this.machine.newVreg(origin);
    this.emit(m);
    return m.dst;
  }

  fromRegister(register: number, origin: Inst): number {
    const m = new MachineInst("fromRegister", Class.ALU64 | Alu.MOV, origin);
    m.imm = register;
    m.dst = this.machine.newVreg(origin);
    this.emit(m);
    return m.dst;
  }

  hasReg(inst: Inst): boolean {
    return this.#vregs[inst.id] !== NONE;
  }

  /** The virtual register that holds a value; makes it when it is one that is made where it is used. */
  reg(inst: Inst): number {
    const known = this.#vregs[inst.id] as number;
    if (known !== NONE) return known;
    const constant = this.constants.of(inst);
    if (constant !== undefined) return this.constantReg(constant, inst);
    if (inst.op !== "offset") throw new CodeGenerationError(`${inst.op} #${inst.id} is used before it is made.`);
    let made = this.#made.get(inst.id);
    if (made === undefined) {
      const [base, distance] = inst.args as [Inst, Inst];
      const imm = Number(BigInt.asIntN(64, distance.imm));
      made = this.alu(Class.ALU64 | Alu.ADD, inst, this.reg(base), NONE, imm);
      this.#made.set(inst.id, made);
    }
    return made;
  }

  constantReg(constant: Constant, origin: Inst): number {
    let vreg = this.#made.get(constant);
    if (vreg === undefined) {
      const m = new MachineInst("constant", 0, origin);
      m.constant = constant;
      vreg = this.machine.newVreg(origin, constant);
      m.dst = vreg;
      this.#made.set(constant, vreg);
      this.emit(m);
    }
    return vreg;
  }

  /** The value is in the virtual register from here on. */
  define(inst: Inst, vreg: number): void {
    this.#vregs[inst.id] = vreg;
    this.machine.variables[vreg] ??= inst.variable;
  }

  /** Eight bytes of stack for what the code itself needs. */
  newSlot(inst: Inst): Slot {
    return { id: this.#slots++, size: 8, align: 8, name: inst.variable ?? "", span: inst.span };
  }

  /** What is passed: a constant, an address at a distance, or a register. */
  operand(inst: Inst): Operand {
    if (!this.hasReg(inst)) {
      const constant = this.constants.of(inst);
      if (constant !== undefined) return { vreg: NONE, add: 0, constant };
      if (inst.op === "offset") {
        const base = this.operand(inst.args[0] as Inst);
        const add = base.add + Number(BigInt.asIntN(64, (inst.args[1] as Inst).imm));
        if (base.constant === undefined && fitsImmediate(BigInt(add)))
          return { vreg: base.vreg, add, constant: undefined };
      }
    }
    return { vreg: this.reg(inst), add: 0, constant: undefined };
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
        if (!this.patterns.isFused(inst))
          this.define(inst, this.aluOf(Class.ALU64 | Alu.NEG, inst, inst.args[0] as Inst, NONE));
        return;
      case "zext":
        selectZext(this, inst);
        return;
      case "sext":
        this.define(inst, signExtend(this, inst, this.reg(inst.args[0] as Inst), inst.size));
        return;
      case "bswap":
        selectBswap(this, inst);
        return;
      case "load":
      case "kload":
        selectLoad(this, inst);
        return;
      case "store":
        selectStore(this, inst);
        return;
      case "atomic":
        selectAtomic(this, inst);
        return;
      case "call":
        this.#call(inst);
        return;
      case "sdiv":
      case "smod":
        selectSignedDivision(this, inst);
        return;
      case "phi":
      case "jump":
      case "branch":
      case "return":
      case "bound":
      case "fits":
        throw new CodeGenerationError(`${inst.op} #${inst.id} stands where code is made of instructions.`);
      default:
        // Otherwise the zext that alone uses it does it in 32 bits.
        if (!this.patterns.isFused(inst)) this.define(inst, selectBinary(this, inst, inst, Class.ALU64));
    }
  }

  #offset(inst: Inst): void {
    const [base, distance] = inst.args as [Inst, Inst];
    // With a constant it is made where it is used: a load or store takes the distance in, a call adds it to its argument.
    if (distance.op === "const" && fitsImmediate(BigInt.asIntN(64, distance.imm))) return;
    let by = this.reg(distance);
    // A second sum makes it forget the first one.
    if (isFarSum(distance)) by = this.alu(Class.ALU64 | Alu.ADD, inst, by, NONE, 0);
    this.define(inst, this.aluOf(Class.ALU64 | Alu.ADD, inst, base, by));
    // Where a number is added an address to, instead of the other way round, the verifier forgets whose stack it is on, and takes it
    // for the program's (seen on Linux 6.18; its own functions have other ones).
    this.#block.end.fixed = this.#func.kind !== "program";
  }

  #call(inst: Inst): void {
    if (inst.args.length > 5) throw new CodeGenerationError(`A call has ${inst.args.length} arguments.`);
    const m = new MachineInst("call", Opcode.CALL, inst);
    m.callee = inst.callee;
    m.operands = inst.args.map((arg) => this.operand(arg));
    this.emit(m);
    if (this.patterns.isUsed(inst)) this.define(inst, this.fromRegister(0, inst));
  }

  #return(operand: Operand, origin: Inst): void {
    const m = new MachineInst("return", Opcode.EXIT, origin);
    m.operands = [operand];
    this.emit(m);
  }

  #end(end: Inst): void {
    if (this.#block.succs.length === 1) this.emit(new MachineInst("jump", Opcode.JA, end));
    else if (end.op === "return") this.#return(this.operand(end.args[0] as Inst), end);
    else this.#branch(end);
  }

  #branch(end: Inst): void {
    let [a, b] = end.args as [Inst, Inst];
    let { condition } = end;
    // Before Linux 6.8 the verifier only knows which way a branch goes when the number that it knows is on the right: a counter on the
    // left of what ends its loop counts for ever.
    if (a.op === "const" || (b.op !== "const" && isCounted(a) && !isCounted(b))) {
      [a, b] = [b, a];
      condition = swapSides(condition);
    }
    const narrow = this.patterns.comparesIn32(end);
    const side = (inst: Inst) => this.reg(narrow && this.patterns.isCut(inst) ? (inst.args[0] as Inst) : inst);
    const m = new MachineInst("branch", (narrow ? Class.JMP32 : Class.JMP) | Jump.JA, end);
    m.condition = condition;
    m.a = side(a);
    const value = b.op === "const" ? BigInt.asIntN(64, b.imm) : undefined;
    if (value !== undefined && (narrow || fitsImmediate(value))) m.imm = Number(BigInt.asIntN(32, value));
    else m.b = side(b);
    this.emit(m);
  }
}
