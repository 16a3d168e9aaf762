import { disassemble } from "../../../object/asm/index.ts";
import { type FaultCode, MachineFault } from "../machine-fault.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { Region } from "../memory/region.ts";
import type { Helper, Image } from "./image.ts";
import { MemoryAccess, STACK_BYTES } from "./memory-access.ts";
import type { RunState, Step } from "./run-state.ts";

/** Carries out the instruction at `pc`; where the next one is, or −1 when the function that was begun has ended. */
export type Handler = (cpu: Cpu, pc: number) => number;

/** MAX_CALL_FRAMES of the kernel, for each program. */
const MOST_FRAMES = 8;
/** A program that goes on in another by a tail call may have called functions before: 33 times. */
const ALL_FRAMES = MOST_FRAMES * 34;
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

/** Runs programs: the call stack, the loop over instructions, and what helpers see of both. */
export class Cpu extends MemoryAccess {
  readonly little: boolean;
  readonly #image: Image;
  readonly #options: CpuOptions;
  readonly #frames: Region[] = [];
  readonly #saved = new Int32Array(ALL_FRAMES * KEPT_HALVES);
  readonly #returns = new Int32Array(ALL_FRAMES);
  /** How often each frame has passed a `may_goto`. */
  readonly #turns = new Int32Array(ALL_FRAMES);
  /** How deep in calls of its own program each frame is. */
  readonly #levels = new Int32Array(ALL_FRAMES);
  /** Where a tail call goes on. */
  tail = -1;
  /** Instructions that the run has left. */
  fuel = 0;
  #state: RunState | undefined;
  #depth = 0;

  constructor(image: Image, space: AddressSpace, options: CpuOptions) {
    super(image, space, options.checked);
    this.#image = image;
    this.#options = options;
    this.little = options.little;
  }

  /** Runs a program from its beginning: r0 at the end. */
  run(entry: number, state: RunState, contextSize: number | undefined): bigint {
    const { regs } = this;
    const { checked } = this;
    const { maxInstructions } = this.#options;
    this.fuel = maxInstructions;
    const { context } = state;
    this.#state = state;
    this.#depth = 0;
    this.tail = -1;
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
    const level = depth === 0 ? 0 : (this.#levels[depth - 1] as number) + 1;
    if (level >= MOST_FRAMES || depth >= ALL_FRAMES)
      this.fault("CALL_DEPTH", `Calls are nested more than ${MOST_FRAMES} deep, which the kernel does not allow.`);
    const frame = this.#frames[depth] ?? this.#newFrame(depth);
    this.#clear(frame);
    const saved = this.#saved;
    const at = depth * KEPT_HALVES;
    for (let i = 0; i < KEPT_HALVES; i++) saved[at + i] = regs[KEPT + i] as number;
    this.#returns[depth] = back;
    this.#turns[depth] = 0;
    this.#levels[depth] = level;
    this.#depth = depth + 1;
    regs[FRAME_POINTER] = frame.lo + STACK_BYTES;
    regs[FRAME_POINTER + 1] = frame.hi;
  }

  /** A frame begins as nobody wrote it, or as zeros. */
  #clear(frame: Region): void {
    if (this.checked) frame.forget();
    else frame.bytes.fill(0);
  }

  #newFrame(depth: number): Region {
    const frame = this.space.add("stack", `frame ${depth}`, new Uint8Array(STACK_BYTES), true);
    if (this.checked) frame.watch();
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

  /** Instructions that the run has run. */
  get instructions(): number {
    return this.#options.maxInstructions - this.fuel;
  }

  /** The run that goes on. */
  get state(): RunState {
    return this.#state as RunState;
  }

  /** Begins another program in the frame that is there, as a tail call does. */
  renew(entry: number): void {
    const at = this.#depth - 1;
    this.#clear(this.#frames[at] as Region);
    this.#turns[at] = 0;
    this.#levels[at] = 0;
    this.tail = entry;
  }

  /** What the old loads from packets read. */
  packet(pc: number): Region {
    return (
      this.state.packet ??
      this.fault("BAD_ARGUMENT", "It loads from a packet, and there is none: run it with packetContext().", pc)
    );
  }

  helper(index: number): Helper {
    return this.#image.helpers[index] as Helper;
  }

  helperById(id: number): Helper {
    return this.#options.helper(id);
  }

  /** Counts a `may_goto` of the function that runs: how often before. */
  turn(): number {
    const at = this.#depth - 1;
    const turns = this.#turns[at] as number;
    this.#turns[at] = turns + 1;
    return turns;
  }

  /** r1 to r5 after a call: what was in them is gone. */
  clobber(): void {
    if (!this.checked) return;
    const { regs } = this;
    for (let i = 2; i < KEPT; i += 2) {
      regs[i] = POISON_LOW;
      regs[i + 1] = POISON_HIGH;
    }
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
    const at = this.argument(n, size, false);
    const { region } = this;
    const first = this.checked ? region.unwritten(at, size) : -1;
    if (first >= 0) this.unwritten(this.pc, region, at, size, first);
    return region.bytes.subarray(at, at + size);
  }

  /** The bytes that an argument points to, for a helper to fill. Faults as a store would. */
  output(n: number, size: number): Uint8Array {
    const at = this.argument(n, size, true);
    this.region.written(at, size);
    return this.region.bytes.subarray(at, at + size);
  }

  /** As `output`, but what the helper leaves unwritten stays so: it notes itself what it writes. */
  writableRoom(n: number, size: number): Uint8Array {
    const at = this.argument(n, size, true);
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

  /** Throws the fault of the instruction at `pc`, by default the call that a helper was called by. */
  override fault(code: FaultCode, sentence: string, pc: number = this.pc): never {
    const { program, index, instruction } = this.#image.place(pc);
    const source = this.#image.source(pc);
    throw new MachineFault(code, sentence, {
      program,
      instruction: index,
      text: instruction === undefined ? "the end" : disassemble([instruction]).trim(),
      ...(source !== undefined && { source: `${source.file}:${source.line}:${source.column}` }),
    });
  }
}
