import { disassemble } from "../../../object/asm/index.ts";
import { type FaultCode, MachineFault } from "../machine-fault.ts";
import { type AddressSpace, FIRST_KERNEL_HALF, hex, isUser } from "../memory/address-space.ts";
import { Region } from "../memory/region.ts";
import type { World } from "../world.ts";
import type { Helper, Image } from "./image.ts";

/** Carries out the instruction at `pc`; where the next one is, or −1 when the function that was begun has ended. */
export type Handler = (cpu: Cpu, pc: number) => number;

const STACK_BYTES = 512;
/** MAX_CALL_FRAMES of the kernel. */
const MOST_FRAMES = 8;
/** r6 to r9, in halves. */
const KEPT = 12;
const KEPT_HALVES = 8;
/** r10, its lower half. */
const FRAME_POINTER = 20;
/** What registers hold that nobody set: nothing that looks like a number or an address. */
const POISON_LOW = 0x0bad_0bad;
const POISON_HIGH = 0xdead_0000 | 0;

/** How the machine treats what real programs are not let do. */
export interface CpuOptions {
  /** A read of stack that was not written is a fault; otherwise stack and registers begin as zeros. */
  readonly checked: boolean;
  /** The most instructions of one run. */
  readonly maxInstructions: number;
  readonly little: boolean;
  /** What a helper's number stands for. */
  readonly helper: (id: number) => Helper;
}

/** What one run has besides the program. */
export interface RunState {
  readonly world: World;
  readonly context: Region | undefined;
  readonly packet: Region | undefined;
  readonly cookie: bigint;
  readonly functionAddress: bigint;
  /** Arguments of the traced function, as `get_func_arg_cnt` counts them. */
  readonly argumentCount: number;
  /** Where programs of a program array begin. */
  readonly entryOf: (program: string) => number | undefined;
  /** What iterators wrote (`seq_write`, `seq_printf`). */
  readonly output: Uint8Array[];
  /** Addresses of locks that are held, and of iterators that are not destroyed. */
  readonly locks: Set<bigint>;
  readonly iterators: Set<bigint>;
  tailCalls: number;
  /** Told of each instruction after it has run. */
  readonly trace: ((step: Step) => void) | undefined;
}

/** An instruction that was run. */
export interface Step {
  /** The program's name in the object. */
  readonly program: string;
  /** Index in `ProgramSpec.instructions`. */
  readonly instruction: number;
  /** The instruction as `disassemble` writes it. */
  readonly text: string;
  /** r0 to r10 after it. */
  readonly registers: readonly bigint[];
  /** Registers that it changed, by number. */
  readonly changed: readonly number[];
}

/**
 * The registers, the call stack, and the way from an address to memory. Registers are pairs of 32-bit halves in `regs`, lower
 * half first; `wide` is the same memory in 64 bits. Behind r10 stand the constants of all programs, so that an operand is
 * always a register.
 */
export class Cpu {
  readonly regs: Int32Array;
  readonly wide: BigUint64Array;
  readonly dst: Int32Array;
  readonly src: Int32Array;
  readonly arg: Int32Array;
  readonly little: boolean;
  readonly space: AddressSpace;
  readonly #kernel: (Region | undefined)[];
  readonly #image: Image;
  readonly #options: CpuOptions;
  readonly #frames: Region[] = [];
  readonly #saved = new Int32Array((MOST_FRAMES + 1) * KEPT_HALVES);
  readonly #returns = new Int32Array(MOST_FRAMES + 1);
  readonly #zeros = new Region("kernel memory", "nothing", 0, 0, new Uint8Array(8), false);
  /** The region that the last `reach` found, and its view. */
  region: Region = this.#zeros;
  view: DataView = this.#zeros.view;
  pointers: Region["pointers"] = undefined;
  /** The call that a helper was called by. */
  pc = 0;
  /** Where a tail call goes on. */
  tail = -1;
  /** How often `may_goto` was passed. */
  turns = 0;
  /** Instructions that the run has left. */
  fuel = 0;
  /** Reads of null and of unmapped kernel addresses give 0, as reads through BTF pointers do in the kernel. */
  probing = false;
  #state: RunState | undefined;
  #depth = 0;

