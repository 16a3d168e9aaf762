import type { Memory } from "../../object/codec/index.ts";
import type { Tally } from "./event-source.ts";
import type { RecordView } from "./record-view.ts";
import { specialise } from "./specialise.ts";

/** What a drain reads from and leaves behind. Positions are the low 32 bits of the kernel's 64-bit ones. */
export interface RingState extends Tally {
  /** Low 32 bits of the position up to which records were consumed. */
  position: number;
  /** Where the last of them begins. */
  last: number;
}

/** How a record becomes what the visitor gets: by a lease on it, or by its place once it is known to be long enough. */
export type RecordSource<T> =
  | { readonly lease: RecordView; readonly decode: (record: RecordView) => T }
  | {
      readonly lease?: undefined;
      readonly size: number;
      /** Called with the length of a record that is shorter than `size`; must throw. */
      readonly tooShort: (length: number) => never;
      readonly decode: (offset: number) => T;
    };

/** After this many records what was consumed is given back, so that a large drain makes room while it is under way. */
export const COMMIT_EVERY = 8192;

/** Hands records up to position `end`, at most `limit` of them, to `visit`. */
export type Drain<T> = (state: RingState, visit: (event: T) => void, end: number, limit: number) => void;

/** Where the ring lies. */
export interface Ring {
  readonly memory: Memory;
  /** Byte offset of the ring's data in `memory`. */
  readonly base: number;
  /** Ring size − 1. */
  readonly mask: number;
  /** True on machines that may reorder loads: headers are then read with an acquiring load. */
  readonly weaklyOrdered: boolean;
}

/**
 * The loop over a ring buffer's records (Documentation/bpf/ringbuf.rst in the kernel): an 8-byte header whose first word
 * is the length with two flag bits (busy 1<<31, discarded 1<<30), then the record, padded to 8 bytes. All of it fits
 * int32 arithmetic. Stops at `end`, at a record still being written, or at `limit`.
 *
 * Self-contained on purpose: `specialise` makes copies of it from its text.
 */
function drainOf<T>(ring: Ring, source: RecordSource<T>): Drain<T> {
  const words = ring.memory.i32;
  const { base, mask, weaklyOrdered } = ring;
  const { lease, decode } = source;
  const { size, tooShort } = source.lease === undefined ? source : { size: 0, tooShort: undefined };
  return (state, visit, end, limit) => {
    let { position, last } = state;
    let settled = position;
    let delivered = 0;
    let discarded = 0;
    try {
      while (position !== end && delivered < limit && !state.stopped) {
        const at = base + (position & mask);
        const header = weaklyOrdered ? Atomics.load(words, at >>> 2) : (words[at >>> 2] as number);
        if (header < 0) break;
        const length = header & 0x3fffffff;
        last = position;
        position = (position + ((length + 15) & ~7)) | 0;
        if ((header & 0x40000000) !== 0) {
          discarded++;
          settled = position;
        } else if (lease === undefined) {
          if (length < size) tooShort?.(length);
          const event = (decode as (offset: number) => T)(at + 8);
          delivered++;
          settled = position;
          visit(event);
        } else {
          lease._move(at + 8, length);
          const event = (decode as (record: RecordView) => T)(lease);
          delivered++;
          settled = position;
          visit(event);
        }
      }
    } finally {
      // Also when a visitor throws: the record it got was delivered and must not come again.
      state.position = position;
      state.last = last;
      state.delivered += delivered;
      state.discarded += discarded;
      if (settled !== position) state.undecoded++;
    }
  };
}

/** The drain loop of one ring and one way of reading it. */
export function makeDrain<T>(ring: Ring, source: RecordSource<T>): Drain<T> {
  return specialise(drainOf<T>, ring, source);
}

/** Passes records by up to position `end`, at most `limit` of them, as if they had not been asked for; how many. */
export function skipRecords({ memory, base, mask }: Ring, state: RingState, end: number, limit: number): number {
  let skipped = 0;
  while (state.position !== end && skipped < limit) {
    const header = Atomics.load(memory.i32, (base + (state.position & mask)) >>> 2);
    if (header < 0) break;
    state.last = state.position;
    state.position = (state.position + (((header & 0x3fffffff) + 15) & ~7)) | 0;
    if ((header & 0x40000000) !== 0) state.discarded++;
    else skipped++;
  }
  state.skipped += skipped;
  return skipped;
}
