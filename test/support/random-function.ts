// Random functions in SSA form whose result is the same wherever they run, for the comparison of code with what it is made of.
// They read and write two maps: `memory`, one value of 512 bytes, and `table`, TABLE_ENTRIES numbers by index.
import { EvaluationMemory, type EvaluationWorld, evaluate } from "../../src/language/compiler/ssa/evaluate.ts";
import type { BinaryOp, Block, Condition, Func, HelperCallee, Inst, Size } from "../../src/language/compiler/ssa/ir.ts";
import { FunctionBuilder } from "./function-builder.ts";
import { Random } from "./random.ts";

export const MEMORY_SIZE = 512;
export const TABLE_ENTRIES = 8;

export interface RandomOptions {
  /** Atomic operations that give the old value (Linux 5.12). */
  readonly fetchAtomics: boolean;
  /** Loads and stores at run-time distances in the stack (Linux 5.12). */
  readonly variableStack: boolean;
  /**
   * Branches that only choose between constants: as they stand they are more than the verifier goes through (`proveRanges` has them
   * computed). Default false.
   */
  readonly choices?: boolean;
}

/** A program, and the functions that it calls. */
export interface RandomProgram {
  readonly main: Func;
  readonly functions: readonly Func[];
}

type Helper = HelperCallee & { readonly pure?: true; readonly reads?: readonly number[] };
const LOOKUP: Helper = { kind: "helper", name: "map_lookup_elem", id: 1, reads: [1] };
const UPDATE: Helper = { kind: "helper", name: "map_update_elem", id: 2, reads: [1, 2] };
const CPU: Helper = { kind: "helper", name: "get_smp_processor_id", id: 8, pure: true };
const KTIME: Helper = { kind: "helper", name: "ktime_get_ns", id: 5 };
const PROBE_READ_ID = 113;

export const OPS: readonly BinaryOp[] = [
  "add",
  "sub",
  "mul",
  "udiv",
  "umod",
  "sdiv",
  "smod",
  "and",
  "or",
  "xor",
  "shl",
  "lshr",
  "ashr",
];
export const CONDITIONS: readonly Condition[] = [
  "eq",
  "ne",
  "ult",
  "ule",
  "ugt",
  "uge",
  "slt",
  "sle",
  "sgt",
  "sge",
  "set",
];
const SIZES: readonly Size[] = [1, 2, 4, 8];
const NUMBERS: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  5n,
  7n,
  8n,
  10n,
  63n,
  64n,
  100n,
  255n,
  256n,
  1000n,
  4096n,
  65535n,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x1234_5678_9abc_def0n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0xffff_ffff_0000_0000n,
  -1n,
  -2n,
  -5n,
  -128n,
  -1000n,
  -0x8000_0000n,
  -0x8000_0001n,
];

export function randomProgram(seed: number, options: RandomOptions): RandomProgram {
  const random = new Random(seed);
  const functions: Func[] = [];
  const count = random.below(3);
  for (let i = 0; i < count; i++) {
    const builder = new FunctionBuilder(`part${i}`, "function", randomParams(random));
    functions.push(new Generator(builder, random, options, functions.slice(), 25, 8, 24).build());
  }
  const size = random.pick([10, 30, 60, 120, 200]);
  const most = random.pick([5, 12, 25, 45]);
  const main = new FunctionBuilder("main", "program", ["context"]);
  const func = new Generator(main, random, options, functions, size, most, 64).build();
  return { main: func, functions };
}

function randomParams(random: Random): ("scalar" | "stack")[] {
  return Array.from({ length: 1 + random.below(5) }, () => (random.chance(20) ? "stack" : "scalar"));
}

/** Bytes behind a pointer that a function receives. */
const PASSED = 16;

class Generator {
  readonly #b: FunctionBuilder;
  readonly #random: Random;
  readonly #options: RandomOptions;
  readonly #functions: readonly Func[];
  #budget: number;
  readonly #most: number;
  #slotBytes: number;
  /** Numbers that can be used here. */
  #values: Inst[] = [];
  /** Addresses of at least 16 initialised bytes, aligned to 8. */
  #addresses: { readonly inst: Inst; readonly size: number }[] = [];
  #loops = 0;
  #breaks: { readonly block: Block; readonly values: Inst[][]; readonly carried: number }[] = [];

