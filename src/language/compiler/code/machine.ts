import type { Callee, Condition, Inst, Slot } from "../ssa/ir.ts";

/**
 * The machine form: instructions of the machine whose operands are virtual registers, each written once, or phis. What the
 * selection makes of a function in SSA form, and what registers are given to.
 */

/** No virtual register. */
export const NONE = -1;

/**
 * A value that is made by instructions without operands, wherever it is needed: it never has to be kept in memory. Interned:
 * equal ones of a function are the same object.
 */
export interface Constant {
  readonly kind: "int" | "slot" | "map" | "mapValue" | "function";
  /** The number (signed, 64 bits) of `int`. */
  readonly value: bigint;
  /** The number, or bytes into the slot or the map's value. */
  readonly offset: number;
  readonly slot: Slot | undefined;
  /** Of the map or the function. */
  readonly name: string;
}

/** What a call passes, a function returns, or a phi receives: a virtual register plus a constant distance, or a constant. */
export interface Operand {
  readonly vreg: number;
  /** Bytes added to the register, for addresses. */
  readonly add: number;
  readonly constant: Constant | undefined;
}

/**
 * - `alu`: `dst = a op b`, `dst = a op imm`, `dst = op a`; in the machine `dst` and `a` are one register.
 * - `move`: `dst = f(b)` in one instruction: a move that extends or cuts.
 * - `constant`: `dst = constant`.
 * - `load`: `dst = [a + offset]`; `store`: `[a + offset] = b`; `storeImm`: `[a + offset] = imm`. With `slot`, the base is the
 *   frame and `a` nothing.
 * - `atomic`: `[a + offset] op= b`; `fetch`: the same, and `dst`, one register with `b`, is what was there.
 * - `call`: `operands` to r1…r5; clobbers r0…r5.
 * - `fromRegister`: `dst = r(imm)`; `toRegister`: `r(imm) = operands[0]`.
 * - `branch`: to `succs[0]` of its block when `a condition b` (or `imm`), else to `succs[1]`; `jump`; `return`: `operands[0]`.
 */
export type Form =
  | "alu"
  | "move"
  | "constant"
  | "load"
  | "store"
  | "storeImm"
  | "atomic"
  | "fetch"
  | "call"
  | "fromRegister"
  | "toRegister"
  | "branch"
  | "jump"
  | "return";

const NO_OPERANDS: readonly Operand[] = [];

/** An instruction of the machine form; one shape for all. */
export class MachineInst {
  readonly form: Form;
  /** Of the instruction (RFC 9669), without the bit that says where the source is (`SOURCE_REGISTER`). */
  readonly opcode: number;
  dst = NONE;
  a = NONE;
  b = NONE;
  /** Of memory, or what stands in the offset field of v4 arithmetic. */
  offset = 0;
  imm = 0;
  /** Of `constant`, and of `alu` where it stands for `a`. */
  constant: Constant | undefined = undefined;
  slot: Slot | undefined = undefined;
  operands: readonly Operand[] = NO_OPERANDS;
  callee: Callee | undefined = undefined;
  condition: Condition = "eq";
  /** Of `alu`: its operands stay where they are, whether or not they might change places. */
  fixed = false;
  /** Where it comes from: for spans and names. */
  readonly origin: Inst;
  /** Even; set when positions are given. */
  position = 0;

  constructor(form: Form, opcode: number, origin: Inst) {
    this.form = form;
    this.opcode = opcode;
    this.origin = origin;
  }
}

/** A phi: `inputs` in the order of the block's predecessors. */
export interface MachinePhi {
  readonly dst: number;
  readonly inputs: Operand[];
  readonly origin: Inst;
}

/** A basic block; its last instruction is a `branch`, `jump` or `return`. */
export class MachineBlock {
  readonly id: number;
  readonly phis: MachinePhi[] = [];
  readonly insts: MachineInst[] = [];
  readonly preds: MachineBlock[] = [];
  /** For each of them: the number that this edge has among the predecessors of the block in SSA form. */
  readonly predNumbers: number[] = [];
  readonly succs: MachineBlock[] = [];
  readonly loopDepth: number;
  /** Positions that belong to it: `from`, where its phis are written, up to `to`, exclusive. */
  from = 0;
  to = 0;
  /** Virtual registers that are live where it begins (without its phis) and where it ends. */
  liveIn: Uint32Array = NO_BITS;
  liveOut: Uint32Array = NO_BITS;

  constructor(id: number, loopDepth: number) {
    this.id = id;
    this.loopDepth = loopDepth;
  }

  get end(): MachineInst {
    return this.insts[this.insts.length - 1] as MachineInst;
  }
}

const NO_BITS = new Uint32Array(0);

/** A function in machine form; `blocks` in the order in which they are laid out, all reached. */
export class MachineFunction {
  readonly name: string;
  blocks: MachineBlock[] = [];
  /** For each virtual register: the constant it holds, and what it is made for. */
  readonly constants: (Constant | undefined)[] = [];
  readonly origins: Inst[] = [];
  /** The variable of the source whose value it is. */
  readonly variables: (string | undefined)[] = [];

  constructor(name: string) {
    this.name = name;
  }

  get vregCount(): number {
    return this.origins.length;
  }

  newVreg(origin: Inst, constant?: Constant): number {
    this.constants.push(constant);
    this.variables.push(undefined);
    return this.origins.push(origin) - 1;
  }
}

/** A fault of the compiler, never of what is compiled: code generation met what it must never meet. */
export class CodeGenerationError extends Error {
  readonly code = "EB9002";

  constructor(message: string) {
    super(`${message} This is a fault of the compiler; please report it with the source.`);
    this.name = "CodeGenerationError";
  }
}
