import type { Memory } from "../../object/codec/index.ts";
import type { Tally } from "./event-source.ts";
import type { RecordView } from "./record-view.ts";

/** One CPU's buffer as the loop reads it. */
export interface PerfBuffer {
  readonly cpu: number;
  readonly memory: Memory;
  readonly lease: RecordView;
  /** Byte offset of the records in `memory`. */
  readonly base: number;
  /** Their size − 1. */
  readonly mask: number;
  /** Low 32 bits of the position up to which records were consumed. */
  position: number;
}

/** How a record becomes what the visitor gets: by a lease on it, or by its place once it is known to be long enough. */
export type PerfRecordSource<T> =
  | { readonly size?: undefined; readonly decode: (record: RecordView, cpu: number) => T }
  | {
      readonly size: number;
      /** Called with the length of a record that is shorter than `size`; must throw. */
      readonly tooShort: (length: number) => never;
      readonly decode: (memory: Memory, offset: number) => T;
    };

/** Hands a buffer's records up to position `end`, at most `limit` of them, to `visit`. */
export type PerfDrain<T> = (
  tally: Tally,
  buffer: PerfBuffer,
  visit: (event: T) => void,
  end: number,
  limit: number,
) => void;

/** Where a record is copied to that the buffer's end cuts in two. */
export interface Scratch {
  readonly memory: Memory;
  readonly lease: RecordView;
}

/**
 * The loop over the records of a perf buffer (linux/perf_event.h, perf_event_open(2)): a header of a type, flags and the
 * size with itself; a sample of PERF_SAMPLE_RAW then has the length of its data and the data, so that these begin 4 bytes
 * behind a multiple of 8. All of it fits int32 arithmetic.
 *
 * Self-contained on purpose: `makePerfDrain` makes copies of it from its text.
 */
function perfDrainOf<T>(source: PerfRecordSource<T>, scratch: Scratch): PerfDrain<T> {
  const PERF_RECORD_LOST = 2;
  const PERF_RECORD_SAMPLE = 9;
  const { decode, size } = source;
  const tooShort = source.size === undefined ? undefined : source.tooShort;
  return (tally, buffer, visit, end, limit) => {
    const { base, mask, cpu } = buffer;
    const words = buffer.memory.i32;
    let { position } = buffer;
    let settled = position;
    let delivered = 0;
    try {
      while (position !== end && delivered < limit && !tally.stopped) {
        let at = base + (position & mask);
        const type = words[at >>> 2] as number;
        const total = (words[(at >>> 2) + 1] as number) >>> 16;
        if (total === 0) break;
        let { memory, lease } = buffer;
        const before = base + mask + 1 - at;
        if (total > before) {
          const bytes = memory.u8;
          scratch.memory.u8.set(bytes.subarray(at, at + before), 0);
          scratch.memory.u8.set(bytes.subarray(base, base + total - before), before);
          ({ memory, lease } = scratch);
          at = 0;
        }
        position = (position + total) | 0;
        if (type === PERF_RECORD_SAMPLE) {
          const length = memory.i32[(at >>> 2) + 2] as number;
          let event: T;
          if (size === undefined) {
            lease._move(at + 12, length);
            event = (decode as (record: RecordView, cpu: number) => T)(lease, cpu);
          } else {
            if (length < size) tooShort?.(length);
            event = (decode as (memory: Memory, offset: number) => T)(memory, at + 12);
          }
          delivered++;
          settled = position;
          visit(event);
        } else {
          if (type === PERF_RECORD_LOST) {
            tally.lost += (memory.u32[(at >>> 2) + 4] as number) + (memory.u32[(at >>> 2) + 5] as number) * 0x100000000;
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

/** The drain loop of one reader, as `makeDrain` makes those of rings: specialised for it where code may be generated. */
export function makePerfDrain<T>(source: PerfRecordSource<T>, scratch: Scratch): PerfDrain<T> {
  try {
    return (new Function(`return ${perfDrainOf.toString()}`)() as typeof perfDrainOf<T>)(source, scratch);
  } catch {
    return perfDrainOf(source, scratch);
  }
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
export function walkRecords({ memory, base, mask }: PerfBuffer, from: number, bytes: number, limit: number): Walked {
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
