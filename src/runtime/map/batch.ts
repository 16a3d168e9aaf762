import { type Memory, memoryOf } from "../../object/codec/index.ts";
import { BpfAttr, native, SystemError } from "../sys/index.ts";
import type { BpfMap } from "./bpf-map.ts";

/** What `lookupBatch` yields, once and first, for a map or kernel without batches that can be relied on. */
export const BATCH_UNSUPPORTED: unique symbol = Symbol("batch unsupported");

/** Entries read by one call; `count` keys and values at their strides. */
export interface Batch {
  readonly memory: Memory;
  /** Whether it is the memory that nearly all batches have: worth decoders of its own. */
  readonly usual: boolean;
  readonly keyOffset: number;
  readonly keyStride: number;
  readonly valueOffset: number;
  readonly count: number;
  /** Whether the map has no more. */
  readonly last: boolean;
}

const ENOENT = 2;
const E2BIG = 7;
const EINVAL = 22;
const ENOSPC = 28;
const EOPNOTSUPP = 95;
const ENOTSUPP = 524;

/**
 * How much memory one batch may take: ten thousand small entries fit, a map of large values is read in pieces. A call costs some
 * microseconds of its own (the kernel makes room for the longest bucket, and starts over when it meets a longer one).
 */
const BUFFER_BYTES = 1 << 19;

/** As much of a batch's memory is zeros, from its start: who has come to the end may read an entry there as anywhere. */
export const ZERO_BYTES = 4096;

/** And as much is for the two places where the kernel keeps what it goes on with, a key each. */
const PLACE_BYTES = 4096;

interface BatchMemory {
  readonly memory: Memory;
  readonly address: number;
}

/** The memory that batches take in turns: fresh memory costs the kernel a fault for each page that it writes. */
let usual: BatchMemory | undefined;
let taken = false;
/** How often it was not there. After some times an iteration that was never ended is taken to have it, and it is replaced. */
let missed = 0;
const MISSES = 16;

function buffers(map: BpfMap, entries: number, valueBytes = map.valueBytes) {
  const { keySize } = map.info;
  const token = Math.ceil(Math.max(keySize, 8) / 8) * 8;
  const place = ZERO_BYTES;
  const keyOffset = place + 2 * token;
  const valueOffset = Math.ceil((keyOffset + entries * keySize) / 8) * 8;
  const size = Math.ceil((valueOffset + entries * valueBytes) / 8) * 8;
  const { memory, address } = takeMemory(size);
  return { memory, address, place, token, keyOffset, valueOffset };
}

function takeMemory(size: number): BatchMemory {
  if (size > ZERO_BYTES + PLACE_BYTES + BUFFER_BYTES) return makeMemory(size);
  if (taken && ++missed < MISSES) return makeMemory(size);
  if (taken) usual = undefined;
  usual ??= makeMemory(ZERO_BYTES + PLACE_BYTES + BUFFER_BYTES);
  taken = true;
  missed = 0;
  return usual;
}

/** The operating system gives pages when they are written, not before. */
function makeMemory(size: number): BatchMemory {
  const buffer = new ArrayBuffer(size);
  return { memory: memoryOf(buffer), address: native().addressOf(buffer) };
}

/** Gives memory back that nobody reads any more. */
function giveBack({ memory }: BatchMemory): void {
  if (memory === usual?.memory) taken = false;
}

/** The attributes of a batch (union bpf_attr, `batch`): `count` keys and values at these addresses. */
function batchAttr(map: BpfMap, keys: number, values: number, count: number): BpfAttr {
  return new BpfAttr().u64(16, keys).u64(24, values).u32(32, count).u32(36, map.fd.number).u64(40, 0).u64(48, 0);
}

/** Whether the answer to a first batch says that the map or the kernel has none. */
function isUnsupported(result: number): boolean {
  return result === -EINVAL || result === -EOPNOTSUPP || result === -ENOTSUPP;
}

/**
 * Reads the whole map in batches (BPF_MAP_LOOKUP_BATCH). Every bucket of a hash is read at once, so no key doubles. With
 * BPF_MAP_LOOKUP_AND_DELETE_BATCH what was read is gone from the map.
 */
