import type { Btf, BtfType, Member, StructType } from "../../object/btf/index.ts";
import { MachineError } from "./machine-fault.ts";
import type { AddressSpace } from "./memory/address-space.ts";
import { putInteger } from "./memory/integers.ts";

/**
 * A value of one of the kernel's types: numbers, text for `char[]` and `char *`, arrays, objects for structs and for what
 * pointers point to, `null` for pointers to nothing, bytes for anything.
 */
export type KernelValue =
  | number
  | bigint
  | boolean
  | string
  | null
  | Uint8Array
  | readonly KernelValue[]
  | { readonly [member: string]: KernelValue };

const text = new TextEncoder();

/** Lays values out in kernel memory by BTF. */
export class KernelObjects {
  readonly #space: AddressSpace;

  constructor(space: AddressSpace) {
    this.#space = space;
  }

  make(btf: Btf, name: string, value: Readonly<Record<string, KernelValue>>): bigint {
    const id = btf.find(name, "struct") ?? btf.find(name, "union") ?? btf.find(name, "typedef");
    if (id === undefined) throw new MachineError(`These types have no struct "${name}".`);
    return this.#allocate(btf, id, value, name);
  }

  /** A new piece of memory that holds a value; its address. */
  #allocate(btf: Btf, id: number, value: KernelValue, path: string): bigint {
    const type = btf.type(btf.resolve(id));
    const flexible = value instanceof Uint8Array ? value.length : 0;
    const bytes = new Uint8Array(Math.max(flexible, btf.sizeOf(id)));
    const name = type.name === "" ? path : type.name;
    const region = this.#space.add("kernel memory", name, bytes, false);
    this.#write(btf, id, region.view, 0, value, path);
    return region.address;
  }

  #write(btf: Btf, id: number, view: DataView, at: number, value: KernelValue, path: string): void {
    const type = btf.type(btf.resolve(id));
    if (value instanceof Uint8Array) {
      if (value.length > view.byteLength - at || (type.kind !== "struct" && value.length > btf.sizeOf(id)))
        throw new MachineError(`${path} has ${btf.sizeOf(id)} bytes, and ${value.length} are given.`);
      new Uint8Array(view.buffer, view.byteOffset + at).set(value);
      return;
    }
    switch (type.kind) {
      case "int":
      case "enum":
      case "enum64":
        writeInteger(view, at, type.size, enumValue(type, value), path, btf.byteOrder === "little");
        return;
      case "pointer":
        writeInteger(view, at, 8, this.#pointer(btf, type.type, value, path), path, btf.byteOrder === "little");
        return;
      case "array":
        this.#array(btf, type, view, at, value, path);
        return;
      case "struct":
      case "union":
        this.#struct(btf, type, view, at, value, path);
        return;
      default:
        throw new MachineError(
          `${path} is ${type.kind === "void" ? "void" : `a ${type.kind}`}, which has no value: give its bytes.`,
        );
    }
  }

  #pointer(btf: Btf, to: number, value: KernelValue, path: string): bigint {
    if (value === null) return 0n;
    if (typeof value === "bigint") return BigInt.asUintN(64, value);
    if (typeof value === "number" && Number.isInteger(value)) return BigInt.asUintN(64, BigInt(value));
    if (typeof value === "string") {
      return this.#space.add("kernel memory", path, text.encode(`${value}\0`), false).address;
    }
    if (value instanceof Uint8Array) return this.#space.add("kernel memory", path, value.slice(), false).address;
    if (typeof value === "object" && !Array.isArray(value)) return this.#allocate(btf, to, value, path);
    throw new MachineError(`${path} is a pointer: give an address, null, or the value it points to.`);
  }

  #array(
    btf: Btf,
    { element, length }: { readonly element: number; readonly length: number },
    view: DataView,
    at: number,
    value: KernelValue,
    path: string,
  ): void {
    const size = btf.sizeOf(element);
    if (typeof value === "string") {
      const bytes = text.encode(value);
      if (size !== 1) throw new MachineError(`${path} is no array of characters, and takes no text.`);
      if (bytes.length >= length && length > 0)
        throw new MachineError(
          `${path} has room for ${length - 1} bytes of text and its NUL, and these are ${bytes.length}.`,
        );
      new Uint8Array(view.buffer, view.byteOffset + at).set(bytes);
      return;
    }
    if (!Array.isArray(value))
      throw new MachineError(`${path} is an array of ${length}: give an array, text or bytes.`);
    if (value.length > length) throw new MachineError(`${path} has ${length} elements, and ${value.length} are given.`);
    for (const [i, item] of value.entries()) this.#write(btf, element, view, at + i * size, item, `${path}[${i}]`);
  }

  #struct(btf: Btf, type: StructType, view: DataView, at: number, value: KernelValue, path: string): void {
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new MachineError(`${path} is a ${type.kind}: give an object with its members.`);
    for (const [name, item] of Object.entries(value)) {
      const found = findMember(btf, type, name, 0);
      if (found === undefined)
        throw new MachineError(`${type.kind} ${type.name === "" ? path : type.name} has no member "${name}".`);
      const { member, bitOffset } = found;
      const inner = `${path}.${name}`;
      if (member.bitSize !== 0)
        writeBits(view, at * 8 + bitOffset, member.bitSize, item, inner, btf.byteOrder === "little");
      else this.#write(btf, member.type, view, at + bitOffset / 8, item, inner);
    }
  }
}

