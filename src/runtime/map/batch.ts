import { type Memory, memoryOf } from "../../object/codec/index.ts";
import { BpfAttr, native, SystemError } from "../sys/index.ts";
import type { BpfMap } from "./bpf-map.ts";

/** What `lookupBatch` yields, once and first, for a map or kernel without batches that can be relied on. */
export const BATCH_UNSUPPORTED: unique symbol = Symbol("batch unsupported");

/** Entries read by one call; `count` keys and values at their strides. */
export interface Batch {
  readonly memory: Memory;
  /** Whether it is one of the few that nearly all batches have: worth decoders of its own. */
  readonly shared: boolean;
  readonly keyOffset: number;
  readonly keyStride: number;
  readonly valueOffset: number;
  readonly count: number;
}

const ENOENT = 2;
const E2BIG = 7;
const EINVAL = 22;
const ENOSPC = 28;
const EOPNOTSUPP = 95;
const ENOTSUPP = 524;

/**
 * How much one batch may take: ten thousand small entries fit, a map of large values is read in pieces. A call costs some
 * microseconds of its own (the kernel makes room for the longest bucket, and starts over when it meets a longer one).
 */
const BUFFER_BYTES = 1 << 19;

/** As much of a batch's memory is zeros, from its start: who has come to the end may read an entry there as anywhere. */
export const ZERO_BYTES = 4096;
/** How large the memories are that batches share. */
const SHARED_BYTES = ZERO_BYTES + BUFFER_BYTES;

interface BatchMemory {
  readonly memory: Memory;
  readonly address: number;
  readonly shared: boolean;
}

/** What a batch holds until it is given back, and where everything is in it. */
interface BatchSpace extends BatchMemory {
  held: boolean;
  /** Behind the zeros are two keys of so many bytes, in which the kernel keeps where it goes on. */
  readonly placeBytes: number;
  readonly keyOffset: number;
  readonly valueOffset: number;
}

/**
 * Shared memories that nobody holds: fresh memory costs the kernel a fault for each page that it writes. Loops within loops take
 * one each, and as the last that was given back is the first that is taken, each map has the one that it had the last time.
 */
const free: BatchMemory[] = [];
const MOST_FREE = 4;

/** So often none may be free before another one is made. Until then memory is as small as it may be, and is not kept. */
const MISSES = 64;
/**
 * How often none was free since the last was made: in loops within loops, and because nobody ends an iteration that is left lying or
 * that threw. The first one is made at once.
 */
let missed = MISSES - 1;

function placeBytesOf(keySize: number): number {
  return Math.ceil(Math.max(keySize, 8) / 8) * 8;
}

/** How many of `total` entries fit into a shared memory; one, however large it is. */
function entriesOf({ info: { keySize } }: BpfMap, total: number, valueBytes: number): number {
  // Values begin at a multiple of 8.
  const room = BUFFER_BYTES - 2 * placeBytesOf(keySize) - 8;
  return Math.max(1, Math.min(total, Math.floor(room / (keySize + valueBytes))));
}

function takeSpace({ info: { keySize } }: BpfMap, entries: number, valueBytes: number): BatchSpace {
  const placeBytes = placeBytesOf(keySize);
  const keyOffset = ZERO_BYTES + 2 * placeBytes;
  const valueOffset = Math.ceil((keyOffset + entries * keySize) / 8) * 8;
  const size = Math.ceil((valueOffset + entries * valueBytes) / 8) * 8;
  const { memory, address, shared } = takeMemory(size);
  return { memory, address, shared, held: true, placeBytes, keyOffset, valueOffset };
}

function takeMemory(size: number): BatchMemory {
  if (size > SHARED_BYTES) return makeMemory(size, false);
  const known = free.pop();
  if (known !== undefined) return known;
  if (++missed < MISSES) return makeMemory(size, false);
  missed = 0;
  return makeMemory(SHARED_BYTES, true);
}

function makeMemory(size: number, shared: boolean): BatchMemory {
  const buffer = new ArrayBuffer(size);
  return { memory: memoryOf(buffer), address: native().addressOf(buffer), shared };
}

/** Gives memory back that nobody reads any more; once. */
function giveBack(space: BatchSpace): void {
  const { memory, address, shared, held } = space;
  space.held = false;
  if (held && shared && free.length < MOST_FREE) free.push({ memory, address, shared });
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
  let entries = entriesOf(map, map.info.maxEntries, map.valueBytes);
  let space = takeSpace(map, entries, map.valueBytes);
  let first = true;
  try {
    for (;;) {
      const attr = batchAttr(map, space.address + space.keyOffset, space.address + space.valueOffset, entries)
        .u64(0, first ? 0 : space.address + ZERO_BYTES)
        .u64(8, space.address + ZERO_BYTES + space.placeBytes);
      const result = attr.call(command);
      const count = attr.read32(32);
      if (first && isUnsupported(result)) {
        // What is read otherwise takes longer, and others want the memory.
        giveBack(space);
        yield BATCH_UNSUPPORTED;
        return;
      }
      if (result === -ENOSPC) {
        // One bucket holds more than the buffer: nothing was read, so try again with a larger one at the same place.
        const place = space.memory.u8.slice(ZERO_BYTES, ZERO_BYTES + space.placeBytes);
        giveBack(space);
        entries *= 2;
        space = takeSpace(map, entries, map.valueBytes);
        space.memory.u8.set(place, ZERO_BYTES);
        continue;
      }
      if (result < 0 && result !== -ENOENT) {
        throw new SystemError({ errno: -result, syscall: `bpf(${command})`, doing: `read map "${map.name}"` });
      }
      const { memory, shared, placeBytes, keyOffset, valueOffset } = space;
      // The kernel's place moves to the front now: the caller may be gone for long between two steps.
      memory.u8.copyWithin(ZERO_BYTES, ZERO_BYTES + placeBytes, keyOffset);
      yield { memory, shared, keyOffset, keyStride: map.info.keySize, valueOffset, count };
      // The map has no more.
      if (result === -ENOENT) return;
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
  const per = entriesOf(map, total, map.valueBytes);
  const space = takeSpace(map, per, map.valueBytes);
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
  const per = entriesOf(map, total, 0);
  const space = takeSpace(map, per, 0);
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
