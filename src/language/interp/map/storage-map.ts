import type { Region } from "../memory/region.ts";
import { ENOENT } from "./errno.ts";
import { Codec, MachineMap, type MapPlace } from "./machine-map.ts";

/** Memory that belongs to kernel objects: tasks, sockets, inodes, cgroups. Its keys are their addresses. */
export class StorageMachineMap<V = unknown> extends MachineMap {
  readonly #values = new Map<bigint, { readonly bytes: Uint8Array; region: Region | undefined }>();
  readonly #codec: Codec<V>;

  /** Made by a `Machine`. */
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
    const fresh = !this.#values.has(owner);
    if (fresh && !create) return undefined;
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
