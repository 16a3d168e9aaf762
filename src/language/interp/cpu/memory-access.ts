import type { FaultCode } from "../machine-fault.ts";
import { type AddressSpace, FIRST_KERNEL_HALF, hex, isUser } from "../memory/address-space.ts";
import { joined } from "../memory/integers.ts";
import { Region } from "../memory/region.ts";
import type { Image } from "./image.ts";

/** Bytes of a frame. */
export const STACK_BYTES = 512;
/** Addresses below are null, and a member behind it. */
const NEAR_NULL = 0x10_0000;

/**
 * The registers, and the way from an address in them to memory: which region it is in, whether it is within it, whether it
 * may be read or written. Registers are pairs of 32-bit halves in `regs`, lower half first; `wide` is the same memory in 64
 * bits. Behind r10 stand the constants of all programs, so that an operand is always a register.
 */
export abstract class MemoryAccess {
  readonly regs: Int32Array;
  readonly wide: BigUint64Array;
  readonly dst: Int32Array;
  readonly src: Int32Array;
  readonly arg: Int32Array;
  readonly space: AddressSpace;
  /** Reads of what nobody wrote are faults. */
  readonly checked: boolean;
  readonly #kernel: (Region | undefined)[];
  readonly #zeros = new Region("kernel memory", "nothing", 0, 0, new Uint8Array(8), false);
  /** The region that the last access was in, and its view. */
  region: Region = this.#zeros;
  view: DataView = this.#zeros.view;
  pointers: Region["pointers"] = undefined;
  /** The call that a helper was called by. */
  pc = 0;
  /** Reads of null and of unmapped kernel addresses give 0, as reads through BTF pointers do in the kernel. */
  probing = false;

  constructor(image: Image, space: AddressSpace, checked: boolean) {
    this.checked = checked;
    this.space = space;
    this.#kernel = space.kernel;
    this.dst = image.dst;
    this.src = image.src;
    this.arg = image.arg;
    this.regs = image.makeRegisters();
    this.wide = new BigUint64Array(this.regs.buffer);
  }

  /** Throws the fault of the instruction at `pc`, by default the call that a helper was called by. */
  abstract fault(code: FaultCode, sentence: string, pc?: number): never;

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
    if (shadow === undefined || !this.checked) return;
    if (size === 8 && shadow.getInt32(at) === 0x01010101 && shadow.getInt32(at + 4) === 0x01010101) return;
    if (size === 4 && shadow.getInt32(at) === 0x01010101) return;
    const first = region.unwritten(at, size);
    if (first >= 0) this.unwritten(pc, region, at, size, first);
  }

  protected unwritten(pc: number, region: Region, at: number, size: number, first: number): never {
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
    const where = hex(joined(hi, lo));
    if (region?.dead === true)
      this.fault("UNMAPPED", `It ${verb} ${describe(region)}, which was given back before.`, pc);
    if (region !== undefined || (isUser(hi) && (hi !== 0 || lo >>> 0 >= NEAR_NULL)))
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

  /** Where `size` bytes at r[n] stand in `region`; the faults are of the call at `pc`. */
  protected argument(n: number, size: number, writing: boolean): number {
    const { regs, pc } = this;
    const lo = regs[n * 2] as number;
    const hi = regs[n * 2 + 1] as number;
    const region = this.space.find(hi, lo);
    if (region === undefined || region.dead || region.kind === "user memory") {
      if (hi === 0 && lo >>> 0 < NEAR_NULL)
        this.fault("NULL", `Argument ${n} is null (${hex(joined(hi, lo))}), and must point to ${size} bytes.`);
      if (region?.dead === true)
        this.fault("UNMAPPED", `Argument ${n} points to ${describe(region)}, which was given back before.`);
      this.fault(
        isUser(hi) ? "USER_MEMORY" : "UNMAPPED",
        `Argument ${n} is ${hex(joined(hi, lo))}, where the kernel has no memory, and must point to ${size} bytes.`,
      );
    }
    const at = (lo - region.lo) >>> 0;
    if (at + size > region.size) this.#outside(pc, region, at, size, writing);
    if (writing && !region.writable) this.#readOnly(pc, region);
    this.region = region;
    return at;
  }
}

/** A region as faults name it. */
function describe({ kind, name }: Region): string {
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
