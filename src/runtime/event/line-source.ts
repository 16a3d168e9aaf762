import type { Fd } from "../sys/index.ts";
import { EventQueue } from "./event-queue.ts";
import { type EventSource, newTally, type Tally } from "./event-source.ts";

/** So often is read at most before others have their turn. */
const READS = 64;

/** A stream of text that is gone once it was read: lines of it wait here until they are handed out. */
export abstract class LineSource<T> implements EventSource<T> {
  abstract readonly name: string;
  abstract readonly descriptor: Fd;
  readonly toldOnce = false;
  readonly tally: Tally = newTally();
  /** Nobody says how much there is. */
  readonly pendingBytes = 0;
  readonly filled = 0;
  protected readonly lines = new EventQueue<T>();
  #reads = 0;

  readonly capacity = 0;

  /** All that may be read at a turn was there: there may be more. */
  get taken(): number {
    return this.#reads >= READS ? 1 : 0;
  }

  arm(): boolean {
    return false;
  }

  hush(): void {}

  look(): void {
    this.#reads = 0;
  }

  read(visit: (event: T) => void, limit: number): number {
    const { tally } = this;
    let count = 0;
    while (count < limit && !tally.stopped && this.#more()) {
      for (const line of this.lines.take(1)) {
        count++;
        tally.delivered++;
        visit(line);
      }
    }
    return count;
  }

  skip(limit: number): number {
    const skipped = this.lines.take(limit).length;
    this.tally.skipped += skipped;
    return skipped;
  }

  finish(): void {}

  hold(): void {
    throw new TypeError(`What is read is gone from where it was: the ${this.name} has no lease.`);
  }

  rewind(): void {}

  settle(): void {}

  close(): void {
    this.tally.abandoned += this.lines.take().length;
    this.descriptor.close();
  }

  /** Reads once and puts what came into `lines`; false when there was nothing to read. */
  protected abstract fill(): boolean;

  #more(): boolean {
    if (this.lines.length > 0) return true;
    if (this.#reads >= READS) return false;
    this.#reads++;
    return this.fill();
  }
}
