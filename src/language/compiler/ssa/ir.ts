import type { Span } from "../span.ts";

/**
 * The intermediate form: functions of basic blocks of instructions in static single assignment form. Every value is one
 * 64-bit register's worth; what is narrower has been extended by an instruction that says so. Memory is reached by loads and
 * stores only; addresses say where they point, because the verifier asks.
 */

/** What a value is: a number, or an address and of what. */
export type ValueKind =
  | "scalar"
  /** The program's context. */
  | "context"
  /** This program's own stack. */
  | "stack"
  /** A map itself, for helpers. */
  | "map"
  /** The value of a map, a record of a ring that was reserved, a global variable. Nullable until it was compared with 0. */
  | "memory"
  /** A byte of the packet that an XDP program looks at, or its end: what may be read was compared with the end. May be 0. */
  | "packet"
  /** A kernel object, trusted or walked to from a trusted one: loads go straight (the kernel guards them). */
  | "kernel"
  /** Any address of kernel memory: only probe_read, or a cast, may read it. */
  | "plain"
  /** A function of this program, for helpers that call back. */
  | "function";

/** Bytes of a memory access, or that an extension keeps. */
export type Size = 1 | 2 | 4 | 8;

/** Two operands, one result, all 64 bits. Shifts take the count modulo 64; x / 0 is 0 and x % 0 is x, as the machine has it. */
export type BinaryOp =
  | "add"
  | "sub"
  | "mul"
  | "udiv"
  | "umod"
  | "sdiv"
  | "smod"
  | "and"
  | "or"
  | "xor"
  | "shl"
  | "lshr"
  | "ashr";

export type Op =
  | BinaryOp
  /** `imm` as it stands, 64 bits, unsigned. */
  | "const"
  /** Parameter number `imm` of the function; of a program: 0, its context. */
  | "param"
  /** The address of a piece of this function's stack (`slot`). */
  | "slot"
  /** The map with the name `name`, for helpers. */
  | "map"
  /** The address of byte `imm` in the value of the array map `name` that has one element (.rodata, .bss, .data). */
  | "global"
  /** The address of function `callee` (a `FunctionCallee`), for helpers that call back. */
  | "function"
  /** One operand for each predecessor of its block, in their order. */
  | "phi"
  | "neg"
  /** Keeps the low `size` bytes, zero or sign extended. */
  | "zext"
  | "sext"
  /** Reverses the low `size` bytes; those above are zero. */
  | "bswap"
  /** Address `args[0]` plus the number `args[1]` (bytes). Constant distances stand in the `imm` of loads and stores instead. */
  | "offset"
  /** Reads `size` bytes at `args[0] + imm`; zero extended, or sign extended when `signed`. */
  | "load"
  /** Like `load` of kernel memory that may be gone: 0 where it cannot be read. Legalised to a load or to probe_read_kernel. */
  | "kload"
  /** Writes the low `size` bytes of `args[1]` at `args[0] + imm`. */
  | "store"
  /** Changes `size` (4 or 8) bytes at `args[0] + imm` by `args[1]`, atomically (`atomic`); its value is what was there before. */
  | "atomic"
  /** Calls `callee` with `args`. */
  | "call"
  /**
   * `args[0]`, of which is claimed (`claim`) that it is below `imm`. The range analysis proves it, or it is an error; where the
   * kernel's own analysis cannot see the proof, it becomes a clamp that the kernel can see. Gone before code is made.
   */
  | "bound"
  /** `args[0]`, of which is claimed that it fits `size` bytes, `signed` or not. Proven or an error; gone before code is made. */
  | "fits"
  // What ends a block:
  /** Goes to `succs[0]`. */
  | "jump"
  /** Goes to `succs[0]` when `args[0] condition args[1]`, else to `succs[1]`. Compares 64 bits. */
  | "branch"
  /** Returns `args[0]`. */
  | "return";

/** How a branch compares: equal, not equal; unsigned or signed less, less or equal, greater, greater or equal; a bit in common. */
export type Condition = "eq" | "ne" | "ult" | "ule" | "ugt" | "uge" | "slt" | "sle" | "sgt" | "sge" | "set";

/** `cmpxchg` compares with `args[2]` and puts `args[1]` there when they are equal. */
export type AtomicOp = "add" | "or" | "and" | "xor" | "xchg" | "cmpxchg";

/** A helper of the kernel by its id (linux/bpf.h). */
export interface HelperCallee {
  readonly kind: "helper";
  readonly name: string;
  readonly id: number;
}

/** A kernel function by name; the loader finds it (`Instruction.extern`). */
export interface KfuncCallee {
  readonly kind: "kfunc";
  readonly name: string;
}

