import type { GlobalDecl, MapDecl, Module } from "../hir.ts";
import { greatestOf, leastOf, sizeOf, type Type } from "../type.ts";

/** What a program sees of the machine while it is evaluated. */
export interface EvaluationWorld {
  /** What functions of the vocabulary give, by name: `pid`, `ktime`, `cpu`, `random`, `task` … Those that only compute are built in. */
  readonly helpers?: Readonly<Record<string, (args: readonly bigint[]) => bigint>>;
  /** The process's name, up to 15 bytes. */
  readonly comm?: string;
  /** `length` bytes of the process's or the kernel's memory; undefined where there is nothing. */
  readonly read?: (space: "user" | "kernel", address: bigint, length: number) => Uint8Array | undefined;
  /** The program's context. */
  readonly context?: Uint8Array;
  /** What an XDP program looks at. */
  readonly packet?: Uint8Array;
  /** Records that a ring takes before it is full. */
  readonly ringRecords?: number;
}

/** A program did what a checked one cannot do, or what no program that loads would: what is being tested is wrong. */
export class EvaluationError extends Error {
  override readonly name = "EvaluationError";
  readonly code = "SKEP_EVALUATION";
}

/** Bytes, and where in them something stands. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly at: number;
}

/** A map with what is in it; keys as hexadecimal text. */
export class EvaluatedMap {
  readonly decl: MapDecl;
  readonly elements = new Map<string, Uint8Array>();

  constructor(decl: MapDecl) {
    this.decl = decl;
    if (!this.isArray || decl.value === undefined) return;
    for (let i = 0; i < decl.maxEntries; i++) this.elements.set(indexKey(i), new Uint8Array(sizeOf(decl.value)));
  }

  get isArray(): boolean {
    return this.decl.kind === "array" || this.decl.kind === "perCpuArray";
  }

  /** Whether it was written. */
  set(key: string, value: Uint8Array, flags: "any" | "noexist" | "exist"): boolean {
    const there = this.elements.get(key);
    if (there !== undefined && flags === "noexist") return false;
    if (there === undefined && flags === "exist") return false;
    if (there !== undefined) {
      there.set(value);
      return true;
    }
    if (this.isArray) return false;
    if (this.elements.size >= this.decl.maxEntries && this.decl.kind !== "taskStorage") {
      if (this.decl.kind !== "lruHash" && this.decl.kind !== "lruPerCpuHash") return false;
      const [oldest] = this.elements.keys();
      if (oldest !== undefined) this.elements.delete(oldest);
    }
    this.elements.set(key, value.slice());
    return true;
  }
}

export function indexKey(index: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, index, true);
  return hex(bytes);
}

export function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function unhex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** All that a module's programs share and leave behind. */
export class EvaluatedState {
  readonly maps = new Map<string, EvaluatedMap>();
  readonly rings = new Map<string, Uint8Array[]>();
  /** Bytes that records took of each ring: nobody reads, so that what was discarded keeps its room, too. */
  readonly #taken = new Map<string, number>();
  readonly globals = new Map<GlobalDecl, Uint8Array>();
  /** What was lost, by map. */
  readonly losses = new Map<string, number>();

  constructor(module: Module) {
    for (const map of module.maps) {
      if (map.kind === "ringbuf") this.rings.set(map.name, []);
      else this.maps.set(map.name, new EvaluatedMap(map));
      if (isExtreme(map) && map.kind === "array") this.#start(map);
    }
    for (const global of module.globals) this.globals.set(global, global.initial.slice());
  }

  /** A minimum without a key begins as the greatest number there is, a maximum as the least. */
  #start(map: MapDecl): void {
    const { value: type, aggregate } = map;
    if (type?.kind !== "int") return;
    const bytes = this.maps.get(map.name)?.elements.get(indexKey(0));
    if (bytes !== undefined)
      store({ bytes, at: 0 }, type, aggregate?.kind === "min" ? greatestOf(type) : leastOf(type));
  }

  /**
   * Takes room for a record of a ring, as the kernel does: an eight-byte header before each, and a ring is full one byte before
   * its end. Whether there was room.
   */
  takeRoom(map: MapDecl, size: number): boolean {
    const taken = (this.#taken.get(map.name) ?? 0) + Math.ceil((size + RING_HEADER) / RING_HEADER) * RING_HEADER;
    if (taken >= map.maxEntries) return false;
    this.#taken.set(map.name, taken);
    return true;
  }

  lose(map: MapDecl): void {
    this.losses.set(map.name, (this.losses.get(map.name) ?? 0) + 1);
  }
}

/** Before each record of a ring (BPF_RINGBUF_HDR_SZ), which is also what records are aligned to. */
const RING_HEADER = 8;

function isExtreme({ aggregate }: MapDecl): boolean {
  return aggregate?.kind === "min" || aggregate?.kind === "max";
}

const MASK = (1n << 64n) - 1n;

/** A number as registers have it. */
export function u64(value: bigint): bigint {
  return value & MASK;
}

export function i64(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

/** The scalar that stands somewhere, as registers have it. */
export function load({ bytes, at }: Memory, type: Type): bigint {
  const size = sizeOf(type);
  if (at < 0 || at + size > bytes.length)
    throw new EvaluationError(`${size} bytes at ${at} are not within ${bytes.length}`);
  let value = 0n;
  const big = type.kind === "int" && type.bigEndian === true;
  for (let i = 0; i < size; i++) value |= BigInt(bytes[at + (big ? size - 1 - i : i)] as number) << BigInt(8 * i);
  return type.kind === "int" && type.signed ? u64(BigInt.asIntN(size * 8, value)) : value;
}

export function store({ bytes, at }: Memory, type: Type, value: bigint): void {
  const size = sizeOf(type);
  if (at < 0 || at + size > bytes.length)
    throw new EvaluationError(`${size} bytes at ${at} are not within ${bytes.length}`);
  const big = type.kind === "int" && type.bigEndian === true;
  for (let i = 0; i < size; i++) bytes[at + (big ? size - 1 - i : i)] = Number((u64(value) >> BigInt(8 * i)) & 0xffn);
}