/** A member by name, also of unnamed structs and unions inside. */
function findMember(
  btf: Btf,
  type: StructType,
  name: string,
  base: number,
): { readonly member: Member; readonly bitOffset: number } | undefined {
  for (const member of type.members) {
    if (member.name === name) return { member, bitOffset: base + member.bitOffset };
    if (member.name !== "") continue;
    const inner = btf.type(btf.resolve(member.type));
    if (inner.kind !== "struct" && inner.kind !== "union") continue;
    const found = findMember(btf, inner, name, base + member.bitOffset);
    if (found !== undefined) return found;
  }
  return undefined;
}

function enumValue(type: BtfType, value: KernelValue): KernelValue {
  if (typeof value !== "string" || (type.kind !== "enum" && type.kind !== "enum64")) return value;
  const found = type.values.find(({ name }) => name === value);
  if (found === undefined) throw new MachineError(`enum ${type.name} has no value "${value}".`);
  return found.value;
}

/** A whole number that so many bits hold, signed or unsigned. */
function integerOf(value: KernelValue, bits: number, path: string): bigint {
  const whole = typeof value === "boolean" || typeof value === "bigint" || Number.isInteger(value);
  if (!whole) throw new MachineError(`${path} is a whole number, and ${typeof value} was given.`);
  const number = BigInt(value as boolean | bigint | number);
  if (number >= 1n << BigInt(bits) || number < -(1n << BigInt(bits - 1)))
    throw new MachineError(`${path} has ${bits} bits, which ${number} does not fit.`);
  return number;
}

function writeInteger(
  view: DataView,
  at: number,
  size: number,
  value: KernelValue,
  path: string,
  little: boolean,
): void {
  const number = integerOf(value, size * 8, path);
  putInteger(new Uint8Array(view.buffer, view.byteOffset + at, size), number, little);
}

function writeBits(
  view: DataView,
  bitOffset: number,
  count: number,
  value: KernelValue,
  path: string,
  little: boolean,
): void {
  const number = integerOf(value, count, path);
  for (let i = 0; i < count; i++) {
    // Bit-fields begin at the lowest bit of a byte on little-endian machines, at the highest on others.
    const bit = bitOffset + (little ? i : count - 1 - i);
    const mask = little ? 1 << (bit & 7) : 0x80 >> (bit & 7);
    const byte = view.getUint8(bit >> 3) & ~mask;
    view.setUint8(bit >> 3, ((number >> BigInt(i)) & 1n) === 1n ? byte | mask : byte);
  }
}
