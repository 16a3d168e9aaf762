import {
  Assembler,
  type Instruction,
  type Register,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r9,
  r10,
} from "../../src/object/asm/index.ts";

/** Words of 64 bits that a random program reads. */
export const INPUT_WORDS = 8;
/** Words that it works on besides its stack. */
export const SCRATCH_WORDS = 8;
/** Words that it leaves: r0 to r9, then its stack. */
export const OUTPUT_WORDS = 18;

/** What the kernel at hand takes. */
export interface Abilities {
  /** Atomic operations that give the old value (Linux 5.12). */
  readonly fetch: boolean;
  /** ISA v4 (Linux 6.6). */
  readonly v4: boolean;
  /** Signed division, which crashed kernels at one pair of numbers before 6.12. */
  readonly signedDivision: boolean;
}

/** Numbers that a seed determines (xorshift32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
    for (let i = 0; i < 8; i++) this.below(2);
  }

  /** 0 to `end` − 1. */
  below(end: number): number {
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) % end;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }

  /** 64 bits, often at an edge. */
  word(): bigint {
    const edges = [
      0n,
      1n,
      -1n,
      2n,
      1n << 31n,
      (1n << 31n) - 1n,
      1n << 32n,
      (1n << 32n) - 1n,
      1n << 63n,
      (1n << 63n) - 1n,
    ];
    if (this.below(2) === 0) return BigInt.asUintN(64, this.pick(edges) + BigInt(this.below(3) - 1));
    return BigInt.asUintN(64, (BigInt(this.below(2 ** 32)) << 32n) | BigInt(this.below(2 ** 32)));
  }

  /** 32 bits, signed. */
  immediate(): number {
    return Number(BigInt.asIntN(32, this.word()));
  }
}

const SCALARS = [r0, r1, r2, r3, r4, r5, r6, r7, r8] as const;
/** Counts the turns of loops. */
const COUNTER = r9;
/** The program's words on the stack begin here; registers are put down behind them at the end. */
const STACK = -64;
const DUMP = -144;
const BINARY = ["add", "sub", "mul", "or", "and", "xor", "div", "mod", "mov"] as const;
const SHIFTS = ["lsh", "rsh", "arsh"] as const;
const COMPARE = ["jeq", "jne", "jgt", "jge", "jlt", "jle", "jsgt", "jsge", "jslt", "jsle", "jset"] as const;

/**
 * A program that the verifier takes, of arithmetic, branches, loops, functions, stack and atomic operations, over the words in
 * map `input`; it leaves its registers and its stack in map `output`, and works on the words of map `scratch`. All of it follows
 * from the seed.
 */
export function randomProgram(seed: number, abilities: Abilities): readonly Instruction[] {
  return new Generator(seed, abilities).program();
}

class Generator {
  readonly #random: Random;
  readonly #abilities: Abilities;
  readonly #a = new Assembler();
  #labels = 0;
  #functions = 0;
  #branches = 0;

  constructor(seed: number, abilities: Abilities) {
    this.#random = new Random(seed);
    this.#abilities = abilities;
  }

  program(): readonly Instruction[] {
    const a = this.#a;
    const random = this.#random;
    a.loadMapValue(r9, "input", 0);
    for (const [i, register] of SCALARS.entries()) {
      if (i < INPUT_WORDS && random.below(4) > 0) a.load("u64", register, r9, i * 8);
      else a.loadImm64(register, random.word());
    }
    a.mov(r9, random.immediate());
    for (let at = STACK; at < 0; at += 8) a.store("u64", r10, at, random.pick([...SCALARS, r9]));
    const statements = 8 + random.below(24);
    for (let i = 0; i < statements; i++) this.#statement(2);
    for (const [i, register] of [...SCALARS, r9].entries()) a.store("u64", r10, DUMP + i * 8, register);
    a.loadMapValue(r1, "output", 0);
    for (let i = 0; i < OUTPUT_WORDS; i++) a.load("u64", r2, r10, DUMP + i * 8).store("u64", r1, i * 8, r2);
    a.mov(r0, 0).exit();
    for (let i = 0; i < this.#functions; i++) this.#function(i);
    return a.instructions();
  }

  #statement(depth: number): void {
    const random = this.#random;
    const kind = random.below(20);
    if (kind < 8) this.#arithmetic();
    else if (kind < 10) this.#shift();
    else if (kind < 12) this.#other();
    else if (kind < 15) this.#memory();
    else if (kind < 16) this.#atomic(depth);
    else if (kind < 18 && depth > 0 && this.#branches < 12) this.#branch(depth);
    else if (kind < 19 && depth === 2) this.#loop();
    else if (depth === 2 && this.#functions < 3) this.#call();
    else this.#arithmetic();
  }

  #register(): Register {
    return this.#random.pick(SCALARS);
  }

  #arithmetic(): void {
    const random = this.#random;
    const dst = this.#register();
    let operation: string = random.pick(BINARY);
    const immediate = random.below(3) === 0;
    if ((operation === "div" || operation === "mod") && this.#abilities.signedDivision && random.below(2) === 0)
      operation = `s${operation}`;
    let value: Register | number = immediate ? random.immediate() : this.#register();
    // The verifier refuses what divides by a constant zero.
    if (value === 0) value = 7;
    const name = `${operation}${random.below(3) === 0 ? "32" : ""}` as "add";
    this.#a[name](dst, value);
  }

  #shift(): void {
    const random = this.#random;
    const narrow = random.below(2) === 0;
    const name = `${random.pick(SHIFTS)}${narrow ? "32" : ""}` as "lsh";
    const by = random.below(2) === 0 ? random.below(narrow ? 32 : 64) : this.#register();
    this.#a[name](this.#register(), by);
  }

