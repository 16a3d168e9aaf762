import type { Region } from "../memory/region.ts";
import { E2BIG, EEXIST, EFAULT, EINVAL, ENOENT } from "./errno.ts";
import { Codec, MachineMap, type MapPlace } from "./machine-map.ts";

const ADDRESS = 8;
const REUSE = 1 << 10;
const FAST = 1 << 9;

/** Stacks by number, as `get_stackid` keeps them: `get(id)` has the addresses, innermost first. */
export class StackTraceMachineMap extends MachineMap {
  readonly #stacks = new Map<number, readonly bigint[]>();

  /** The stack of an id that `get_stackid` gave; undefined when there is none. */
  get(id: number): readonly bigint[] | undefined {
    return this.#stacks.get(id);
  }

  /** Removes a stack; whether it was there. */
  delete(id: number): boolean {
    return this.#stacks.delete(id);
  }

  /** All stacks by id. */
  entries(): IterableIterator<[number, readonly bigint[]]> {
    return this.#stacks.entries();
  }

  /** As `entries()`. */
  [Symbol.iterator](): IterableIterator<[number, readonly bigint[]]> {
    return this.entries();
  }

  /** How many stacks there are. */
  get size(): number {
    return this.#stacks.size;
  }

  /** @internal The id of a stack, or −errno. */
  _keep(stack: readonly bigint[], flags: number): number {
    const kept = stack.slice(0, Math.floor(this.valueSize / ADDRESS));
    if (kept.length === 0) return EFAULT;
    let hash = 0x811c9dc5;
    for (const address of kept) {
      hash = Math.imul(hash ^ Number(BigInt.asUintN(32, address)), 0x01000193);
      hash = Math.imul(hash ^ Number(BigInt.asUintN(32, address >> 32n)), 0x01000193);
    }
    const id = (hash >>> 0) % this.maxEntries;
    const there = this.#stacks.get(id);
    if (there !== undefined) {
      const same = there.length === kept.length && there.every((address, i) => address === kept[i]);
      if (same || (flags & FAST) !== 0) return id;
      if ((flags & REUSE) === 0) return EEXIST;
    }
    this.#stacks.set(id, kept);
    return id;
  }
}

/** Memory that belongs to kernel objects: tasks, sockets, inodes, cgroups. Its keys are their addresses. */
export class StorageMachineMap<V = unknown> extends MachineMap {
  readonly #values = new Map<bigint, { readonly bytes: Uint8Array; region: Region | undefined }>();
  readonly #codec: Codec<V>;

  /** @internal */
  constructor(place: MapPlace) {
    super(place);
    this.#codec = new Codec<V>(place.value, this.valueSize);
  }

  /** What belongs to the object at an address (`world.task` is the current one); undefined when nothing. */
  get(owner: bigint): V | undefined {
    const found = this.#values.get(BigInt.asUintN(64, owner));
    return found === undefined ? undefined : this.#codec.decode(found.bytes);
  }

  /** Sets what belongs to the object at an address. */
  set(owner: bigint, value: V): void {
    this.#at(owner).bytes.set(this.#codec.encode(value));
  }

  /** Removes what belongs to the object; whether it had something. */
  delete(owner: bigint): boolean {
    return this._remove(owner) === 0;
  }

