import type { Fd } from "../sys/index.ts";

/** What became of the records of a stream so far, counted where it happens. */
export interface Tally {
  /** Handed to a callback, a batch or a queue. */
  delivered: number;
  /** Discarded by the program itself after it had reserved their room. */
  discarded: number;
  /** Records that could not be decoded: whoever read them got an error instead. */
  undecoded: number;
  /** Left out by the reader, as it was told to. */
  skipped: number;
  /** Of which the kernel says, in the stream, that it had no room for them. */
  lost: number;
  /** Found unread when the buffer was taken down. */
  abandoned: number;
  /** Set by a visitor that closes the reader or stops listening: no further record is delivered. */
  stopped: boolean;
}

export function newTally(): Tally {
  return { delivered: 0, discarded: 0, undecoded: 0, skipped: 0, lost: 0, abandoned: 0, stopped: false };
}

/**
 * What is particular to one kind of stream: where its records lie, how they are taken out and given back. Everything
 * that streams have in common (who reads, when, how much of it, what is counted) is in `EventReader`.
 */
export interface EventSource<T> {
  /** `reader of ring buffer "events"`, for messages. */
  readonly name: string;
  /** Becomes readable when there is something to read. */
  readonly descriptor: Fd;
  /**
   * Whether being readable is told once only, however much there is to read: perf events are so. Then the descriptor is
   * waited for throughout, and looked at once more whenever waiting begins.
   */
  readonly toldOnce: boolean;
  readonly tally: Tally;
  /** How many bytes its buffer holds, the smallest of them where there are several; 0 where that is not known. */
  readonly capacity: number;
  /** The greatest part of a buffer that was taken since `look`. */
  readonly taken: number;
  /** The greatest part of a buffer that is to be read up to where `look` saw the end. */
  readonly filled: number;
  /** Bytes there are to read now. */
  readonly pendingBytes: number;
  /** Lets the kernel wake us. True when a record may have come meanwhile of which nobody is told. */
  arm(): boolean;
  /** From now on the kernel shall wake nobody, as far as that can be told it: nobody waits, or we read on a timer. */
  hush(): void;
  /**
   * One look at where the producers are: records that come later are for the next drain, or a flood would never let go.
   * `quietly`: the kernel shall wake nobody for the records to come.
   */
  look(quietly: boolean): void;
  /** Hands records to `visit`, at most `limit`; how many there were, those that could not be decoded included. */
  read(visit: (event: T) => void, limit: number): number;
  /** Passes records by without decoding them, at most `limit`; how many there were. */
  skip(limit: number): number;
  /** Ends what `look` began. */
  finish(): void;
  /** Keeps what is read from now on from being given back, until `settle` (all of it) or `rewind` (none). */
  hold(): void;
  /** As if nothing had been read since `hold`. */
  rewind(): void;
  /** Gives all back that was read. */
  settle(): void;
  /** Takes down and unmaps everything; what is held was not read. Called once, and not while `read` runs. */
  close(): void;
}

/** What all streams can say of themselves. Records attempted = delivered + every cause below + what is still pending. */
export interface EventBooks {
  /** Records handed to a callback or in a batch. */
  readonly delivered: number;
  /** Records for which the kernel's buffer had no room; undefined when nobody counts them, never 0 then. */
  readonly dropped: number | undefined;
  /** Records that could not be decoded; the error said so. */
  readonly undecoded: number;
  /** Records left out while behind (`{ sample: n }`). */
  readonly skipped: number;
  /** Records that newer ones pushed out of the loop's queue (`{ dropOldest: n }`). */
  readonly displaced: number;
  /** Records that `close()` found unread and that nobody can read any more. */
  readonly abandoned: number;
  /** Records that wait in the loop's queue now. */
  readonly queued: number;
  /** Bytes that wait in the kernel's buffer now. */
  readonly pendingBytes: number;
}
