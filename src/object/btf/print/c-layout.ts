import type { Btf } from "../btf.ts";
import { BtfError } from "../btf-error.ts";
import type { Member, StructType } from "../type.ts";

/** Gaps of more bits are made by aligning the member behind them, where that is possible. */
const LARGE_GAP = 256;
const MOST_ALIGN = 4096;

/** What has to be written for a compiler to put each member where BTF has it. */
export interface CLayout {
  /** Bytes, as the struct is then aligned. */
  readonly align: number;
  readonly packed: boolean;
  /** For an `aligned` of the whole; undefined where it needs none. */
  readonly aligned: number | undefined;
  readonly members: readonly MemberLayout[];
  /** Widths of unnamed bit-fields behind the last member. */
  readonly end: readonly number[];
  /** Members overlap, or lie beyond the end: C has no way to say so. */
  readonly opaque: boolean;
}

export interface MemberLayout {
  /** Widths of unnamed bit-fields before it. */
  readonly pads: readonly number[];
  readonly aligned: number | undefined;
  /** 0 for a member that is no bit-field. */
  readonly bits: number;
}

/** Where C puts members by the System V ABI for eBPF (64 bits, bit-fields in units of their type), struct by struct. */
export class CLayouts {
  readonly #btf: Btf;
  readonly #made = new Map<number, CLayout | undefined>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** Throws BtfError for a struct that holds itself. */
  of(id: number, type: StructType): CLayout {
    const known = this.#made.get(id);
    if (known !== undefined) return known;
    if (this.#made.has(id)) throw new BtfError(`Type ${id} holds itself: it has no size.`);
    this.#made.set(id, undefined);
    const make = (packed: boolean) => (type.kind === "union" ? this.#union(type, packed) : this.#struct(type, packed));
    const made = make(false) ??
      make(true) ?? {
        align: 1,
        packed: false,
        aligned: undefined,
        members: [],
        end: [],
        opaque: true,
      };
    this.#made.set(id, made);
    return made;
  }

  #alignOf(id: number): number {
    for (let at = this.#btf.resolve(id); ; at = this.#btf.resolve(at)) {
      const type = this.#btf.type(at);
      switch (type.kind) {
        case "array":
          at = type.element;
          break;
        case "struct":
        case "union":
          return this.of(at, type).align;
        case "int":
        case "float":
        case "enum":
        case "enum64":
          return Math.min(type.size || 4, 16);
        case "pointer":
          return 8;
        default:
          return 1;
      }
    }
  }

  /** Of old compilers' bit-fields the integer says where it is. */
  #place({ type: id, bitOffset, bitSize }: Member): { offset: number; bits: number; size: number } {
    const size = this.#sizeOf(id) * 8;
    const type = this.#btf.type(this.#btf.resolve(id));
    if (bitSize === 0 && type.kind === "int" && (type.bits !== size || type.bitOffset !== 0))
      return { offset: bitOffset + type.bitOffset, bits: type.bits, size };
    return { offset: bitOffset, bits: bitSize, size };
  }

  /** What is printed as an integer has one's size: enums that are only declared. */
  #sizeOf(id: number): number {
    const type = this.#btf.type(this.#btf.resolve(id));
    if (type.kind === "enum" && type.size === 0) return 4;
    return type.kind === "forward" || type.kind === "prototype" || type.kind === "void" ? 0 : this.#btf.sizeOf(id);
  }

  #struct(type: StructType, packed: boolean): CLayout | undefined {
    const members: MemberLayout[] = [];
    const size = type.size * 8;
    let at = 0;
    let align = 1;
    for (const member of type.members) {
      const { offset, bits, size: unit } = this.#place(member);
      const own = packed ? 1 : this.#alignOf(member.type);
      if (offset < at) return undefined;
      let natural = roundUp(at, own * 8);
      if (bits > 0) {
        const crosses = (from: number) => !packed && (from % (own * 8)) + bits > unit;
        if (crosses(offset)) return undefined;
        if (!crosses(at)) natural = at;
      } else if (offset % (own * 8) !== 0) return undefined;
      align = Math.max(align, own);
      let pads: readonly number[] | undefined = [];
      let aligned: number | undefined;
      if (natural !== offset) {
        if (bits === 0 && !packed && offset - at > LARGE_GAP) aligned = alignment(at, offset, own, type.size);
        if (aligned === undefined) pads = padding(at, offset);
        else align = Math.max(align, aligned);
        if (pads === undefined) return undefined;
      }
      members.push({ pads, aligned, bits });
      at = offset + (bits > 0 ? bits : unit);
    }
    if (at > size || size % (align * 8) !== 0) return undefined;
    const gap = roundUp(at, align * 8) !== size;
    const aligned = gap ? alignment(at, size, align, type.size) : undefined;
    const end = gap && aligned === undefined ? padding(at, size) : [];
    if (end === undefined) return undefined;
    return { align: aligned ?? align, packed, aligned, members, end, opaque: false };
  }

  #union(type: StructType, packed: boolean): CLayout | undefined {
    const members: MemberLayout[] = [];
    const size = type.size * 8;
    let most = 0;
    let align = 1;
    for (const member of type.members) {
      const { offset, bits, size: unit } = this.#place(member);
      if (offset !== 0) return undefined;
      if (!packed) align = Math.max(align, this.#alignOf(member.type));
      most = Math.max(most, bits > 0 ? bits : unit);
      members.push({ pads: [], aligned: undefined, bits });
    }
    if (most > size || size % (align * 8) !== 0) return undefined;
    if (roundUp(most, align * 8) === size)
      return { align, packed, aligned: undefined, members, end: [], opaque: false };
    const aligned = alignment(most, size, align, type.size);
    if (aligned !== undefined) return { align: aligned, packed, aligned, members, end: [], opaque: false };
    // One bit-field has as many bits as a union of no more; several would stand at the same place.
    const end = padding(0, size);
    return end === undefined || end.length > 1 ? undefined : { align, packed, aligned, members, end, opaque: false };
  }
}

/** The alignment, above what there is, that leads from one bit to another and divides the whole. */
function alignment(from: number, to: number, above: number, size: number): number | undefined {
  for (let align = above * 2; align <= MOST_ALIGN; align *= 2)
    if (roundUp(from, align * 8) === to && size % align === 0) return align;
  return undefined;
}

/** Bits; structs with more of nothing between two members are no structs that somebody wrote. */
const MOST_GAP = 1 << 17;

/** Widths of bit-fields that fill a gap, none across a boundary of its type; undefined for a gap that is beyond reason. */
function padding(from: number, to: number): readonly number[] | undefined {
  if (to - from > MOST_GAP) return undefined;
  const widths: number[] = [];
  for (let at = from; at < to; at += widths.at(-1) as number) {
    const inByte = Math.min(8 - (at % 8), to - at);
    widths.push([64, 32, 16].find((width) => at % width === 0 && at + width <= to) ?? inByte);
  }
  return widths;
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
