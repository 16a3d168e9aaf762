import { MachineMap } from "./machine-map.ts";

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
