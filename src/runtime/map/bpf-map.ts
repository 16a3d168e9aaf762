import { isPerCpu, type MapTypeName } from "../../object/spec/index.ts";
import {
  allocate,
  BpfAttr,
  BpfCommand,
  type BpfCommandName,
  ClosedError,
  type Fd,
  getArena,
  native,
  nr,
  Pins,
  release,
  type Slot,
  SystemError,
} from "../sys/index.ts";
import { possibleCpus } from "./possible-cpus.ts";

/** What a live map is, as the kernel has it. Sizes in bytes. */
export interface MapInfo {
  readonly type: MapTypeName;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** When an update may happen: always, only for a new key, only for a key that is there (bpf(2), BPF_MAP_UPDATE_ELEM). */
export type UpdateMode = "any" | "noexist" | "exist";

/** How a value is looked up. */
export interface LookupOptions {
  /** Copies the value under its `bpf_spin_lock`: it is never half changed (BPF_F_LOCK; hashes and arrays, Linux 5.1). */
  readonly lock?: boolean;
}

/** How a value is written: whether its key must be there already, or must not. */
export interface UpdateOptions {
  readonly mode?: UpdateMode;
  /** Writes the value under its `bpf_spin_lock` (BPF_F_LOCK; hashes and arrays, Linux 5.1). */
  readonly lock?: boolean;
}

const UPDATE_FLAG: Readonly<Record<UpdateMode, number>> = { any: 0, noexist: 1, exist: 2 };
const LOCK = 4;

const ENOENT = 2;
const E2BIG = 7;
const EINVAL = 22;
const EOPNOTSUPP = 95;
const ENOTSUPP = 524;
const ATTR_SIZE = 32;
/** For deleting the attributes end with the key: a pointer to a value behind it is EINVAL. */
const DELETE_ATTR_SIZE = 16;

/** Whether all keys from 0 on are there from the beginning, and none can go. */
export function isArray(type: MapTypeName): boolean {
  return type === "array" || type === "percpu_array";
}

/**
 * A live map and the descriptor that keeps it. Works on raw bytes; `KeyedMap` gives typed keys and values.
 * Whoever created or opened it closes it (`close()` or `using`); the kernel frees the map when neither a descriptor,
 * a loaded program nor a pin refers to it.
 */
export class BpfMap {
  readonly info: MapInfo;
  readonly fd: Fd;
  /** Bytes a value takes in user memory: for per-CPU maps one 8-aligned value for each possible CPU. */
  readonly valueStride: number;
  readonly valueBytes: number;
  /** Two attribute blocks (the second for iterating), key, next key and value side by side in pinned memory: a call allocates nothing. */
  protected readonly slot: Slot;
  protected readonly keyOffset: number;
  protected readonly nextKeyOffset: number;
  protected readonly valueOffset: number;
  /** Queues, stacks and bloom filters have no key: the kernel wants NULL then. */
  readonly #keyAddress: bigint;
  /** Where it is pinned, as far as this object knows. */
  readonly pins: Pins = new Pins();
  #closed = false;

  constructor(fd: Fd, info: MapInfo) {
    this.fd = fd;
    this.info = info;
    this.valueStride = isPerCpu(info.type) ? Math.ceil(info.valueSize / 8) * 8 : info.valueSize;
    this.valueBytes = isPerCpu(info.type) ? this.valueStride * possibleCpus() : info.valueSize;
    const key = Math.ceil(Math.max(info.keySize, 8) / 8) * 8;
    const slot = allocate(2 * ATTR_SIZE + 2 * key + this.valueBytes);
    this.slot = slot;
    this.keyOffset = slot.offset + 2 * ATTR_SIZE;
    this.nextKeyOffset = this.keyOffset + key;
    this.valueOffset = this.nextKeyOffset + key;
    this.#keyAddress = info.keySize === 0 ? 0n : BigInt(slot.address + 2 * ATTR_SIZE);
    this.#point(0, this.#keyAddress, this.valueOffset);
    this.#point(ATTR_SIZE, this.#keyAddress, this.nextKeyOffset);
  }

  get name(): string {
    return this.info.name;
  }

