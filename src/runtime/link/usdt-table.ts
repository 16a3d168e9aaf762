import type { StructLayout } from "../../object/codec/index.ts";
import type { UsdtArgument } from "../../object/elf/index.ts";
import {
  USDT_ADDRESSES as ADDRESSES,
  encodeUsdtSpec,
  USDT_SPECS as SPECS,
  UsdtError,
  usdtSpecLayout,
} from "../../object/spec/index.ts";
import { type BpfMap, KeyedMap, mapDetails } from "../map/index.ts";
import { wordBytes } from "./words.ts";

interface Counted {
  readonly id: number;
  uses: number;
}

/**
 * The tables of one object: descriptions of arguments by number, which the program gets as its cookie, and before Linux 5.15
 * the numbers by address. Equal descriptions share a number; it is free again when the last attachment with it is closed.
 */
export class UsdtTable {
  static readonly #tables = new Map<number, UsdtTable>();

  /** The table of an object with these maps; undefined for one that has none. Throws UsdtError for maps that are no such. */
  static of(maps: Readonly<Record<string, BpfMap>>): UsdtTable | undefined {
    const specs = Object.hasOwn(maps, SPECS) ? maps[SPECS] : undefined;
    if (specs === undefined) return undefined;
    const addresses = Object.hasOwn(maps, ADDRESSES) ? maps[ADDRESSES] : undefined;
    // However many objects share the map: numbers are given out once.
    const { id } = mapDetails(specs);
    const known = UsdtTable.#tables.get(id);
    if (known !== undefined) {
      known.#specs = specs;
      known.#addresses = addresses;
      return known;
    }
    for (const [other, table] of UsdtTable.#tables)
      if (table.#used.size === 0 && table.#specs.fd.closed) UsdtTable.#tables.delete(other);
    const table = new UsdtTable(specs, addresses);
    UsdtTable.#tables.set(id, table);
    return table;
  }

  #specs: BpfMap;
  #addresses: BpfMap | undefined;
  readonly #layout: StructLayout;
  readonly #used = new Map<string, Counted>();
  readonly #byAddress = new Map<bigint, Counted>();
  /** Numbers that were used before, the longest unused first: a program that is still running with one has its time. */
  readonly #free: number[] = [];
  #next = 0;

  private constructor(specs: BpfMap, addresses: BpfMap | undefined) {
    this.#specs = specs;
    this.#addresses = addresses;
    const values = specs instanceof KeyedMap ? specs.valueLayout : undefined;
    this.#layout = usdtSpecLayout(specs.info, values);
  }

  /** The number of a description, in the table from now on until `release`. Throws UsdtError. */
  take(args: readonly UsdtArgument[], cookie: bigint): number {
    const bytes = encodeUsdtSpec(this.#layout, args, cookie);
    const key = Buffer.from(bytes).toString("latin1");
    const known = this.#used.get(key);
    if (known !== undefined) {
      known.uses++;
      return known.id;
    }
    const { maxEntries } = this.#specs.info;
    const id = this.#next < maxEntries ? this.#next : this.#free[0];
    if (id === undefined)
      throw new UsdtError(
        `Map "${SPECS}" is full: its ${maxEntries} places are all in use. Compile the object with -DBPF_USDT_MAX_SPEC_CNT=${maxEntries * 4}.`,
      );
    this.#specs.setRaw(new Uint8Array(Uint32Array.of(id).buffer), bytes);
    if (id === this.#next) this.#next++;
    else this.#free.shift();
    this.#used.set(key, { id, uses: 1 });
    return id;
  }

  /** Gives a number back that `take` gave. */
  release(id: number): void {
    for (const [key, counted] of this.#used) {
      if (counted.id !== id) continue;
      if (--counted.uses > 0) return;
      this.#used.delete(key);
      this.#free.push(id);
      return;
    }
  }

  /** Says which number a probe at an address has, for kernels that give programs no cookies. Throws UsdtError. */
  takeAddress(address: bigint, id: number): void {
    if (this.#addresses === undefined)
      throw new UsdtError(`The object has no map "${ADDRESSES}", which programs need before Linux 5.15.`);
    const known = this.#byAddress.get(address);
    if (known !== undefined && known.id !== id)
      throw new UsdtError(
        `Address 0x${address.toString(16)} has other arguments or another cookie already, through another attachment of this object: before Linux 5.15 an address stands for one description.`,
      );
    if (known !== undefined) known.uses++;
    else {
      this.#addresses.setRaw(wordBytes([address]), new Uint8Array(Uint32Array.of(id).buffer));
      this.#byAddress.set(address, { id, uses: 1 });
    }
  }

  releaseAddress(address: bigint): void {
    const known = this.#byAddress.get(address);
    if (known === undefined || --known.uses > 0) return;
    this.#byAddress.delete(address);
    // Whoever closed the object before its links closed the map with it.
    if (this.#addresses?.fd.closed === false) this.#addresses.deleteRaw(wordBytes([address]));
  }
}
