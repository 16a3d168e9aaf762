import type { AtomicOp, BinaryOp, Block, Callee, Condition, Func, Inst, Size } from "./ir.ts";

/** What evaluation cannot go on from: memory that is not there, a function that does not end, a form that is broken. */
export class EvaluationError extends Error {
  readonly code = "ERR_SSA_EVALUATION";

  constructor(message: string) {
    super(message);
    this.name = "EvaluationError";
  }
}

/** Memory of an evaluation: regions whose addresses are far apart, so that what leaves one is seen. */
export class EvaluationMemory {
  readonly #regions: Uint8Array[] = [];
  readonly #littleEndian: boolean;

  constructor(byteOrder: "little" | "big") {
    this.#littleEndian = byteOrder === "little";
  }

  /** Puts bytes (not a copy of them) somewhere and gives their address. */
  add(bytes: Uint8Array): bigint {
    return BigInt(this.#regions.push(bytes)) << 32n;
  }

  /** The bytes from an address on, or undefined where there are not so many. */
  view(address: bigint, size: number): DataView | undefined {
    const bytes = this.#regions[Number(address >> 32n) - 1];
    const offset = Number(address & 0xffff_ffffn);
    if (bytes === undefined || offset + size > bytes.length) return undefined;
    return new DataView(bytes.buffer, bytes.byteOffset + offset, size);
  }

  /** An unsigned number; throws EvaluationError where there is none. */
  load(address: bigint, size: Size): bigint {
    const view = this.#must(address, size);
    switch (size) {
      case 1:
        return BigInt(view.getUint8(0));
      case 2:
        return BigInt(view.getUint16(0, this.#littleEndian));
      case 4:
        return BigInt(view.getUint32(0, this.#littleEndian));
      case 8:
        return view.getBigUint64(0, this.#littleEndian);
    }
  }

  store(address: bigint, size: Size, value: bigint): void {
    const view = this.#must(address, size);
    const low = BigInt.asUintN(size * 8, value);
    switch (size) {
      case 1:
        view.setUint8(0, Number(low));
        break;
      case 2:
        view.setUint16(0, Number(low), this.#littleEndian);
        break;
      case 4:
        view.setUint32(0, Number(low), this.#littleEndian);
        break;
      case 8:
        view.setBigUint64(0, low, this.#littleEndian);
    }
  }

  #must(address: bigint, size: number): DataView {
    const view = this.view(address, size);
    if (view === undefined) throw new EvaluationError(`There are no ${size} bytes at 0x${address.toString(16)}.`);
    return view;
  }
}

/** What is around the functions that are evaluated. */
export interface EvaluationWorld {
  readonly memory: EvaluationMemory;
  /** The functions that can be called, by name. */
  readonly functions: ReadonlyMap<string, Func>;
  /** What stands for a map where helpers take one. */
  map(name: string): bigint;
  /** Address of the value of a map with one element. */
  mapValue(name: string): bigint;
  /** Calls a helper or a kernel function; gives what it returns. */
  call(callee: Callee, args: readonly bigint[]): bigint;
  /** Instructions that may still be evaluated; counted down. */
  fuel: number;
}

/**
 * Evaluates a function as its form says, with exact numbers, one instruction after the other: what code made of it is compared
 * with. Values are unsigned. Throws EvaluationError where the form, or what it does, has no meaning.
 */
export function evaluate(func: Func, args: readonly bigint[], world: EvaluationWorld): bigint {
  const values = new Map<Inst, bigint>();
  const slots = new Map<number, bigint>();
  const read = (inst: Inst | undefined): bigint => {
    const value = inst === undefined ? undefined : values.get(inst);
    if (value === undefined) throw new EvaluationError(`${func.name}: value #${inst?.id} is read before it is made.`);
    return value;
  };
  let block = func.blocks[0] as Block;
  for (let from: Block | undefined, edge = 0; ; ) {
    if (from !== undefined) {
      const number = edge;
      const inputs = block.phis.map((phi) => read(phi.args[number]));
      block.phis.forEach((phi, i) => {
        values.set(phi, inputs[i] as bigint);
      });
    }
    for (const inst of block.insts) {
      if (world.fuel-- <= 0) throw new EvaluationError(`${func.name} does not end.`);
      values.set(inst, BigInt.asUintN(64, evaluateInst(inst, inst.args.map(read), args, slots, world)));
    }
    const end = block.end as Inst;
    if (world.fuel-- <= 0) throw new EvaluationError(`${func.name} does not end.`);
    if (end.op === "return") return end.args.length === 0 ? 0n : read(end.args[0]);
    const taken = end.op === "jump" || compare(end.condition, read(end.args[0]), read(end.args[1])) ? 0 : 1;
    from = block;
    block = end.succs[taken] as Block;
    edge = block.preds.indexOf(from);
    // Both ways of a branch may lead to one block.
    if (taken === 1 && end.succs[0] === block) edge = block.preds.indexOf(from, edge + 1);
  }
}

function evaluateInst(
  inst: Inst,
  args: readonly bigint[],
  params: readonly bigint[],
  slots: Map<number, bigint>,
  world: EvaluationWorld,
): bigint {
  const [a, b, c] = args as [bigint, bigint, bigint];
  const { memory } = world;
  const bits = inst.size * 8;
  switch (inst.op) {
    case "const":
      return inst.imm;
    case "param":
      return params[Number(inst.imm)] ?? 0n;
    case "slot": {
      const slot = inst.slot as NonNullable<Inst["slot"]>;
      let address = slots.get(slot.id);
      if (address === undefined) {
        address = memory.add(new Uint8Array(slot.size));
        slots.set(slot.id, address);
      }
      return address;
    }
    case "map":
      return world.map(inst.name);
    case "global":
      return world.mapValue(inst.name) + inst.imm;
    case "neg":
      return -a;
    case "zext":
      return BigInt.asUintN(bits, a);
    case "sext":
      return BigInt.asIntN(bits, a);
    case "bswap":
      return reverse(a, inst.size);
    case "offset":
      return a + b;
    case "load":
    case "kload": {
      const address = BigInt.asUintN(64, a + inst.imm);
      if (inst.op === "kload" && memory.view(address, inst.size) === undefined) return 0n;
      const value = memory.load(address, inst.size);
      return inst.signed ? BigInt.asIntN(bits, value) : value;
    }
    case "store":
      memory.store(BigInt.asUintN(64, a + inst.imm), inst.size, b);
      return 0n;
    case "atomic": {
      const address = BigInt.asUintN(64, a + inst.imm);
      const before = memory.load(address, inst.size);
      memory.store(address, inst.size, atomically(inst.atomic, before, b, BigInt.asUintN(bits, c ?? 0n)));
      return before;
    }
    case "call": {
      const callee = inst.callee as Callee;
      if (callee.kind !== "function") return world.call(callee, args);
      const called = world.functions.get(callee.name);
      if (called === undefined) throw new EvaluationError(`There is no function ${callee.name}.`);
      return evaluate(called, args, world);
    }
    case "bound":
      if (a >= inst.imm) throw new EvaluationError(`bound #${inst.id} claims that ${a} is below ${inst.imm}.`);
      return a;
    case "fits":
      if (a !== (inst.signed ? BigInt.asUintN(64, BigInt.asIntN(bits, a)) : BigInt.asUintN(bits, a)))
        throw new EvaluationError(`fits #${inst.id} claims that ${a} fits ${inst.size} bytes.`);
      return a;
    case "function":
    case "phi":
    case "jump":
    case "branch":
    case "return":
      throw new EvaluationError(`${inst.op} #${inst.id} cannot be evaluated where it stands.`);
    default:
      return compute(inst.op, a, b);
  }
}

/** The result of an operation on two unsigned numbers of 64 bits; it may have more bits. */
export function compute(op: BinaryOp, a: bigint, b: bigint): bigint {
  const signedA = BigInt.asIntN(64, a);
  const signedB = BigInt.asIntN(64, b);
  switch (op) {
    case "add":
      return a + b;
    case "sub":
      return a - b;
    case "mul":
      return a * b;
    case "udiv":
      return b === 0n ? 0n : a / b;
    case "umod":
      return b === 0n ? a : a % b;
    case "sdiv":
      return b === 0n ? 0n : signedA / signedB;
    case "smod":
      return b === 0n ? a : signedA % signedB;
    case "and":
      return a & b;
    case "or":
      return a | b;
    case "xor":
      return a ^ b;
    case "shl":
      return a << (b & 63n);
    case "lshr":
      return a >> (b & 63n);
    case "ashr":
      return signedA >> (b & 63n);
  }
}

/** Whether a comparison of two unsigned numbers of 64 bits holds. */
export function compare(condition: Condition, a: bigint, b: bigint): boolean {
  const signedA = BigInt.asIntN(64, a);
  const signedB = BigInt.asIntN(64, b);
  switch (condition) {
    case "eq":
      return a === b;
    case "ne":
      return a !== b;
    case "ult":
      return a < b;
    case "ule":
      return a <= b;
    case "ugt":
      return a > b;
    case "uge":
      return a >= b;
    case "slt":
      return signedA < signedB;
    case "sle":
      return signedA <= signedB;
    case "sgt":
      return signedA > signedB;
    case "sge":
      return signedA >= signedB;
    case "set":
      return (a & b) !== 0n;
  }
}

function atomically(op: AtomicOp, before: bigint, value: bigint, expected: bigint): bigint {
  switch (op) {
    case "add":
      return before + value;
    case "or":
      return before | value;
    case "and":
      return before & value;
    case "xor":
      return before ^ value;
    case "xchg":
      return value;
    case "cmpxchg":
      return before === expected ? value : before;
  }
}

function reverse(value: bigint, size: Size): bigint {
  let result = 0n;
  for (let i = 0n; i < BigInt(size); i++) result = (result << 8n) | ((value >> (i * 8n)) & 0xffn);
  return result;
}