  /** A copy of the value at `key`, or undefined. Both in the kernel's own bytes. */
  getRaw(key: Uint8Array, options?: LookupOptions): Uint8Array | undefined {
    this.#setKey(key);
    return this.lookup(options) ? this.#copyOfValue() : undefined;
  }

  /** Writes a value in the kernel's own bytes. Throws SystemError EEXIST/ENOENT as `mode` asks, E2BIG when it is full. */
  setRaw(key: Uint8Array, value: Uint8Array, mode: UpdateMode | UpdateOptions = "any"): void {
    this.#setKey(key);
    if (value.length !== this.valueBytes) {
      throw new RangeError(`A value of map "${this.name}" is ${this.valueBytes} bytes, not ${value.length}.`);
    }
    this.slot.memory.u8.set(value, this.valueOffset);
    this.update(mode);
  }

  /** Removes a key; false when it was not there. */
  deleteRaw(key: Uint8Array): boolean {
    this.#setKey(key);
    return this.remove();
  }

  /** Removes a key and returns its value, as one step: nobody else gets it (Linux 5.14 for hashes). */
  takeRaw(key: Uint8Array): Uint8Array | undefined {
    this.#setKey(key);
    return this.lookupAndDelete() ? this.#copyOfValue() : undefined;
  }

  /**
   * From now on user space cannot change the map, by this or any other descriptor (BPF_MAP_FREEZE, Linux 5.2); programs
   * can, unless it was made with `MapFlag.rdonly_prog`. There is no way back. Throws SystemError EBUSY while it is mapped
   * writable, and EBUSY or EPERM, as the kernel is, when it is frozen already.
   */
  freeze(): void {
    const result = new BpfAttr().u32(0, this.fd.number).call("BPF_MAP_FREEZE");
    if (result < 0) throw this.failure("BPF_MAP_FREEZE", -result, `make map "${this.name}" read-only`);
  }

  /** Pins the map at a path in a bpffs, where it stays when this process is gone, until the file is removed. */
  pin(path: string): void {
    this.pins.pin(this.fd, path, `map "${this.name}"`);
  }

