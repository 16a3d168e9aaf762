import {
  array,
  bool,
  i8,
  i16,
  type Layout,
  makeEncoder,
  memoryOf,
  type StructLayout,
  struct,
  u32,
  u64,
} from "../../object/codec/index.ts";
import type { UsdtArgument } from "../../object/elf/index.ts";
import { type BpfMap, KeyedMap, mapDetails } from "../map/index.ts";
import { wordBytes } from "./words.ts";

/** A probe that is not there, or cannot be attached to as things are. */
export class UsdtError extends Error {
  override readonly name = "UsdtError";
  readonly code = "SKEP_USDT";
}

/** The maps that programs find a probe's arguments by: those that `bpf/usdt.bpf.h` defines. */
const SPECS = "__bpf_usdt_specs";
const ADDRESSES = "__bpf_usdt_ip_to_spec_id";

/** enum __bpf_usdt_arg_type. */
const KINDS = { constant: 0, register: 1, memory: 2, scaled: 3 } as const;

/** `struct __bpf_usdt_spec` as it was until there were scaled addresses (libbpf 1.7), for objects that brought no types. */
const FIRST_LAYOUT = struct({
  args: array(struct({ val_off: u64, arg_type: u32, reg_off: i16, arg_signed: bool, arg_bitshift: i8 }), 12),
  usdt_cookie: u64,
  arg_cnt: i16,
});

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
  readonly #layout: Layout;
  readonly #used = new Map<string, Counted>();
  readonly #byAddress = new Map<bigint, Counted>();
  /** Numbers that were used before, the longest unused first: a program that is still running with one has its time. */
  readonly #free: number[] = [];
  #next = 0;

  private constructor(specs: BpfMap, addresses: BpfMap | undefined) {
    this.#specs = specs;
    this.#addresses = addresses;
    const typed = specs instanceof KeyedMap ? specs.valueLayout : undefined;
    this.#layout = typed?.kind === "struct" ? typed : FIRST_LAYOUT;
    const wrong = this.#layout.size !== specs.info.valueSize || specs.info.type !== "array";
    if (wrong || this.#field("args") === undefined)
      throw new UsdtError(
        `Map "${SPECS}" is not what bpf/usdt.bpf.h defines (an array of struct __bpf_usdt_spec), or its type is not known: compile the object with -g.`,
      );
  }

  /** The number of a description, in the table from now on until `release`. Throws UsdtError. */
  take(args: readonly UsdtArgument[], cookie: bigint): number {
    const bytes = this.#encode(args, cookie);
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

  #field(name: string): Layout | undefined {
    return this.#layout.kind === "struct" ? this.#layout.fields.find((one) => one.name === name)?.layout : undefined;
  }

  #encode(args: readonly UsdtArgument[], cookie: bigint): Uint8Array {
    const list = this.#field("args");
    if (list?.kind !== "array" || list.element.kind !== "struct")
      throw new UsdtError(`The type of map "${SPECS}" has no list of arguments: it is of a version that is not known.`);
    const element = list.element;
    if (args.length > list.length)
      throw new UsdtError(`The probe has ${args.length} arguments, and map "${SPECS}" has room for ${list.length}.`);
    const names = new Set<string>(element.fields.map(({ name }: { readonly name: string }) => name));
    if (args.some(({ kind }) => kind === "scaled") && !names.has("scale_bitshift"))
      throw new UsdtError(
        "An argument of the probe is at a scaled address (base + index × n), which the object cannot read: it was compiled with a bpf/usdt.bpf.h older than libbpf 1.7. Compile it with a newer one.",
      );
    const rows = Array.from({ length: list.length }, (_, i) => rowOf(args[i], element));
    const memory = memoryOf(new ArrayBuffer(this.#layout.size));
    makeEncoder(this.#layout)(memory, 0, {
      args: rows,
      usdt_cookie: BigInt.asUintN(64, cookie),
      arg_cnt: args.length,
    });
    return memory.u8;
  }
}

/** `struct __bpf_usdt_arg_spec`, with the members that this version of it has. */
function rowOf(arg: UsdtArgument | undefined, { fields }: StructLayout): Record<string, unknown> {
  const values: Record<string, unknown> = { arg_signed: arg?.signed ?? false, val_off: 0n };
  if (arg !== undefined) {
    const offset = arg.kind === "constant" ? arg.value : arg.kind === "register" ? 0n : arg.displacement;
    values["val_off"] = BigInt.asUintN(64, offset);
    values["arg_type"] = KINDS[arg.kind];
    values["reg_off"] = arg.kind === "constant" ? 0 : arg.register;
    values["arg_bitshift"] = 64 - arg.size * 8;
    if (arg.kind === "scaled") {
      values["idx_reg_off"] = arg.index;
      values["scale_bitshift"] = arg.shift;
    }
  }
  return Object.fromEntries(fields.map(({ name }) => [name, values[name] ?? 0]));
}