/** A function of this object. */
export interface FunctionCallee {
  readonly kind: "function";
  readonly name: string;
}

/**
 * What is called, and what passes may assume of it. An argument that points to stack memory and is in neither `reads` nor `writes`
 * may be read, written in part and kept by what is called (iterators, what callbacks share with their caller): what stands
 * there is unknown afterwards.
 */
export type Callee = (HelperCallee | KfuncCallee | FunctionCallee) & {
  /** Gives the same for the same arguments within one run of the program, and changes nothing: may be shared or left out. */
  readonly pure?: true;
  /** Arguments (numbers) whose stack memory it reads. */
  readonly reads?: readonly number[];
  /**
   * Arguments whose stack memory it writes, whatever happens, without reading it: as many bytes from that address on as the next
   * argument says.
   */
  readonly writes?: readonly number[];
  /** Changes what the context says (helpers that move packet data and the like): loads of it before and after are not one. */
  readonly changesContext?: true;
  /** No value: what r0 holds afterwards means nothing. */
  readonly returnsNothing?: true;
  /** Takes something that has to be given back before the program ends: a record of a ring, an iterator. */
  readonly takes?: true;
  /** Gives something back that was taken. */
  readonly givesBack?: true;
};

/** What a `bound` or `fits` claims, as the error has it when it cannot be proven: `{range}` stands for what the value may be. */
export interface Claim {
  readonly code: string;
  readonly message: string;
  readonly why?: string;
  readonly help?: string;
}

/** A piece of a function's stack. */
export interface Slot {
  readonly id: number;
  readonly size: number;
  readonly align: number;
  /** The variable, or what it is for, for people. */
  readonly name: string;
  readonly span: Span;
}

/**
 * An instruction, and the value that it gives: one shape for all, so that passes stay fast. What an operation does not use
 * is empty.
 */
export class Inst {
  readonly id: number;
  op: Op;
  readonly args: Inst[];
  /** Where it stands. */
  block: Block;
  kind: ValueKind = "scalar";
  /** May be 0 until it was compared with 0 (kinds `memory`, `kernel`). */
  nullable = false;
  imm = 0n;
  size: Size = 8;
  signed = false;
  condition: Condition = "eq";
  atomic: AtomicOp = "add";
  callee: Callee | undefined = undefined;
  slot: Slot | undefined = undefined;
  /** A map's name. */
  name = "";
  claim: Claim | undefined = undefined;
  readonly succs: Block[] = [];
  readonly span: Span;
  /** The variable it is the value of, for people and for explaining what the verifier says. */
  variable: string | undefined = undefined;

  constructor(id: number, op: Op, args: Inst[], block: Block, span: Span) {
    this.id = id;
    this.op = op;
    this.args = args;
    this.block = block;
    this.span = span;
  }
}

/** A basic block: phis, then instructions, then the one that ends it. */
export class Block {
  readonly id: number;
  readonly phis: Inst[] = [];
  /** Without phis and without the end. */
  insts: Inst[] = [];
  /** `jump`, `branch` or `return`; undefined only while it is being built. */
  end: Inst | undefined = undefined;
  readonly preds: Block[] = [];
  /** The loops that it is in. */
  loopDepth = 0;
  /** Of a block that was made as the head of a loop: how often the loop turns at most. */
  turns: number | undefined = undefined;

  constructor(id: number) {
    this.id = id;
  }
}

/** A function: a program, a function that programs call, or one that a helper calls back. */
export class Func {
  readonly name: string;
  readonly kind: "program" | "function" | "callback";
  readonly params: readonly ValueKind[];
  /** `blocks[0]` is where it begins; in no other order than that everything is reached. */
  blocks: Block[] = [];
  readonly slots: Slot[] = [];
  readonly span: Span;
  /** Next ids; new values and blocks take them by `newInst`, `newBlock`. */
  #insts = 0;
  #blocks = 0;

  constructor(name: string, kind: Func["kind"], params: readonly ValueKind[], span: Span) {
    this.name = name;
    this.kind = kind;
    this.params = params;
    this.span = span;
  }

  /** Ids of instructions are below this. */
  get instCount(): number {
    return this.#insts;
  }

  get blockCount(): number {
    return this.#blocks;
  }

  /** A new block, the last of `blocks`. */
  newBlock(): Block {
    const block = new Block(this.#blocks++);
    this.blocks.push(block);
    return block;
  }

  /** A new instruction that is in no list yet. */
  newInst(op: Op, args: Inst[], block: Block, span: Span): Inst {
    return new Inst(this.#insts++, op, args, block, span);
  }

  newSlot(size: number, align: number, name: string, span: Span): Slot {
    const slot = { id: this.slots.length, size, align, name, span };
    this.slots.push(slot);
    return slot;
  }
}
