import { allocate, type Slot } from "./arena.ts";
import type { Call } from "./background.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";

/** Commands of bpf(2) (linux/bpf.h, enum bpf_cmd). */
export const BpfCommand = {
  BPF_MAP_CREATE: 0,
  BPF_MAP_LOOKUP_ELEM: 1,
  BPF_MAP_UPDATE_ELEM: 2,
  BPF_MAP_DELETE_ELEM: 3,
  BPF_MAP_GET_NEXT_KEY: 4,
  BPF_PROG_LOAD: 5,
  BPF_OBJ_PIN: 6,
  BPF_OBJ_GET: 7,
  BPF_PROG_ATTACH: 8,
  BPF_PROG_DETACH: 9,
  BPF_PROG_TEST_RUN: 10,
  BPF_PROG_GET_NEXT_ID: 11,
  BPF_MAP_GET_NEXT_ID: 12,
  BPF_PROG_GET_FD_BY_ID: 13,
  BPF_MAP_GET_FD_BY_ID: 14,
  BPF_OBJ_GET_INFO_BY_FD: 15,
  BPF_PROG_QUERY: 16,
  BPF_RAW_TRACEPOINT_OPEN: 17,
  BPF_BTF_LOAD: 18,
  BPF_BTF_GET_FD_BY_ID: 19,
  BPF_MAP_LOOKUP_AND_DELETE_ELEM: 21,
  BPF_MAP_FREEZE: 22,
  BPF_BTF_GET_NEXT_ID: 23,
  BPF_MAP_LOOKUP_BATCH: 24,
  BPF_MAP_LOOKUP_AND_DELETE_BATCH: 25,
  BPF_MAP_UPDATE_BATCH: 26,
  BPF_MAP_DELETE_BATCH: 27,
  BPF_LINK_CREATE: 28,
  BPF_LINK_UPDATE: 29,
  BPF_LINK_GET_FD_BY_ID: 30,
  BPF_LINK_GET_NEXT_ID: 31,
  BPF_ENABLE_STATS: 32,
  BPF_ITER_CREATE: 33,
  BPF_LINK_DETACH: 34,
  BPF_TOKEN_CREATE: 36,
  BPF_PROG_STREAM_READ_BY_FD: 37,
} as const;

export type BpfCommandName = keyof typeof BpfCommand;

const ATTR_SIZE = 256;
/** What the upper half of 64 bits counts. */
const HIGH = 2 ** 32;
let scratch: Slot | undefined;
/** How many have filled the one block: it is the last one's. */
let turns = 0;

/**
 * The argument block of one bpf(2) call, written field by field at the offsets of `union bpf_attr`. There is one block
 * per thread, reused by every call: fill it and call at once. The kernel takes any size as long as the bytes it does
 * not know are zero, so a field that is left out costs nothing on an old kernel.
 */
export class BpfAttr {
  readonly #slot: Slot;
  /** Keeps what pointers refer to alive until the call has been made. */
  readonly #kept: unknown[] = [];
  #size = 0;
  readonly #turn = ++turns;

  constructor() {
    scratch ??= allocate(ATTR_SIZE);
    this.#slot = scratch;
    scratch.memory.u8.fill(0, scratch.offset, scratch.offset + ATTR_SIZE);
  }

  u32(offset: number, value: number): this {
    this.#slot.memory.view.setUint32(this.#slot.offset + offset, value, true);
    return this.#grow(offset + 4);
  }

  u64(offset: number, value: number | bigint): this {
    this.#slot.memory.view.setBigUint64(this.#slot.offset + offset, BigInt(value), true);
    return this.#grow(offset + 8);
  }

  /** A pointer to bytes that must stay where they are for the call. */
  pointer(offset: number, bytes: Uint8Array): this {
    this.#kept.push(bytes);
    const address = bytes.length === 0 ? 0 : native().addressOf(bytes);
    // A number holds an address: no bigint is made of each.
    return this.u32(offset, address).u32(offset + 4, address / HIGH);
  }

  /** A pointer to a NUL-terminated string. */
  cString(offset: number, text: string): this {
    return this.pointer(offset, new Uint8Array(Buffer.from(`${text}\0`, "utf8")));
  }

  /** A pointer to an array of pointers to NUL-terminated strings. */
  cStrings(offset: number, texts: readonly string[]): this {
    const pointers = new BigUint64Array(texts.length);
    for (const [i, text] of texts.entries()) {
      const bytes = new Uint8Array(Buffer.from(`${text}\0`, "utf8"));
      this.#kept.push(bytes);
      pointers[i] = BigInt(native().addressOf(bytes));
    }
    return this.pointer(offset, new Uint8Array(pointers.buffer));
  }

  /** A `char name[16]` in the block itself: cut to 15 characters, others than [A-Za-z0-9_.] become `_`. */
  name(offset: number, text: string): this {
    const safe = text.slice(0, 15).replace(/[^A-Za-z0-9_.]/g, "_");
    for (let i = 0; i < safe.length; i++) this.#slot.memory.u8[this.#slot.offset + offset + i] = safe.charCodeAt(i);
    return this.#grow(offset + 16);
  }

  read64(offset: number): bigint {
    return this.#slot.memory.view.getBigUint64(this.#slot.offset + offset, true);
  }

  read32(offset: number): number {
    return this.#slot.memory.view.getUint32(this.#slot.offset + offset, true);
  }

  /** The same call, to be made later or elsewhere: with a copy of the block. */
  later(command: BpfCommandName): Call {
    const { memory, offset } = this.#slot;
    const block = new Uint8Array(ATTR_SIZE);
    block.set(memory.u8.subarray(offset, offset + this.#size));
    return { nr: nr.bpf, args: [BpfCommand[command], block, this.#size], kept: this.#kept };
  }

  /** Makes the call; the result, or −errno. */
  call(command: BpfCommandName): number {
    // A fault of ours: another block was filled between this one's filling and its call.
    if (this.#turn !== turns) throw new Error(`The attributes of ${command} were overwritten by another call's.`);
    return native().syscall(nr.bpf, BpfCommand[command], this.#slot.address, this.#size);
  }

  #grow(to: number): this {
    if (to > this.#size) this.#size = to;
    return this;
  }
}