  /** All values by the address of their owners. */
  *entries(): IterableIterator<[bigint, V]> {
    for (const [owner, { bytes }] of [...this.#values]) yield [owner, this.#codec.decode(bytes)];
  }

  /** As `entries()`. */
  [Symbol.iterator](): IterableIterator<[bigint, V]> {
    return this.entries();
  }

  /** How many objects have a value. */
  get size(): number {
    return this.#values.size;
  }

  /** @internal The value's memory; made from `initial` where `create` says so. */
  _region(owner: bigint, create: boolean, initial: Uint8Array | undefined): Region | undefined {
    if (!create && !this.#values.has(owner)) return undefined;
    const fresh = !this.#values.has(owner);
    const value = this.#at(owner);
    if (fresh && initial !== undefined) value.bytes.set(initial);
    value.region ??= this._place.space.add("map value", this.name, value.bytes, this._writable);
    return value.region;
  }

  /** @internal */
  _remove(owner: bigint): number {
    const key = BigInt.asUintN(64, owner);
    const value = this.#values.get(key);
    if (value === undefined) return ENOENT;
    if (value.region !== undefined) this._place.bury(value.region);
    this.#values.delete(key);
    return 0;
  }

  #at(owner: bigint): { readonly bytes: Uint8Array; region: Region | undefined } {
    const key = BigInt.asUintN(64, owner);
    let value = this.#values.get(key);
    if (value === undefined) {
      value = { bytes: new Uint8Array(this.valueSize), region: undefined };
      this.#values.set(key, value);
    }
    return value;
  }
}

/** A perf buffer: what `perf_event_output` put into it, in order, until `records()` takes it out. */
export class PerfMachineMap extends MachineMap {
  #records: { readonly cpu: number; readonly bytes: Uint8Array }[] = [];

  /** Takes the records out, with the CPU whose buffer they went to. */
  records(): { readonly cpu: number; readonly bytes: Uint8Array }[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  /** @internal */
  _output(cpu: number, bytes: Uint8Array): number {
    if (cpu >= this.maxEntries && this.maxEntries !== 0) return E2BIG;
    this.#records.push({ cpu, bytes: bytes.slice() });
    return 0;
  }
}

/** Queues and stacks of values. */
export class QueueMachineMap<V = unknown> extends MachineMap {
  #values: Uint8Array[] = [];
  readonly #codec: Codec<V>;

  /** @internal */
  constructor(place: MapPlace) {
    super(place);
    this.#codec = new Codec<V>(place.value, this.valueSize);
  }

  /** Puts a value in. Throws RangeError when the map is full. */
  push(value: V): void {
    if (this._push(this.#codec.encode(value), 0) !== 0)
      throw new RangeError(`Map "${this.name}" has room for ${this.maxEntries} values, and no more.`);
  }

  /** Takes the next value out: a queue's oldest, a stack's newest; undefined when it is empty. */
  pop(): V | undefined {
    const bytes = this._next(true);
    return bytes === undefined ? undefined : this.#codec.decode(bytes);
  }

  /** The next value, left where it is. */
  peek(): V | undefined {
    const bytes = this._next(false);
    return bytes === undefined ? undefined : this.#codec.decode(bytes);
  }

  /** How many values there are. */
  get size(): number {
    return this.#values.length;
  }

  /** @internal */
  _push(value: Uint8Array, flags: number): number {
    const EXIST = 2;
    if ((flags & ~EXIST) !== 0) return EINVAL;
    if (this.#values.length >= this.maxEntries) {
      if (flags !== EXIST) return E2BIG;
      // Makes room: the oldest value goes.
      this.#values.shift();
    }
    this.#values.push(value.slice());
    return 0;
  }

  /** @internal */
  _next(take: boolean): Uint8Array | undefined {
    const stack = this.spec.type === "stack";
    const bytes = stack ? this.#values.at(-1) : this.#values[0];
    if (take && bytes !== undefined) {
      if (stack) this.#values.pop();
      else this.#values.shift();
    }
    return bytes;
  }
}

/** Programs by number, for tail calls: `set(index, name)` puts a program of the object in. */
export class ProgramMachineMap extends MachineMap {
  readonly #programs = new Map<number, string>();

  /** The name of the program in a slot. */
  get(index: number): string | undefined {
    return this.#programs.get(index);
  }

  /** Puts a program of the object, by its name, into a slot. Throws RangeError for a slot that there is not. */
  set(index: number, program: string): void {
    if (!Number.isInteger(index) || index < 0 || index >= this.maxEntries)
      throw new RangeError(`Map "${this.name}" has the slots 0 to ${this.maxEntries - 1}, and no ${index}.`);
    this.#programs.set(index, program);
  }

  /** Empties a slot; whether something was in it. */
  delete(index: number): boolean {
    return this.#programs.delete(index);
  }
}

/** Arrays and hashes of maps: a lookup gives the map inside. */
export class MapOfMachineMaps extends MachineMap {
  readonly #inner = new Map<string, MachineMap>();

  /** The map of a key: a number in an array, bytes in a hash. */
  get(key: number | Uint8Array): MachineMap | undefined {
    return this.#inner.get(keyName(key));
  }

  /** Puts a map of the machine in. Throws RangeError when there is no room. */
  set(key: number | Uint8Array, map: MachineMap): void {
    const name = keyName(key);
    const isArray = this.spec.type === "array_of_maps";
    const full = isArray
      ? Number(key) >= this.maxEntries
      : !this.#inner.has(name) && this.#inner.size >= this.maxEntries;
    if (full) throw new RangeError(`Map "${this.name}" has room for ${this.maxEntries} maps, and no more.`);
    this.#inner.set(name, map);
  }

  /** Takes a map out; whether it was in. */
  delete(key: number | Uint8Array): boolean {
    return this.#inner.delete(keyName(key));
  }
}

function keyName(key: number | Uint8Array): string {
  if (typeof key !== "number") return key.join(",");
  return new Uint8Array(Uint32Array.of(key).buffer).join(",");
}
