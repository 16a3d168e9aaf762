import { type Memory, memoryOf } from "../../object/codec/index.ts";
import { native } from "./native.ts";

/** The first 64 bytes of the arena are the argument block of `arenaSyscall` (native/skep.c). */
const RESERVED = 64;

/** Memory with a known, never moving address, shared by this thread's calls into the kernel. */
export interface Arena {
  readonly memory: Memory;
  readonly address: number;
}

let arena: Arena | undefined;
let top = RESERVED;
const free = new Map<number, number[]>();

export function getArena(): Arena {
  if (arena === undefined) {
    const { buffer, address } = native().arena();
    arena = { memory: memoryOf(buffer), address };
  }
  return arena;
}

/** A zeroed piece of pinned memory: `memory` at byte `offset` is the address `address`. */
export interface Slot {
  readonly memory: Memory;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/**
 * Takes `size` bytes, 8-aligned and zeroed. What does not fit in the arena any more gets a buffer of its own, whose
 * backing store never moves and lives as long as the slot is referenced.
 */
export function allocate(size: number): Slot {
  const rounded = Math.max(8, Math.ceil(size / 8) * 8);
  const { memory, address } = getArena();
  const offset = free.get(rounded)?.pop() ?? bump(rounded, memory.u8.length);
  if (offset === undefined) {
    const buffer = new ArrayBuffer(Math.max(rounded, 4096));
    return { memory: memoryOf(buffer), offset: 0, address: native().addressOf(buffer), size: rounded };
  }
  memory.u8.fill(0, offset, offset + rounded);
  return { memory, offset, address: address + offset, size: rounded };
}

/** Gives a slot back; it must not be used afterwards. */
export function release(slot: Slot): void {
  if (slot.memory !== arena?.memory) return;
  const list = free.get(slot.size);
  if (list === undefined) free.set(slot.size, [slot.offset]);
  else list.push(slot.offset);
}

function bump(size: number, limit: number): number | undefined {
  if (top + size > limit) return undefined;
  const offset = top;
  top += size;
  return offset;
}
