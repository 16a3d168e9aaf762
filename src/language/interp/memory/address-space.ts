import { MachineError } from "../machine-fault.ts";
import { highHalf, lowHalf } from "./integers.ts";
import { Region, type RegionKind } from "./region.ts";

/** High half of the first kernel address: where the kernel's half begins with five levels of page tables. */
const KERNEL = 0xff00_0000 | 0;
/** High half of the first user address that is handed out. */
const USER = 0x0000_5600;
const MOST_KERNEL = 0x00ff_ffff;
const MOST_USER = 0x2900;
/** Where regions begin in their 4 GiB: far from both ends, so that no offset leads from one to the next. */
const START = 0x1000_0000;

/**
 * 64-bit addresses and what is there. Each region has 4 GiB of addresses to itself: the high half of an address says which it
 * is, and neither an offset of 16 bits nor an index of 28 leads from one to another.
 */
export class AddressSpace {
  /** By the high half of the address less that of the first kernel address. */
  readonly kernel: (Region | undefined)[] = [];
  readonly #user: (Region | undefined)[] = [];
  /** At addresses that somebody chose. */
  readonly #placed: Region[] = [];
  readonly #free: number[] = [];

  /** Gives `bytes` a kernel address. They stay shared with the caller. */
  add(kind: RegionKind, name: string, bytes: Uint8Array, writable: boolean): Region {
    const slot = this.#free.pop() ?? this.kernel.length;
    if (slot > MOST_KERNEL)
      throw new MachineError(`The machine's address space is full: it has room for ${MOST_KERNEL} pieces of memory.`);
    const region = new Region(kind, name, (KERNEL + slot) | 0, START, bytes, writable);
    this.kernel[slot] = region;
    return region;
  }

  /** Gives `bytes` a user address. */
  addUser(name: string, bytes: Uint8Array): Region {
    const slot = this.#user.length;
    if (slot > MOST_USER)
      throw new MachineError(`The machine's user memory is full: it has room for ${MOST_USER} pieces.`);
    const region = new Region("user memory", name, USER + slot, START, bytes, false);
    this.#user.push(region);
    return region;
  }

  /** Puts `bytes` at an address of the caller's. Throws MachineError when something is there, or within 4 GiB it does not fit. */
  place(kind: RegionKind, name: string, address: bigint, bytes: Uint8Array, writable: boolean): Region {
    const first = BigInt.asUintN(64, address);
    const end = first + BigInt(bytes.length);
    if (first < 4096n) throw new MachineError(`Nothing can be at ${hex(first)}: the first page is kept free for null.`);
    if (first >> 32n !== (end - 1n) >> 32n)
      throw new MachineError(`${bytes.length} bytes at ${hex(first)} cross a border of 4 GiB: put them elsewhere.`);
    for (const other of this.#placed)
      if (first < other.address + BigInt(other.size) && other.address < end)
        throw new MachineError(`At ${hex(first)} there is memory already ("${other.name}").`);
    const hi = highHalf(first);
    const lo = lowHalf(first);
    if (this.find(hi, lo) !== undefined) throw new MachineError(`At ${hex(first)} there is memory already.`);
    const region = new Region(kind, name, hi, lo, bytes, writable);
    this.#placed.push(region);
    return region;
  }

  /** The region that an address belongs to, also where it is beyond the region's end. */
  find(hi: number, lo: number): Region | undefined {
    const slot = (hi - KERNEL) | 0;
    if (slot >= 0 && slot < this.kernel.length) {
      const region = this.kernel[slot];
      if (region !== undefined) return region;
    }
    return this.elsewhere(hi, lo);
  }

  /** As `find`, for what is not in `kernel`. */
  elsewhere(hi: number, lo: number): Region | undefined {
    for (const region of this.#placed)
      if (region.hi === hi && (lo - region.lo) >>> 0 < Math.max(1, region.size)) return region;
    return this.#user[hi - USER];
  }

  /** The region at an address, and the offset in it; undefined where there is none or the address is outside of it. */
  locate(address: bigint): { readonly region: Region; readonly at: number } | undefined {
    const lo = lowHalf(address);
    const region = this.find(highHalf(address), lo);
    if (region === undefined || region.dead) return undefined;
    const at = (lo - region.lo) >>> 0;
    return at <= region.size ? { region, at } : undefined;
  }

  /** Takes a kernel region's address back; it may be given to another. */
  remove(region: Region): void {
    const slot = (region.hi - KERNEL) | 0;
    if (this.kernel[slot] !== region) return;
    this.kernel[slot] = undefined;
    this.#free.push(slot);
  }
}

/** Whether the high half of an address says that it is user space's. */
export function isUser(hi: number): boolean {
  return hi >= 0;
}

/** An address as people write it. */
export function hex(address: bigint): string {
  return `0x${BigInt.asUintN(64, address).toString(16)}`;
}

export { KERNEL as FIRST_KERNEL_HALF };