  constructor(image: Image, space: AddressSpace, options: CpuOptions) {
    this.#image = image;
    this.#options = options;
    this.space = space;
    this.#kernel = space.kernel;
    this.little = options.little;
    this.dst = image.dst;
    this.src = image.src;
    this.arg = image.arg;
    this.regs = image.makeRegisters();
    this.wide = new BigUint64Array(this.regs.buffer);
  }

  /** Runs a program from its beginning: r0 at the end. */
  run(entry: number, state: RunState, contextSize: number | undefined): bigint {
    const { regs } = this;
    const { checked, maxInstructions } = this.#options;
    this.fuel = maxInstructions;
    const { context } = state;
    this.#state = state;
    this.#depth = 0;
    this.tail = -1;
    this.turns = 0;
    for (let i = 0; i < FRAME_POINTER; i += 2) {
      regs[i] = checked ? POISON_LOW : 0;
      regs[i + 1] = checked ? POISON_HIGH : 0;
    }
    regs[2] = context?.lo ?? 0;
    regs[3] = context?.hi ?? 0;
    if (contextSize !== undefined) {
      regs[4] = contextSize;
      regs[5] = 0;
    }
    this.#push(-1);
    this.#loop(entry);
    return this.wide[0] as bigint;
  }

  /** Calls a function of the program, as helpers do with callbacks; its r0. r6 to r9 are kept, r1 to r5 are not. */
  call(entry: number, a: bigint, b: bigint, c: bigint, d: bigint): bigint {
    const { wide, pc } = this;
    wide[1] = a;
    wide[2] = b;
    wide[3] = c;
    wide[4] = d;
    this.#push(-1);
    this.#loop(entry);
    this.pc = pc;
    return wide[0] as bigint;
  }

