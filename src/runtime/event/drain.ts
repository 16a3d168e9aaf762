import type { Memory } from "../../object/codec/index.ts";

/** What one drain reads from and leaves behind. Positions are the low 32 bits of the kernel's 64-bit ones. */
export interface RingState {
  readonly memory: Memory;
  /** Byte offset of the ring's data in `memory`. */
  readonly base: number;
  /** Ring size − 1. */
  readonly mask: number;
  /** Word of the producer position in `memory.i32`. */
  readonly producerWord: number;
  /** Low 32 bits of the position up to which records were consumed. */
  position: number;
  delivered: number;
  discarded: number;
  /** Set by a visitor that closes the reader: no further record is delivered. */
  closed: boolean;
  /** True on machines that may reorder loads: headers are then read with an acquiring load. */
  readonly weaklyOrdered: boolean;
}

/** Called with each record's place. */
export type RecordVisitor = (offset: number, length: number) => void;
export type Drain = (state: RingState, visit: RecordVisitor, limit: number) => void;

/**
 * The loop over a ring buffer's records (Documentation/bpf/ringbuf.rst in the kernel): an 8-byte header whose first word
 * is the length with two flag bits (busy 1<<31, discarded 1<<30), then the record, padded to 8 bytes. All of it fits
 * int32 arithmetic. Stops at the producer position of its start, at a record still being written, or at `limit`.
 *
 * Self-contained on purpose: `ownDrain` makes copies of it from its text.
 */
function drain(state: RingState, visit: RecordVisitor, limit: number): void {
  const words = state.memory.i32;
  const { base, mask, weaklyOrdered } = state;
  const producer = Atomics.load(words, state.producerWord);
  let position = state.position;
  let delivered = 0;
  let discarded = 0;
  try {
    while (position !== producer && delivered < limit && !state.closed) {
      const at = base + (position & mask);
      const header = weaklyOrdered ? Atomics.load(words, at >>> 2) : (words[at >>> 2] as number);
      if (header < 0) break;
      const length = header & 0x3fffffff;
      position = (position + ((length + 15) & ~7)) | 0;
      if ((header & 0x40000000) !== 0) {
        discarded++;
      } else {
        delivered++;
        visit(at + 8, length);
      }
    }
  } finally {
    // Also when a visitor throws: the record it got was delivered and must not come again.
    state.position = position;
    state.delivered += delivered;
    state.discarded += discarded;
  }
}

/**
 * A drain loop of one's own. The engine specialises a function by what it saw in it; readers with different visitors
 * sharing one loop would all run its slow, general form. Where code generation is forbidden they share.
 */
export function ownDrain(): Drain {
  try {
    return new Function(`return ${drain.toString()}`)() as Drain;
  } catch {
    return drain;
  }
}