export function* lookupBatch(
  map: BpfMap,
  command: "BPF_MAP_LOOKUP_BATCH" | "BPF_MAP_LOOKUP_AND_DELETE_BATCH" = "BPF_MAP_LOOKUP_BATCH",
): IterableIterator<Batch | typeof BATCH_UNSUPPORTED> {
  // Batches of a trie go on from its last key, and start over when that one is deleted.
  if (map.info.type === "lpm_trie") {
    yield BATCH_UNSUPPORTED;
    return;
  }
  const perEntry = map.info.keySize + map.valueBytes;
  let entries = Math.max(1, Math.min(map.info.maxEntries, Math.floor(BUFFER_BYTES / perEntry)));
  let space = buffers(map, entries);
  let first = true;
  try {
    for (;;) {
      const attr = batchAttr(map, space.address + space.keyOffset, space.address + space.valueOffset, entries)
        .u64(0, first ? 0 : space.address + space.place)
        .u64(8, space.address + space.place + space.token);
      const result = attr.call(command);
      const count = attr.read32(32);
      if (first && isUnsupported(result)) {
        yield BATCH_UNSUPPORTED;
        return;
      }
      if (result === -ENOSPC) {
        // One bucket holds more than the buffer: nothing was read, so try again with a larger one at the same place.
        const place = space.memory.u8.slice(space.place, space.place + space.token);
        giveBack(space);
        entries *= 2;
        space = buffers(map, entries);
        space.memory.u8.set(place, space.place);
        continue;
      }
      if (result < 0 && result !== -ENOENT) {
        throw new SystemError({ errno: -result, syscall: `bpf(${command})`, doing: `read map "${map.name}"` });
      }
      const { memory, place, token, keyOffset, valueOffset } = space;
      // The kernel's place moves to the front now: the caller may be gone for long between two steps.
      memory.u8.copyWithin(place, place + token, place + 2 * token);
      const last = result === -ENOENT;
      yield {
        memory,
        usual: memory === usual?.memory,
        keyOffset,
        keyStride: map.info.keySize,
        valueOffset,
        count,
        last,
      };
      if (last) return;
      first = false;
    }
  } finally {
    giveBack(space);
  }
}

/** Writes `total` entries in batches; how many were written: less than `total` only where there are no batches. */
export function updateBatch(
  map: BpfMap,
  total: number,
  write: (memory: Memory, keyOffset: number, valueOffset: number, i: number) => void,
): number {
  const perEntry = map.info.keySize + map.valueBytes;
  const per = Math.max(1, Math.min(total, Math.floor(BUFFER_BYTES / perEntry)));
  const space = buffers(map, per);
  const { keySize } = map.info;
  try {
    for (let done = 0; done < total; ) {
      const count = Math.min(per, total - done);
      for (let i = 0; i < count; i++) {
        write(space.memory, space.keyOffset + i * keySize, space.valueOffset + i * map.valueBytes, done + i);
      }
      const attr = batchAttr(map, space.address + space.keyOffset, space.address + space.valueOffset, count);
      const result = attr.call("BPF_MAP_UPDATE_BATCH");
      if (done === 0 && isUnsupported(result)) return 0;
      if (result < 0) {
        const written = done + attr.read32(32);
        throw new SystemError({
          errno: -result,
          syscall: "bpf(BPF_MAP_UPDATE_BATCH)",
          doing: `update ${total} entries of map "${map.name}"`,
          hint: `${result === -E2BIG ? `The map is full: it holds at most ${map.info.maxEntries} entries. ` : ""}${written} of them were written before it failed.`,
          needs: ["CAP_BPF"],
        });
      }
      done += count;
    }
    return total;
  } finally {
    giveBack(space);
  }
}

/**
 * Deletes `total` keys in batches; how many were there. Undefined where the map or kernel has no batches. The kernel stops
 * at a key that is not there: that one is stepped over.
 */
export function deleteBatch(
  map: BpfMap,
  total: number,
  write: (memory: Memory, keyOffset: number, i: number) => void,
): number | undefined {
  const { keySize } = map.info;
  const per = Math.max(1, Math.min(total, Math.floor(BUFFER_BYTES / keySize)));
  const space = buffers(map, per, 0);
  let deleted = 0;
  try {
    for (let done = 0; done < total; ) {
      const count = Math.min(per, total - done);
      for (let i = 0; i < count; i++) write(space.memory, space.keyOffset + i * keySize, done + i);
      for (let at = 0; at < count; ) {
        const attr = batchAttr(map, space.address + space.keyOffset + at * keySize, 0, count - at);
        const result = attr.call("BPF_MAP_DELETE_BATCH");
        if (done + at === 0 && isUnsupported(result)) return undefined;
        const gone = result === 0 ? count - at : attr.read32(32);
        deleted += gone;
        if (result < 0 && result !== -ENOENT)
          throw new SystemError({
            errno: -result,
            syscall: "bpf(BPF_MAP_DELETE_BATCH)",
            doing: `delete ${total} keys of map "${map.name}"`,
            hint: `${deleted} of them were deleted before it failed.`,
            needs: ["CAP_BPF"],
          });
        at += gone + (result < 0 ? 1 : 0);
      }
      done += count;
    }
    return deleted;
  } finally {
    giveBack(space);
  }
}