  #other(): void {
    const random = this.#random;
    const a = this.#a;
    const dst = this.#register();
    const bits = random.pick([16, 32, 64] as const);
    const v4 = this.#abilities.v4 ? 6 : 0;
    switch (random.below(4 + v4)) {
      case 0:
        return void a.neg(dst);
      case 1:
        return void a.neg32(dst);
      case 2:
        return void a.toBe(dst, bits);
      case 3:
        return void a.toLe(dst, bits);
      case 4:
        return void a.bswap(dst, bits);
      case 5:
        return void a.movsx8(dst, this.#register());
      case 6:
        return void a.movsx16(dst, this.#register());
      case 7:
        return void a.movsx32(dst, this.#register());
      case 8:
        return void a.movsx8To32(dst, this.#register());
      default:
        return void a.movsx16To32(dst, this.#register());
    }
  }

  #memory(): void {
    const random = this.#random;
    const a = this.#a;
    const bytes = random.pick([1, 2, 4, 8] as const);
    const size = `u${bytes * 8}` as "u8";
    const at = STACK + random.below(64 / bytes) * bytes;
    const kind = random.below(this.#abilities.v4 && bytes < 8 ? 4 : 3);
    if (kind === 0) a.load(size, this.#register(), r10, at);
    else if (kind === 1) a.store(size, r10, at, this.#register());
    else if (kind === 2)
      a.store(size, r10, at, bytes === 1 ? random.below(256) : bytes === 2 ? random.below(65536) : random.immediate());
    else a.loadSigned(`i${bytes * 8}` as "i8", this.#register(), r10, at);
  }

  /**
   * Those that give the old value work on map `scratch`: of the stack the verifier knows what is there, and does not follow that
   * through such an operation (6.18 leaves out branches that are taken).
   */
  #atomic(depth: number): void {
    const random = this.#random;
    const a = this.#a;
    const bytes = random.pick([4, 8] as const);
    const size = `u${bytes * 8}` as "u32";
    const slot = random.below(64 / bytes) * bytes;
    if (!this.#abilities.fetch) return void a.atomicAdd(size, r10, STACK + slot, this.#register());
    // In loops the counter's register is not free.
    if (depth === 0 || random.below(3) === 0) {
      const name = random.pick(["atomicAdd", "atomicOr", "atomicAnd", "atomicXor"] as const);
      return void a[name](size, r10, STACK + slot, this.#register());
    }
    a.loadMapValue(COUNTER, "scratch", 0);
    const name = random.pick(["fetchAdd", "fetchOr", "fetchAnd", "fetchXor", "xchg", "cmpxchg"] as const);
    a[name](size, COUNTER, slot, this.#register());
    // When it succeeds, x86's own instruction leaves r0 alone. The verifier puts a zero-extension behind it where it sees that
    // the upper half is needed, which 6.18 does not always see (where a path is pruned): so the program does it.
    if (name === "cmpxchg" && bytes === 4) a.mov32(r0, r0);
    return void a.mov(COUNTER, random.immediate());
  }

  #compare(to: string): void {
    const random = this.#random;
    const name = `${random.pick(COMPARE)}${random.below(3) === 0 ? "32" : ""}` as "jeq";
    this.#a[name](this.#register(), random.below(2) === 0 ? random.immediate() : this.#register(), to);
  }

  #branch(depth: number): void {
    const random = this.#random;
    const a = this.#a;
    const label = this.#labels++;
    this.#branches++;
    this.#compare(`else ${label}`);
    for (let i = 0; i < 1 + random.below(4); i++) this.#statement(depth - 1);
    if (random.below(2) === 0) {
      if (this.#abilities.v4 && random.below(2) === 0) a.ja32(`end ${label}`);
      else a.ja(`end ${label}`);
      a.label(`else ${label}`);
      for (let i = 0; i < 1 + random.below(4); i++) this.#statement(depth - 1);
      a.label(`end ${label}`).mov(r0, r0);
    } else a.label(`else ${label}`).mov(r0, r0);
  }

  #loop(): void {
    const random = this.#random;
    const a = this.#a;
    const label = this.#labels++;
    a.mov(COUNTER, 1 + random.below(4)).label(`loop ${label}`);
    for (let i = 0; i < 1 + random.below(4); i++) this.#statement(0);
    a.sub(COUNTER, 1).jne(COUNTER, 0, `loop ${label}`);
  }

  /** r1 to r5 are gone afterwards, and set anew. */
  #call(): void {
    const random = this.#random;
    this.#a.callLocal(`function ${this.#functions++}`);
    for (const register of [r1, r2, r3, r4, r5]) this.#a.mov(register, random.pick([r0, r6, r7, r8]));
  }

  #function(number: number): void {
    const a = this.#a;
    const random = this.#random;
    a.label(`function ${number}`);
    for (const register of [r0, r6, r7, r8, r9]) a.mov(register, random.pick([r1, r2, r3, r4, r5]));
    for (let at = STACK; at < 0; at += 8) a.store("u64", r10, at, random.pick([r1, r2, r3, r4, r5]));
    for (let i = 0; i < 3 + random.below(8); i++) this.#statement(1);
    a.exit();
  }
}
