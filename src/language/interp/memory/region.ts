import { joined } from "./integers.ts";

/** What a stretch of the machine's memory is; faults call it so. */
export type RegionKind =
  | "stack"
  | "context"
  | "packet"
  | "map value"
  | "map key"
  | "ring record"
  | "kernel memory"
  | "user memory"
  | "map"
  | "function";

/**
 * A stretch of memory with an address of its own. No two regions lie side by side, so that whatever leaves one is outside of
 * all. `hi` and `lo` are the halves of its address.
 */
export class Region {
  readonly kind: RegionKind;
  /** Whose it is: a map's name, a type's. */
  readonly name: string;
  readonly hi: number;
  readonly lo: number;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly size: number;
  writable: boolean;
  /** A byte of 1 for each that was written, where reading others is a fault. */
  shadow: DataView | undefined = undefined;
  /** Freed: every access is a fault that says so. */
  dead = false;
  /** Swapped out: helpers that may not sleep cannot read it. */
  resident = true;
  /** What a handle stands for: a map, the address of a function. */
  owner: unknown = undefined;
  /** Pointers that the context has where the program sees 32 bits (`xdp_md.data`), by offset. */
  pointers: ReadonlyMap<number, Region | bigint> | undefined = undefined;

  constructor(kind: RegionKind, name: string, hi: number, lo: number, bytes: Uint8Array, writable: boolean) {
    this.kind = kind;
    this.name = name;
    this.hi = hi;
    this.lo = lo;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.size = bytes.length;
    this.writable = writable;
  }

  /** The address of its first byte. */
  get address(): bigint {
    return joined(this.hi, this.lo);
  }

  /** From now on a read of what was not written since is a fault. */
  watch(): void {
    this.shadow = new DataView(new ArrayBuffer(this.size));
  }

  /** Forgets what was written. */
  forget(): void {
    const { shadow } = this;
    if (shadow !== undefined) new Uint8Array(shadow.buffer).fill(0);
  }

  /** Notes that bytes were written. */
  written(at: number, length: number): void {
    const { shadow } = this;
    if (shadow === undefined) return;
    if (length === 8) {
      shadow.setInt32(at, 0x01010101);
      shadow.setInt32(at + 4, 0x01010101);
    } else if (length === 4) shadow.setInt32(at, 0x01010101);
    else new Uint8Array(shadow.buffer, at, length).fill(1);
  }

  /** The first of these bytes that was not written; −1 when all were. */
  unwritten(at: number, length: number): number {
    const { shadow } = this;
    if (shadow === undefined) return -1;
    for (let i = at; i < at + length; i++) if (shadow.getUint8(i) === 0) return i;
    return -1;
  }
}
