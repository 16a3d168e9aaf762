import type { Memory } from "../../object/codec/index.ts";
import type { Tally } from "./event-source.ts";
import type { RecordView } from "./record-view.ts";
import { specialise } from "./specialise.ts";

/** One CPU's buffer as the loop reads it. */
export interface PerfBuffer {
  readonly cpu: number;
  /** Byte offset of the records in the memory. */
  readonly base: number;
  /** Their size − 1. */
  readonly mask: number;
  /** Low 32 bits of the position up to which records were consumed. */
  position: number;
}

/** The memory that all buffers of a reader lie in. */
export interface PerfMemory {
  readonly memory: Memory;
  /** Byte offset of room for one record: where those are copied to that a buffer's end cuts in two. */
  readonly scratch: number;
}

/** How a record becomes what the visitor gets: by a lease on it, or by its place once it is known to be long enough. */
export type PerfRecordSource<T> =
  | { readonly lease: RecordView; readonly decode: (record: RecordView, cpu: number) => T }
  | {
      readonly lease?: undefined;
      readonly size: number;
      /** Called with the length of a record that is shorter than `size`; must throw. */
      readonly tooShort: (length: number) => never;
      readonly decode: (offset: number) => T;
    };

/** Hands a buffer's records up to position `end`, at most `limit` of them, to `visit`. */
export type PerfDrain<T> = (
  tally: Tally,
  buffer: PerfBuffer,
  visit: (event: T) => void,
  end: number,
  limit: number,
) => void;

/**
 * The loop over the records of a perf buffer (linux/perf_event.h, perf_event_open(2)): a header of a type, flags and the
 * size with itself; a sample of PERF_SAMPLE_RAW then has the length of its data and the data, so that these begin 4 bytes
 * behind a multiple of 8. All of it fits int32 arithmetic.
 *
 * Self-contained on purpose: `specialise` makes copies of it from its text.
 */
function perfDrainOf<T>({ memory, scratch }: PerfMemory, source: PerfRecordSource<T>): PerfDrain<T> {
  const PERF_RECORD_LOST = 2;
  const PERF_RECORD_SAMPLE = 9;
  const bytes = memory.u8;
  const words = memory.i32;
  const { lease, decode } = source;
  const { size, tooShort } = source.lease === undefined ? source : { size: 0, tooShort: undefined };
  return (tally, buffer, visit, end, limit) => {
    const { base, mask, cpu } = buffer;
    const behind = base + mask + 1;
    let { position } = buffer;
    let settled = position;
    let delivered = 0;
    try {
      while (position !== end && delivered < limit && !tally.stopped) {
        let at = base + (position & mask);
        const type = words[at >>> 2] as number;
        const total = (words[(at + 4) >>> 2] as number) >>> 16;
        if (total === 0) break;
        if (at + total > behind) {
          const before = behind - at;
          bytes.copyWithin(scratch, at, at + before);
          bytes.copyWithin(scratch + before, base, base + total - before);
          at = scratch;
        }
        position = (position + total) | 0;
        if (type === PERF_RECORD_SAMPLE) {
          // What the record itself says of it (at + 8) follows from its size.
          const length = total - 12;
          if (lease === undefined) {
            if (length < size) tooShort?.(length);
            const event = (decode as (offset: number) => T)(at + 12);
            delivered++;
            settled = position;
            visit(event);
          } else {
            lease._move(at + 12, length);
            const event = (decode as (record: RecordView, cpu: number) => T)(lease, cpu);
            delivered++;
            settled = position;
            visit(event);
          }
        } else {
          if (type === PERF_RECORD_LOST) {
            const low = (words[(at + 16) >>> 2] as number) >>> 0;
            tally.lost += low + (words[(at + 20) >>> 2] as number) * 0x100000000;
          }
          settled = position;
        }
      }
    } finally {
      // Also when a visitor throws: the record it got was delivered and must not come again.
      buffer.position = position;
      tally.delivered += delivered;
      if (settled !== position) tally.undecoded++;
    }
  };
}

/** The drain loop of one reader, for all its buffers. */
export function makePerfDrain<T>(memory: PerfMemory, source: PerfRecordSource<T>): PerfDrain<T> {
  return specialise(perfDrainOf<T>, memory, source);
}

/** What lies between two positions. */
export interface Walked {
  /** Behind the last whole record. */
  readonly end: number;
  readonly samples: number;
  /** Records that the kernel says were lost in between. */
  readonly lost: number;
}

/** Goes over the whole records from `from` on, at most `bytes` far and `limit` samples. */
export function walkRecords(
  memory: Memory,
  { base, mask }: PerfBuffer,
  from: number,
  bytes: number,
  limit: number,
): Walked {
  const PERF_RECORD_LOST = 2;
  const PERF_RECORD_SAMPLE = 9;
  const word = (walked: number) => memory.u32[(base + ((from + walked) & mask)) >>> 2] as number;
  let walked = 0;
  let samples = 0;
  let lost = 0;
  while (walked < bytes && samples < limit) {
    const total = word(walked + 4) >>> 16;
    if (total === 0 || walked + total > bytes) break;
    const type = word(walked);
    if (type === PERF_RECORD_SAMPLE) samples++;
    else if (type === PERF_RECORD_LOST) lost += word(walked + 16) + word(walked + 20) * 0x100000000;
    walked += total;
  }
  return { end: (from + walked) | 0, samples, lost };
}