  #loop(entry: number): void {
    const { handlers } = this.#image;
    let pc = this.state.trace === undefined ? entry : this.#traced(entry, this.state.trace);
    while (pc >= 0) {
      if (--this.fuel < 0) this.#endless(pc);
      pc = (handlers[pc] as Handler)(this, pc);
    }
  }

  /** As `#loop`, telling of each instruction. */
  #traced(entry: number, trace: (step: Step) => void): number {
    const { handlers } = this.#image;
    let pc = entry;
    let before = [...this.wide.subarray(0, 11)];
    while (pc >= 0) {
      if (--this.fuel < 0) this.#endless(pc);
      const { program, index, instruction } = this.#image.place(pc);
      pc = (handlers[pc] as Handler)(this, pc);
      const registers = [...this.wide.subarray(0, 11)];
      const changed = registers.flatMap((value, n) => (value === before[n] ? [] : [n]));
      const text = instruction === undefined ? "" : disassemble([instruction]).trim();
      trace({ program, instruction: index, text, registers, changed });
      before = registers;
    }
    return pc;
  }

  #endless(pc: number): never {
    this.fault(
      "ENDLESS",
      `The program has run ${this.#options.maxInstructions} instructions and goes on: a loop does not end, or the option maxInstructions must be larger.`,
      pc,
    );
  }

  /** A new frame, which goes on at `back` when it ends. */
  #push(back: number): void {
    const depth = this.#depth;
    const { regs } = this;
    if (depth >= MOST_FRAMES)
      this.fault("CALL_DEPTH", `Calls are nested more than ${MOST_FRAMES} deep, which the kernel does not allow.`);
    const frame = this.#frames[depth] ?? this.#newFrame(depth);
    if (frame.shadow !== undefined) frame.forget();
    else frame.bytes.fill(0);
    const saved = this.#saved;
    const at = depth * KEPT_HALVES;
    for (let i = 0; i < KEPT_HALVES; i++) saved[at + i] = regs[KEPT + i] as number;
    this.#returns[depth] = back;
    this.#depth = depth + 1;
    regs[FRAME_POINTER] = frame.lo + STACK_BYTES;
    regs[FRAME_POINTER + 1] = frame.hi;
  }

  #newFrame(depth: number): Region {
    const frame = this.space.add("stack", `frame ${depth}`, new Uint8Array(STACK_BYTES), true);
    if (this.#options.checked) frame.watch();
    this.#frames[depth] = frame;
    return frame;
  }

  /** Enters a function of the program. */
  enter(pc: number, entry: number): number {
    this.pc = pc;
    this.#push(pc + 1);
    return entry;
  }

  /** Leaves the function that runs; where its caller goes on. */
  leave(): number {
    const { regs } = this;
    const depth = this.#depth - 1;
    this.#depth = depth;
    const saved = this.#saved;
    const at = depth * KEPT_HALVES;
    for (let i = 0; i < KEPT_HALVES; i++) regs[KEPT + i] = saved[at + i] as number;
    if (depth > 0) {
      const frame = this.#frames[depth - 1] as Region;
      regs[FRAME_POINTER] = frame.lo + STACK_BYTES;
      regs[FRAME_POINTER + 1] = frame.hi;
    }
    return this.#returns[depth] as number;
  }

  /** The run that goes on. */
  get state(): RunState {
    return this.#state as RunState;
  }

  /** Begins another program in the frame that is there, as a tail call does. */
  renew(entry: number): void {
    this.#frames[this.#depth - 1]?.forget();
    this.tail = entry;
  }

  helper(index: number): Helper {
    return this.#image.helpers[index] as Helper;
  }

  helperById(id: number): Helper {
    return this.#options.helper(id);
  }

  /** How deep in calls the program is; 1 in its own function. */
  get depth(): number {
    return this.#depth;
  }

  /** r1 to r5 after a call: what was in them is gone. */
  clobber(): void {
    if (!this.#options.checked) return;
    const { regs } = this;
    for (let i = 2; i < KEPT; i += 2) {
      regs[i] = POISON_LOW;
      regs[i + 1] = POISON_HIGH;
    }
  }

  // -------------------------------------------------------------------------------------------------------------------
  // From addresses to memory

  /** Where `size` bytes at r[src] + offset stand in `view`. */
  reachLoad(pc: number, size: number): number {
    const at = this.#reach(pc, this.src[pc] as number, size, false);
    const { region } = this;
    if (region.shadow !== undefined) this.#mustBeWritten(pc, region, at, size);
    if (region.kind === "stack" && at % size !== 0) this.#misaligned(pc, at, size);
    return at;
  }

  /** Where `size` bytes at r[dst] + offset stand in `view`, to be written. */
  reachStore(pc: number, size: number): number {
    const at = this.#reach(pc, this.dst[pc] as number, size, true);
    const { region } = this;
    if (region.shadow !== undefined) region.written(at, size);
    if (region.kind === "stack" && at % size !== 0) this.#misaligned(pc, at, size);
    return at;
  }

  /** As `reachStore`, for what is read as well. */
  reachAtomic(pc: number, size: number): number {
    const at = this.#reach(pc, this.dst[pc] as number, size, true);
    const { region } = this;
    if (region.shadow !== undefined) this.#mustBeWritten(pc, region, at, size);
    this.mustBeAligned(pc, at, size);
    return at;
  }

  mustBeAligned(pc: number, at: number, size: number): void {
    if (at % size !== 0) this.#misaligned(pc, at, size);
  }

  #misaligned(pc: number, at: number, size: number): never {
    this.fault(
      "MISALIGNED",
      `${size} bytes at offset ${this.#offset(this.region, at)} of ${describe(this.region)}, which is no multiple of ${size}: atomic operations and the stack want it.`,
      pc,
    );
  }

  #mustBeWritten(pc: number, region: Region, at: number, size: number): void {
    const { shadow } = region;
    if (shadow === undefined) return;
    if (size === 8 && shadow.getInt32(at) === 0x01010101 && shadow.getInt32(at + 4) === 0x01010101) return;
    if (size === 4 && shadow.getInt32(at) === 0x01010101) return;
    const first = region.unwritten(at, size);
    if (first >= 0) this.#unwritten(pc, region, at, size, first);
  }

  #unwritten(pc: number, region: Region, at: number, size: number, first: number): never {
    this.fault(
      "UNINITIALISED",
      `It reads ${size} bytes at offset ${this.#offset(region, at)} of ${describe(region)}, of which the byte at ${this.#offset(region, first)} was never written.`,
      pc,
    );
  }

  #reach(pc: number, register: number, size: number, writing: boolean): number {
    const { regs } = this;
    const base = regs[register] as number;
    const offset = this.arg[pc] as number;
    const lo = (base + offset) | 0;
    let hi = regs[register + 1] as number;
    if (offset >= 0) {
      if (lo >>> 0 < base >>> 0) hi = (hi + 1) | 0;
    } else if (lo >>> 0 > base >>> 0) hi = (hi - 1) | 0;
    const slot = (hi - FIRST_KERNEL_HALF) | 0;
    const kernel = this.#kernel;
    const region = slot >= 0 && slot < kernel.length ? kernel[slot] : undefined;
    if (region === undefined || region.dead) return this.#reachElsewhere(pc, hi, lo, size, writing);
    const at = (lo - region.lo) >>> 0;
    if (at + size > region.size) this.#outside(pc, region, at, size, writing);
    if (writing && !region.writable) this.#readOnly(pc, region);
    this.region = region;
    this.view = region.view;
    this.pointers = region.pointers;
    return at;
  }

  #reachElsewhere(pc: number, hi: number, lo: number, size: number, writing: boolean): number {
    const region = this.space.find(hi, lo);
    const at = region === undefined ? 0 : (lo - region.lo) >>> 0;
    if (region !== undefined && !region.dead && region.kind !== "user memory") {
      if (at + size > region.size) this.#outside(pc, region, at, size, writing);
      if (writing && !region.writable) this.#readOnly(pc, region);
      this.region = region;
      this.view = region.view;
      this.pointers = region.pointers;
      return at;
    }
    if (this.probing && !writing) {
      this.region = this.#zeros;
      this.view = this.#zeros.view;
      this.pointers = undefined;
      return 0;
    }
    const verb = writing ? "writes" : "reads";
    const where = hex(addressOf(hi, lo));
    if (region?.dead === true)
      this.fault("UNMAPPED", `It ${verb} ${describe(region)}, which was given back before.`, pc);
    if (region !== undefined || (isUser(hi) && (hi !== 0 || lo >>> 0 >= 0x10_0000)))
      this.fault(
        "USER_MEMORY",
        `It ${verb} at ${where}, an address of user space: programs reach it by probe_read_user alone.`,
        pc,
      );
    if (isUser(hi))
      this.fault(
        "NULL",
        `It ${verb} at ${where}: the pointer is null, and was not checked after a call that may fail.`,
        pc,
      );
    this.fault("UNMAPPED", `It ${verb} at ${where}, where there is nothing.`, pc);
  }

  #outside(pc: number, region: Region, at: number, size: number, writing: boolean): never {
    const { kind } = region;
    if (kind === "map" || kind === "function")
      this.fault(
        "OUT_OF_BOUNDS",
        `${describe(region)} is an address to hand on, with nothing to be read or written.`,
        pc,
      );
    this.fault(
      "OUT_OF_BOUNDS",
      `It ${writing ? "writes" : "reads"} ${size} bytes at offset ${this.#offset(region, at)} of ${describe(region)}, ${kind === "stack" ? `which is −${STACK_BYTES} to 0` : `which has ${region.size}`}.`,
      pc,
    );
  }

  #readOnly(pc: number, region: Region): never {
    this.fault("READ_ONLY", `It writes to ${describe(region)}, which it may only read.`, pc);
  }

  /** An offset as the program sees it: on the stack from r10. */
  #offset(region: Region, at: number): number {
    return region.kind === "stack" ? (at | 0) - STACK_BYTES : at | 0;
  }

  /** A pointer that the program loads as 32 bits; false where the offset has none. */
  loadPointer(d: number, at: number): boolean {
    const to = this.pointers?.get(at);
    if (to === undefined) return false;
    this.wide[d >> 1] = typeof to === "bigint" ? to : to.address;
    return true;
  }

  /** What the old loads from packets read. */
  packet(pc: number): Region {
    return (
      this.state.packet ??
      this.fault("BAD_ARGUMENT", "It loads from a packet, and there is none: run it with packetContext().", pc)
    );
  }

  // -------------------------------------------------------------------------------------------------------------------
  // For helpers: arguments and results. `n` is the register, 1 to 5.

  /** A register as 64 bits, unsigned. */
  u64(n: number): bigint {
    return this.wide[n] as bigint;
  }

  /** The lower half of a register, unsigned. */
  u32(n: number): number {
    return (this.regs[n * 2] as number) >>> 0;
  }

  /** The lower half of a register, signed. */
  i32(n: number): number {
    return this.regs[n * 2] as number;
  }

  isNull(n: number): boolean {
    return this.regs[n * 2] === 0 && this.regs[n * 2 + 1] === 0;
  }

  /** Puts a whole number into r0: an error as −errno, a count. */
  result(value: number): void {
    this.regs[0] = value;
    this.regs[1] = value < 0 ? Math.floor(value / 0x1_0000_0000) : value / 0x1_0000_0000;
  }

  /** Puts the address of a region, or null, into r0. */
  resultRegion(region: Region | undefined): void {
    this.regs[0] = region?.lo ?? 0;
    this.regs[1] = region?.hi ?? 0;
  }

  resultWide(value: bigint): void {
    this.wide[0] = value;
  }

  /** The bytes that an argument points to, `size` of them, all written before. Faults as a load would. */
  input(n: number, size: number): Uint8Array {
    const at = this.#argument(n, size, false);
    const { region } = this;
    const first = region.unwritten(at, size);
    if (first >= 0) this.#unwritten(this.pc, region, at, size, first);
    return region.bytes.subarray(at, at + size);
  }

  /** The bytes that an argument points to, for a helper to fill. Faults as a store would. */
  output(n: number, size: number): Uint8Array {
    const at = this.#argument(n, size, true);
    this.region.written(at, size);
    return this.region.bytes.subarray(at, at + size);
  }

  /** As `output`, but what the helper leaves unwritten stays so: it notes itself what it writes. */
  writableRoom(n: number, size: number): Uint8Array {
    const at = this.#argument(n, size, true);
    return this.region.bytes.subarray(at, at + size);
  }

  /** As `output`, for what the helper both reads and writes. */
  inOut(n: number, size: number): Uint8Array {
    this.input(n, size);
    return this.output(n, size);
  }

  /** The region that an argument points into, and the offset in it as `at`. */
  regionOf(n: number): { readonly region: Region; readonly at: number } | undefined {
    return this.space.locate(this.u64(n));
  }

  #argument(n: number, size: number, writing: boolean): number {
    const { regs, pc } = this;
    const lo = regs[n * 2] as number;
    const hi = regs[n * 2 + 1] as number;
    const region = this.space.find(hi, lo);
    if (region === undefined || region.dead || region.kind === "user memory") {
      if (hi === 0 && lo >>> 0 < 0x10_0000)
        this.fault("NULL", `Argument ${n} is null (${hex(addressOf(hi, lo))}), and must point to ${size} bytes.`);
      if (region?.dead === true)
        this.fault("UNMAPPED", `Argument ${n} points to ${describe(region)}, which was given back before.`);
      this.fault(
        isUser(hi) ? "USER_MEMORY" : "UNMAPPED",
        `Argument ${n} is ${hex(addressOf(hi, lo))}, where the kernel has no memory, and must point to ${size} bytes.`,
      );
    }
    const at = (lo - region.lo) >>> 0;
    if (at + size > region.size) this.#outside(pc, region, at, size, writing);
    if (writing && !region.writable) this.#readOnly(pc, region);
    this.region = region;
    return at;
  }

  /** Throws the fault of the instruction at `pc`, by default the call that a helper was called by. */
  fault(code: FaultCode, sentence: string, pc: number = this.pc): never {
    const { program, index, instruction, source } = this.#image.place(pc);
    throw new MachineFault(code, sentence, {
      program,
      instruction: index,
      text: instruction === undefined ? "the end" : disassemble([instruction]).trim(),
      ...(source !== undefined && { source: `${source.file}:${source.line}:${source.column}` }),
    });
  }
}

function addressOf(hi: number, lo: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

/** A region as faults name it. */
export function describe({ kind, name }: Region): string {
  switch (kind) {
    case "stack":
      return "the stack";
    case "context":
      return "the context";
    case "packet":
      return "the packet";
    case "map value":
      return `a value of map "${name}"`;
    case "map key":
      return `a key of map "${name}"`;
    case "ring record":
      return `a record of ring "${name}"`;
    case "map":
      return `map "${name}"`;
    case "function":
      return `function "${name}"`;
    default:
      return `${kind} "${name}"`;
  }
}