  /** Removes the files it was pinned at or opened from by this object; the map lives on while somebody holds it. */
  unpin(): void {
    this.pins.unpin();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.fd.close();
    release(this.slot);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Looks the key in the slot up; the value is in the slot then. False when it is not there. */
  protected lookup(options?: LookupOptions): boolean {
    const result = this.element(BpfCommand.BPF_MAP_LOOKUP_ELEM, options?.lock === true ? LOCK : 0);
    if (result === 0) return true;
    if (result === -ENOENT) return false;
    throw this.failure("BPF_MAP_LOOKUP_ELEM", -result, `look up a key of map "${this.name}"`);
  }

  /** Looks the key in the slot up and removes it; the value is in the slot then. False when it is not there. */
  protected lookupAndDelete(): boolean {
    const result = this.element(BpfCommand.BPF_MAP_LOOKUP_AND_DELETE_ELEM);
    if (result === 0) return true;
    if (result === -ENOENT) return false;
    const hint =
      result === -EOPNOTSUPP || result === -ENOTSUPP || result === -EINVAL
        ? `Maps of type ${this.info.type} cannot do so on this kernel: queues and stacks can since Linux 4.20, hashes since 5.14. Look the key up and delete it, where nobody else changes it in between.`
        : undefined;
    throw this.failure("BPF_MAP_LOOKUP_AND_DELETE_ELEM", -result, `take a key out of map "${this.name}"`, hint);
  }

  protected update(options: UpdateMode | UpdateOptions): void {
    const flags =
      typeof options === "string"
        ? UPDATE_FLAG[options]
        : UPDATE_FLAG[options.mode ?? "any"] | (options.lock === true ? LOCK : 0);
    const result = this.element(BpfCommand.BPF_MAP_UPDATE_ELEM, flags);
    if (result === 0) return;
    const hint = result === -E2BIG ? `The map is full: it holds at most ${this.info.maxEntries} entries.` : undefined;
    throw this.failure("BPF_MAP_UPDATE_ELEM", -result, `update a key of map "${this.name}"`, hint);
  }

  protected remove(): boolean {
    const result = this.element(BpfCommand.BPF_MAP_DELETE_ELEM, 0, DELETE_ATTR_SIZE);
    if (result === 0) return true;
    if (result === -ENOENT) return false;
    throw this.failure("BPF_MAP_DELETE_ELEM", -result, `delete a key of map "${this.name}"`);
  }

  /** Puts the key after the one in the slot (the first one when `first`) into the slot's key; false at the end. */
  protected nextKey(first: boolean): boolean {
    this.#checkOpen();
    if (first) this.#point(ATTR_SIZE, 0n, this.nextKeyOffset);
    const result = this.element(BpfCommand.BPF_MAP_GET_NEXT_KEY, 0, ATTR_SIZE, ATTR_SIZE);
    if (first) this.#point(ATTR_SIZE, this.#keyAddress, this.nextKeyOffset);
    if (result === -ENOENT) return false;
    if (result < 0) throw this.failure("BPF_MAP_GET_NEXT_KEY", -result, `iterate over map "${this.name}"`);
    this.#copyNextKey();
    return true;
  }

  /** Keeps the slot's key, in words. */
  protected copyKey(to: Int32Array): void {
    const { i32 } = this.slot.memory;
    const from = this.keyOffset >>> 2;
    for (let i = 0; i < to.length; i++) to[i] = i32[from + i] as number;
  }

  /** Makes `key`, as `copyKey` kept it, the one that `nextKey` goes on from and `lookup` looks at. */
  protected moveTo(key: Int32Array): void {
    this.#checkOpen();
    const { i32 } = this.slot.memory;
    const to = this.keyOffset >>> 2;
    for (let i = 0; i < key.length; i++) i32[to + i] = key[i] as number;
  }

  /** One element command on the prepared attribute block: no allocation, all arguments already in pinned memory. */
  protected element(command: number, flags = 0, size = ATTR_SIZE, at = 0): number {
    const { slot } = this;
    const attr = slot.memory.i32;
    // First of all, because it throws when the map is closed: the slot may be another map's by then.
    attr[(slot.offset + at) >>> 2] = this.fd.number;
    attr[(slot.offset + at + 24) >>> 2] = flags;
    const block = getArena().memory.i32;
    // The six argument words follow the call number; the high halves of all but the pointer stay zero.
    block[0] = nr.bpf;
    block[2] = command;
    const address = slot.address + at;
    block[4] = address | 0;
    block[5] = Math.floor(address / 0x100000000);
    block[6] = size;
    return native().arenaSyscall();
  }

  protected failure(command: BpfCommandName, errno: number, doing: string, hint?: string): SystemError {
    return new SystemError({ errno, syscall: `bpf(${command})`, doing, hint, needs: ["CAP_BPF"] });
  }

  #copyOfValue(): Uint8Array {
    return this.slot.memory.u8.slice(this.valueOffset, this.valueOffset + this.valueBytes);
  }

  #checkOpen(): void {
    if (this.#closed) throw new ClosedError(this.fd.what);
  }

  #setKey(key: Uint8Array): void {
    this.#checkOpen();
    if (key.length !== this.info.keySize) {
      throw new RangeError(`A key of map "${this.name}" is ${this.info.keySize} bytes, not ${key.length}.`);
    }
    this.slot.memory.u8.set(key, this.keyOffset);
  }

  /** Fills the pointers of the attribute block at `block`: the key's, and the value's or the next key's. */
  #point(block: number, key: bigint, target: number): void {
    const { memory, offset, address } = this.slot;
    memory.view.setBigUint64(offset + block + 8, key, true);
    memory.view.setBigUint64(offset + block + 16, BigInt(address + target - offset), true);
  }

  /** Words, because most keys have one or two of them: a call that copies bytes costs more than they do. */
  #copyNextKey(): void {
    const { i32 } = this.slot.memory;
    const from = this.nextKeyOffset >>> 2;
    const to = this.keyOffset >>> 2;
    for (let i = (this.info.keySize + 3) >>> 2; i-- > 0; ) i32[to + i] = i32[from + i] as number;
  }
}
