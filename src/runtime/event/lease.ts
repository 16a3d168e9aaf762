/** What a lease is on. */
interface Held {
  settle(): void;
  rewind(): void;
}

/**
 * Records that were read and whose room the kernel does not have back yet. `commit()` gives it back; closing the lease
 * without leaves the records unread, as if nobody had seen them. Meanwhile the buffer has that much less room.
 */
export class Lease {
  /** How many events it holds. */
  readonly count: number;
  readonly #source: Held;
  #release: (() => void) | undefined;

  constructor(source: Held, count: number, release: () => void) {
    this.#source = source;
    this.count = count;
    this.#release = release;
  }

  /** The events are dealt with: their room is given back. Nothing happens when the lease is over. */
  commit(): void {
    this.#end(() => this.#source.settle());
  }

  /** Ends the lease; without a commit before, its events come again. */
  close(): void {
    this.#end(() => this.#source.rewind());
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #end(how: () => void): void {
    const release = this.#release;
    if (release === undefined) return;
    this.#release = undefined;
    how();
    release();
  }
}