  constructor(
    builder: FunctionBuilder,
    random: Random,
    options: RandomOptions,
    functions: readonly Func[],
    budget: number,
    most: number,
    slotBytes: number,
  ) {
    this.#b = builder;
    this.#random = random;
    this.#options = options;
    this.#functions = functions;
    this.#budget = budget;
    this.#most = most;
    this.#slotBytes = slotBytes;
  }

  build(): Func {
    const b = this.#b;
    const { params } = b.func;
    params.forEach((kind, i) => {
      const param = b.param(i);
      if (kind === "scalar") this.#values.push(param);
      else if (kind === "stack") this.#addresses.push({ inst: param, size: PASSED });
      else {
        // A socket buffer's length; the upper half of it is 0.
        this.#values.push(b.binary("lshr", b.load(param, 0, 4), b.const(16)));
        if (this.#random.chance(50)) this.#values.push(b.binary("and", b.load(param, 4, 4), b.const(0)));
      }
    });
    for (let i = 0; i < 4; i++) this.#values.push(b.load(b.global("memory", this.#random.below(64) * 8), 0, 8));
    this.#statements();
    this.#finish();
    return b.func;
  }

  /** All that is still known goes into the result, so that it is live to the end. */
  #finish(): void {
    const b = this.#b;
    let sum = b.const(0);
    this.#values.forEach((value, i) => {
      if (i % 3 === 0) sum = b.binary("mul", sum, b.const(31));
      sum = b.binary(i % 2 === 0 ? "add" : "xor", sum, value);
      if (this.#random.chance(20)) b.store(b.global("memory", 256 + (i % 32) * 8), 0, 8, value);
    });
    b.return(sum);
  }

  #statements(): void {
    while (this.#budget > 0) this.#statement();
  }

  #value(): Inst {
    const { below, pick } = this.#bound();
    if (below(100) < 12) return this.#number();
    return below(2) === 0 || this.#values.length < 4 ? pick(this.#values) : pick(this.#values.slice(-4));
  }

  #bound() {
    return {
      below: (n: number) => this.#random.below(n),
      pick: <T>(list: readonly T[]) => this.#random.pick(list),
    };
  }

  #number(): Inst {
    return this.#b.const(this.#random.chance(40) ? BigInt(this.#random.below(100)) : this.#random.pick(NUMBERS));
  }

  #add(value: Inst): void {
    if (this.#values.length >= this.#most) this.#values.splice(this.#random.below(this.#values.length), 1);
    this.#values.push(value);
  }

  #statement(): void {
    this.#budget--;
    const choice = this.#random.below(100);
    if (choice < 6 && this.#options.choices === true) this.#choice();
    else if (choice < 34) this.#arithmetic();
    else if (choice < 44) this.#extension();
    else if (choice < 52) this.#memory();
    else if (choice < 58) this.#stack();
    else if (choice < 63) this.#indexed();
    else if (choice < 69) this.#lookup();
    else if (choice < 73) this.#clobber();
    else if (choice < 77) this.#atomic();
    else if (choice < 79) this.#kernelLoad();
    else if (choice < 83) this.#callFunction();
    else if (choice < 93) this.#diamond();
    else if (choice < 97) this.#loop();
    else if (choice < 98) this.#escape();
    else this.#swap();
  }

  #arithmetic(): void {
    const op = this.#random.pick(OPS);
    this.#add(this.#b.binary(op, this.#value(), this.#random.chance(40) ? this.#number() : this.#value()));
  }

  #extension(): void {
    const op = this.#random.pick(["zext", "zext", "sext", "bswap", "neg"] as const);
    this.#add(this.#b.unary(op, this.#value(), op === "neg" ? 8 : this.#random.pick(SIZES)));
  }

  #memory(): void {
    const b = this.#b;
    const size = this.#random.pick(SIZES);
    const at = this.#random.below(MEMORY_SIZE / size) * size;
    const split = this.#random.chance(50) ? this.#random.below(at + 1) : at;
    if (this.#random.chance(60))
      this.#add(b.load(b.global("memory", split), at - split, size, this.#random.chance(30)));
    else b.store(b.global("memory", split), at - split, size, this.#value());
  }

  /** A new slot, written whole, or one that is there. */
  #slot(): { readonly inst: Inst; readonly size: number } {
    const b = this.#b;
    const size = this.#random.pick([16, 16, 24, 32]);
    if (this.#slotBytes < size || (this.#addresses.length > 0 && this.#random.chance(60))) {
      if (this.#addresses.length > 0) return this.#random.pick(this.#addresses);
    }
    this.#slotBytes -= size;
    const inst = b.slot(b.newSlot(size, 8));
    for (let at = 0; at < size; at += 8) b.store(inst, at, 8, this.#value());
    const address = { inst, size };
    this.#addresses.push(address);
    return address;
  }

  #stack(): void {
    const b = this.#b;
    const { inst, size } = this.#slot();
    const width = this.#random.pick(SIZES);
    const at = this.#random.below(size / width) * width;
    if (this.#random.chance(60)) this.#add(b.load(inst, at, width, this.#random.chance(30)));
    else b.store(inst, at, width, this.#value());
  }

  /** Access at a distance that is known to be in bounds only because it was cut. */
  #indexed(): void {
    const b = this.#b;
    const index = b.binary("and", this.#value(), b.const(this.#random.pick([7, 15, 31])));
    const distance = b.binary("shl", index, b.const(3));
    if (this.#random.chance(50)) this.#add(index);
    let base = b.global("memory", this.#random.below(16) * 8);
    if (this.#random.chance(20) && this.#options.variableStack) {
      base = this.#slot().inst;
      const small = b.binary("and", index, b.const(1));
      const address = b.offset(base, b.binary("shl", small, b.const(3)));
      if (this.#random.chance(60)) this.#add(b.load(address, 0, 8));
      else b.store(address, 0, 8, this.#value());
      return;
    }
    const address = b.offset(base, distance);
    if (this.#random.chance(30)) this.#clobber();
    if (this.#random.chance(60)) this.#add(b.load(address, this.#random.below(4) * 8, 8));
    else b.store(address, this.#random.below(4) * 8, 8, this.#value());
  }

  /** A value of the table, which may not be there. */
  #lookup(): void {
    const b = this.#b;
    if (this.#slotBytes < 8) {
      this.#arithmetic();
      return;
    }
    this.#slotBytes -= 8;
    const key = b.slot(b.newSlot(4, 4, "key"));
    b.store(key, 0, 4, b.binary("and", this.#value(), b.const(15)));
    if (this.#random.chance(30)) {
      const value = this.#slot().inst;
      // An int: what its upper half becomes depends on the kernel.
      this.#add(b.unary("zext", b.call(UPDATE, b.map("table"), key, value, b.const(0)), 4));
    }
    const found = b.call(LOOKUP, b.map("table"), key);
    found.kind = "memory";
    found.nullable = true;
    const missing = this.#value();
    const before = b.block;
    const there = b.newBlock();
    const join = b.newBlock();
    const isInverted = this.#random.chance(50);
    if (isInverted) b.branch("eq", found, b.const(0), join, there);
    else b.branch("ne", found, b.const(0), there, join);
    b.block = there;
    const value = b.load(found, 0, 8);
    if (this.#random.chance(40)) b.store(found, 0, 8, this.#value());
    if (this.#random.chance(30)) this.#inner(2);
    b.jump(join);
    b.block = join;
    this.#add(b.phi(join, "scalar", ...join.preds.map((pred) => (pred === before ? missing : value))));
  }

  /** Some statements whose values are not used afterwards. */
  #inner(count: number): void {
    const { values, addresses } = this.#snapshot();
    for (let i = 0; i < count && this.#budget > 0; i++) this.#statement();
    this.#values = values;
    this.#addresses = addresses;
  }

  #snapshot() {
    return { values: this.#values.slice(), addresses: this.#addresses.slice() };
  }

  /** A call that overwrites r0 to r5 and whose value is of no matter. */
  #clobber(): void {
    const b = this.#b;
    const value = b.call(this.#random.chance(50) ? CPU : KTIME);
    if (this.#random.chance(50)) this.#add(b.binary("and", value, b.const(0)));
  }

  #atomic(): void {
    const b = this.#b;
    const size = this.#random.pick([4, 8] as const);
    const onStack = this.#random.chance(30);
    const slot = onStack ? this.#slot() : undefined;
    const base = slot?.inst ?? b.global("memory", 0);
    const at = this.#random.below((slot?.size ?? MEMORY_SIZE) / 8) * 8;
    if (!this.#options.fetchAtomics) {
      b.atomic("add", base, at, size, this.#value());
      return;
    }
    const op = this.#random.pick(["add", "or", "and", "xor", "xchg", "cmpxchg"] as const);
    const operands = op === "cmpxchg" ? [this.#value(), this.#value()] : [this.#value()];
    if (op === "cmpxchg" && this.#random.chance(50)) operands[1] = b.load(base, at, size);
    const before = b.atomic(op, base, at, size, ...operands);
    if (this.#random.chance(60)) this.#add(before);
  }

  #kernelLoad(): void {
    const b = this.#b;
    const size = this.#random.pick(SIZES);
    const signed = this.#random.chance(30);
    if (this.#random.chance(50)) {
      // Nothing can be read near 0.
      const address = b.binary("and", this.#value(), b.const(0xff8));
      address.kind = "plain";
      this.#add(b.kload(address, 8, size, signed));
    } else {
      const base = b.global("memory", this.#random.below(60) * 8);
      base.kind = "plain";
      this.#add(b.kload(base, this.#random.below(3) * 8, size, signed));
    }
  }

  #callFunction(): void {
    if (this.#functions.length === 0 || this.#loops > 0) {
      this.#arithmetic();
      return;
    }
    const callee = this.#random.pick(this.#functions);
    const args = callee.params.map((kind) => (kind === "stack" ? this.#slotOf16() : this.#value()));
    if (args.includes(undefined)) return;
    this.#add(this.#b.call({ kind: "function", name: callee.name }, ...(args as Inst[])));
  }

  #slotOf16(): Inst | undefined {
    return this.#slotBytes >= 32 || this.#addresses.length > 0 ? this.#slot().inst : undefined;
  }

  /** Comparisons, one behind the other, that say which of some constants (0 and 1 mostly) several numbers are. */
  #choice(): void {
    const b = this.#b;
    const random = this.#random;
    const join = b.newBlock();
    const given = new Map<Block, readonly Inst[]>();
    const count = random.between(1, 3);
    const same = this.#value();
    const numbers = () =>
      Array.from({ length: count }, (_, i) => (i === 2 ? same : b.const(random.chance(85) ? random.below(2) : 3)));
    // A block that does nothing, which several comparisons may come to.
    let shared: Block | undefined;
    const way = (): Block => {
      if (shared !== undefined && random.chance(50)) return shared;
      const before = b.block;
      const own = b.newBlock();
      b.block = own;
      given.set(own, numbers());
      b.jump(join);
      b.block = before;
      if (random.chance(30)) shared = own;
      return own;
    };
    for (let left = random.between(1, 3); left > 0; left--) {
      const pair = this.#compared();
      const first = way();
      let rest: Block;
      if (left > 1) rest = b.newBlock();
      else if (random.chance(40)) {
        rest = join;
        given.set(b.block, numbers());
      } else
        do rest = way();
        while (rest === first);
      const [yes, no] = random.chance(50) ? [first, rest] : [rest, first];
      b.branch(random.pick(CONDITIONS), pair[0], pair[1], yes, no);
      if (left === 1) continue;
      b.block = rest;
      if (random.chance(40)) b.store(b.global("memory", random.below(60) * 8), 0, 8, this.#value());
    }
    b.block = join;
    for (let i = 0; i < count; i++)
      this.#add(b.phi(join, "scalar", ...join.preds.map((pred) => given.get(pred)?.[i] as Inst)));
  }

  #diamond(): void {
    const b = this.#b;
    const [left, right, join] = [b.newBlock(), b.newBlock(), b.newBlock()];
    const isTriangle = this.#random.chance(35);
    const before = b.block;
    const pair = this.#compared();
    const toRight = isTriangle ? join : right;
    b.branch(this.#random.pick(CONDITIONS), pair[0], pair[1], left, toRight);
    const { values, addresses } = this.#snapshot();
    const ends: { readonly block: Block; readonly values: Inst[] }[] = [];
    for (const side of isTriangle ? [left] : [left, right]) {
      b.block = side;
      this.#values = values.slice();
      this.#addresses = addresses.slice();
      const count = 1 + this.#random.below(4);
      for (let i = 0; i < count && this.#budget > 0; i++) this.#statement();
      const most = this.#breaks[this.#breaks.length - 1];
      if (this.#random.chance(8) && ends.length + (isTriangle ? 1 : 0) > 0) {
        b.return(this.#random.chance(60) ? b.const(this.#random.below(2)) : this.#value());
      } else if (most !== undefined && this.#random.chance(25) && ends.length + (isTriangle ? 1 : 0) > 0) {
        most.values.push(Array.from({ length: most.carried }, () => this.#value()));
        b.jump(most.block);
      } else {
        ends.push({ block: b.block, values: this.#values });
        b.jump(join);
      }
    }
    if (isTriangle) ends.push({ block: before, values });
    b.block = join;
    this.#values = values.slice();
    this.#addresses = addresses;
    const count = this.#random.below(4);
    for (let i = 0; i < count; i++) {
      const inputs = join.preds.map((pred) => {
        const end = ends.find((candidate) => candidate.block === pred) as (typeof ends)[number];
        return this.#random.pick(end.values);
      });
      this.#add(b.phi(join, "scalar", ...inputs));
    }
    this.#dropUnused(right);
  }

  #dropUnused(block: Block): void {
    if (block.preds.length === 0 && block.end === undefined) {
      this.#b.func.blocks = this.#b.func.blocks.filter((other) => other !== block);
    }
  }

  #compared(): [Inst, Inst] {
    const b = this.#b;
    const right = this.#random.chance(50) ? this.#number() : this.#value();
    const left = this.#value();
    if (this.#random.chance(30)) return [b.unary("zext", left, 4), right];
    return this.#random.chance(80) ? [left, right] : [right, left];
  }

  /** Counts to a number that the kernel sees. */
  #loop(): void {
    if (this.#loops >= 2 || this.#budget < 6) {
      this.#arithmetic();
      return;
    }
    const b = this.#b;
    const times = 1 + this.#random.below(this.#loops === 0 ? 6 : 3);
    const zero = b.const(0);
    const carried = 1 + this.#random.below(4);
    const starts = Array.from({ length: carried }, () => this.#value());
    this.#loops++;
    const exit = b.newBlock();
    b.depth++;
    const header = b.newBlock();
    b.jump(header);
    b.block = header;
    const { values, addresses } = this.#snapshot();
    const index = b.phi(header, "scalar", zero);
    const phis = starts.map((start) => b.phi(header, "scalar", start));
    const isTop = this.#random.chance(60);
    const breaks = { block: exit, values: [] as Inst[][], carried };
    this.#breaks.push(breaks);
    if (isTop) {
      const body = b.newBlock();
      breaks.values.push(phis);
      b.branch("ult", index, b.const(times), body, exit);
      b.block = body;
    }
    this.#values = [...values, index, ...phis];
    const count = 1 + this.#random.below(5);
    for (let i = 0; i < count && this.#budget > 0; i++) this.#statement();
    // What is carried round: also the phis in another order, which the moves must not mix up.
    const next = phis.map(() => (this.#random.chance(35) ? this.#random.pick(phis) : this.#random.pick(this.#values)));
    const following = b.binary("add", index, b.const(1));
    if (isTop) b.jump(header);
    else {
      breaks.values.push(next);
      b.branch("ult", following, b.const(times), header, exit);
    }
    index.args.push(following);
    phis.forEach((phi, i) => {
      phi.args.push(next[i] as Inst);
    });
    this.#breaks.pop();
    this.#loops--;
    b.depth--;
    b.block = exit;
    this.#values = values.slice();
    this.#addresses = addresses;
    for (let i = 0; i < carried; i++) {
      this.#add(b.phi(exit, "scalar", ...breaks.values.map((list) => list[i] as Inst)));
    }
  }

  /** The address of a slot goes into another slot: it cannot be followed any more. */
  #escape(): void {
    const b = this.#b;
    if (this.#slotBytes < 40) {
      this.#arithmetic();
      return;
    }
    const { inst } = this.#slot();
    this.#slotBytes -= 8;
    const holder = b.slot(b.newSlot(8, 8, "holder"));
    b.store(holder, 0, 8, inst);
    const loaded = b.load(holder, 0, 8);
    loaded.kind = "stack";
    this.#add(b.load(loaded, 8, 8));
  }

  /** Two values change places behind a branch. */
  #swap(): void {
    const b = this.#b;
    const [x, y, z] = [this.#value(), this.#value(), this.#value()];
    const before = b.block;
    const other = b.newBlock();
    const join = b.newBlock();
    b.branch(this.#random.pick(CONDITIONS), x, y, other, join);
    b.block = other;
    b.jump(join);
    b.block = join;
    const order = (first: Inst, second: Inst) => join.preds.map((pred) => (pred === before ? first : second));
    this.#add(b.phi(join, "scalar", ...order(x, y)));
    this.#add(b.phi(join, "scalar", ...order(y, z)));
    this.#add(b.phi(join, "scalar", ...order(z, x)));
  }
}

/** Goes from its beginning to its end, and back once, over `count` operations: its jumps are as long. */
export function longFunction(count: number): Func {
  const b = new FunctionBuilder("main", "program", ["context"]);
  const first = b.load(b.global("memory", 0), 0, 8);
  const [head, body, end] = [b.newBlock(), b.newBlock(), b.newBlock()];
  const zero = b.const(0);
  b.branch("set", first, b.const(1), end, head);
  b.block = head;
  const index = b.phi(head, "scalar", zero);
  const sum = b.phi(head, "scalar", first);
  b.branch("ult", index, b.const(2), body, end);
  b.block = body;
  let value: Inst = sum;
  for (let i = 0; i < count; i++) value = b.binary(i % 2 === 0 ? "add" : "xor", value, b.const(i));
  const next = b.binary("add", index, b.const(1));
  b.jump(head);
  index.args.push(next);
  sum.args.push(value);
  b.block = end;
  b.return(b.phi(end, "scalar", first, sum));
  return b.func;
}

/** What a program leaves behind. */
export interface Outcome {
  readonly result: bigint;
  readonly memory: Uint8Array;
  readonly table: BigUint64Array;
}

/** The maps as they are before a run. */
export function startingMaps(seed: number): { readonly memory: Uint8Array; readonly table: BigUint64Array } {
  const random = new Random(seed ^ 0x5eed);
  const memory = new Uint8Array(MEMORY_SIZE);
  for (let i = 0; i < MEMORY_SIZE; i++) memory[i] = random.chance(30) ? 0 : random.chance(20) ? 255 : random.below(256);
  const table = new BigUint64Array(TABLE_ENTRIES);
  for (let i = 0; i < TABLE_ENTRIES; i++) table[i] = BigInt(random.next()) * BigInt(random.next());
  return { memory, table };
}

/** What the reference says that a program leaves behind. `watch` sees calls of the helper `watch`. */
export function expectedOutcome(
  program: RandomProgram,
  seed: number,
  watch?: (args: readonly bigint[]) => void,
): Outcome {
  const { memory: bytes, table } = startingMaps(seed);
  const memory = new EvaluationMemory("little");
  const at = memory.add(bytes);
  const entries = memory.add(new Uint8Array(table.buffer));
  const world: EvaluationWorld = {
    memory,
    functions: new Map(program.functions.map((func) => [func.name, func])),
    map: () => 0n,
    mapValue: () => at,
    fuel: 1_000_000,
    call(callee, args) {
      if (callee.name === "watch" && watch !== undefined) {
        watch(args);
        return 0n;
      }
      if (callee.kind !== "helper") throw new Error(`${callee.name} is no helper`);
      if (callee.id === LOOKUP.id) {
        const key = memory.load(args[1] as bigint, 4);
        return key < BigInt(TABLE_ENTRIES) ? entries + key * 8n : 0n;
      }
      if (callee.id === UPDATE.id) {
        const key = memory.load(args[1] as bigint, 4);
        if (key >= BigInt(TABLE_ENTRIES)) return -7n;
        memory.store(entries + key * 8n, 8, memory.load(args[2] as bigint, 8));
        return 0n;
      }
      if (callee.id === CPU.id || callee.id === KTIME.id) return 0x1234_5678n;
      throw new Error(`helper ${callee.name} (${PROBE_READ_ID} is made by the code itself) is not known here`);
    },
  };
  const context = memory.add(new Uint8Array(192));
  const result = evaluate(program.main, [context], world);
  return { result, memory: bytes, table };
}
