import { type Fd, Waiter } from "../sys/index.ts";
import { monotonicMs } from "./clock.ts";

/** How soon events are delivered: `coalesced` saves the traced program wake-ups, `low` delivers each at once. */
export type Latency = "coalesced" | "low";

/** Wake-ups closer together than this count as busy, and so do those closer than half a tick that bring many records. */
const BUSY_GAP_MS = 0.25;
/** Records in a millisecond that are many: well above what is quiet again. */
const MANY = 8;
const BUSY_WAKES = 8;
/** It takes about a gigabyte a second to fill a buffer of 1 MiB or more between two ticks. They are never further apart than this. */
const BYTES_PER_MS = 1 << 20;
const LONGEST_TICK_MS = 4;
/** Longer than a program runs, also one that is preempted. */
const GRACE_MS = 20;
/** Fewer records than this in a millisecond: quiet enough to be woken for each again. */
const QUIET = 4;

/** The part of a buffer that counts as pressing when one drain takes it (measured: 6 % keeps up with a flood). */
export const PRESSING = 1 / 16;

/** Milliseconds from tick to tick. Each costs some tens of microseconds, so they are as few as the buffer allows. */
export function tickOf(capacity: number): number {
  return Math.min(LONGEST_TICK_MS, Math.max(1, Math.floor(capacity / BYTES_PER_MS)));
}

/**
 * What a drain did: how many records, and whether the next one presses: it took so much that there may soon be more than fits, or as
 * much as it was to take, and there is more.
 */
export interface Drained {
  readonly records: number;
  readonly pressing: boolean;
}

/** The ring as its wake-ups need it. */
export interface Drainable {
  /** How many bytes the smallest of its buffers holds. */
  readonly capacity: number;
  /** Reads what is there. `quietly`: so that the kernel wakes nobody for the next record. */
  drain(quietly: boolean): Drained;
  /** From now on the kernel shall wake nobody, as far as that can be told it beforehand. */
  hush(): void;
  /** Lets the kernel wake us again. True when a record may have come meanwhile of which the descriptor does not tell. */
  arm(): boolean;
  /**
   * The descriptor tells of records once, not for as long as there are some. Then it is waited for throughout: what it
   * told while we were not waiting, or before the event loop knew of it, is what we look for whenever waiting begins.
   */
  readonly toldOnce: boolean;
}

/**
 * Decides when a ring is drained. While events are rare the kernel wakes us for each. Once they come thick, every
 * wake-up costs the traced program microseconds, and the kernel only wakes when the consumer has caught up: so the
 * kernel is left to believe that we never do, the ring is drained on a timer of 1 to 4 ms, and we go back when it gets quiet. A
 * drain that took a good part of the ring runs again at once, so a flood does not overrun the ring between two ticks.
 */
export class WakeUp {
  readonly #waiter: Waiter;
  readonly #ring: Drainable;
  readonly #latency: Latency;
  #timer: NodeJS.Timeout | undefined;
  /** The timer runs. */
  #pending = false;
  #tickMs = 1;
  #immediate: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;
  #lastWake = 0;
  #busyWakes = 0;
  #running = false;
  /** The descriptor is waited for. */
  #waiting = false;
  /** Draining on the timer; kept over stop and start, so that a loop which pauses for each batch stays coalesced. */
  #ticking = false;
  #pressing = false;
  #referenced = true;

  constructor(fd: Fd, latency: Latency, ring: Drainable) {
    this.#latency = latency;
    this.#ring = ring;
    this.#waiter = new Waiter(fd, () => this.#woken());
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    if (this.#ticking) this.#next(this.#pressing);
    else this.#arm(this.#ring.toldOnce);
  }

  stop(): void {
    this.#running = false;
    this.#unwait();
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    // The timer goes on to its next tick: a loop that pauses for each batch will want it again.
  }

  close(): void {
    this.stop();
    clearTimeout(this.#later);
    this.#stopTimer();
    this.#waiter.close();
  }

  ref(): void {
    this.#referenced = true;
    this.#waiter.ref();
    this.#timer?.ref();
    this.#immediate?.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#waiter.unref();
    this.#timer?.unref();
    this.#immediate?.unref();
  }

  #woken(): void {
    if (!this.#running) return;
    if (this.#ticking) {
      // A watermark between two ticks; whether it is quiet is for the next tick to say.
      if (this.#ring.drain(true).pressing) this.#next(true);
      return;
    }
    const now = monotonicMs();
    let drained: Drained | undefined;
    try {
      drained = this.#ring.drain(false);
    } finally {
      // When a visitor throws there is more to read, and perhaps nobody tells of it a second time.
      if (drained === undefined && this.#running) this.#lookAgain();
    }
    const { records, pressing } = drained;
    if (!this.#running || this.#latency === "low") return;
    const gap = now - this.#lastWake;
    const isBusy = gap < BUSY_GAP_MS || (gap < tickOf(this.#ring.capacity) / 2 && records >= MANY * gap);
    this.#busyWakes = isBusy ? this.#busyWakes + 1 : 0;
    this.#lastWake = now;
    if (pressing || this.#busyWakes >= BUSY_WAKES) {
      this.#unwait();
      this.#ring.hush();
      this.#next(pressing);
    }
  }

  #lookAgain(times = 1): void {
    clearImmediate(this.#immediate);
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined;
      if (times > 1) this.#lookAgain(times - 1);
      this.#woken();
    });
    if (!this.#referenced) this.#immediate.unref();
  }

  #tock = (): void => {
    this.#pending = false;
    this.#tick();
  };

  #tick = (): void => {
    if (!this.#running) {
      this.#stopTimer();
      // It is overdue when somebody goes on.
      this.#pressing = true;
      return;
    }
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    // When a visitor throws there is more in the ring: the timer must go on, or nothing would ever drain it again.
    let drained: Drained = { records: Number.POSITIVE_INFINITY, pressing: true };
    try {
      drained = this.#ring.drain(true);
    } finally {
      if (this.#running) this.#goOn(drained);
    }
  };

  #goOn({ records, pressing }: Drained): void {
    // What comes right behind a large drain tells nothing: the next tick does.
    if (records < QUIET * this.#tickMs && !pressing && !this.#pressing) {
      this.#busyWakes = 0;
      this.#ticking = false;
      this.#stopTimer();
      this.#arm(false);
    } else {
      this.#next(pressing);
    }
  }

  #arm(look: boolean): void {
    const mayHaveCome = this.#ring.arm();
    // Asked for once more, the event loop would let go of the descriptor, and look for it anew only when it next waits.
    const begins = !this.#waiting;
    if (begins) this.#waiter.start();
    this.#waiting = true;
    // The next immediate may come before the event loop has told the kernel of the descriptor; the one after that does not.
    if (look || mayHaveCome) this.#lookAgain(begins && this.#ring.toldOnce ? 2 : 1);
    if (!mayHaveCome) return;
    // A program may have begun before that, and write its record after we have looked.
    clearTimeout(this.#later);
    this.#later = setTimeout(() => {
      if (this.#running && !this.#ticking) this.#woken();
    }, GRACE_MS).unref();
  }

  #unwait(): void {
    if (this.#ring.toldOnce) return;
    this.#waiting = false;
    this.#waiter.stop();
  }

  #next(pressing: boolean): void {
    this.#ticking = true;
    this.#pressing = pressing;
    if (pressing) {
      clearImmediate(this.#immediate);
      this.#immediate = setImmediate(this.#tick);
      if (!this.#referenced) this.#immediate.unref();
      return;
    }
    // It may be another one now: the members of a group change.
    const tickMs = tickOf(this.#ring.capacity);
    if (tickMs !== this.#tickMs) this.#stopTimer();
    this.#tickMs = tickMs;
    // A tick to come stays where it is: a loop that pauses for each batch would put it off each time.
    if (this.#pending) return;
    this.#pending = true;
    // One timer for all ticks, wound up anew: an interval costs a sixth more, a new timer half as much again.
    if (this.#timer !== undefined) this.#timer.refresh();
    else {
      this.#timer = setTimeout(this.#tock, tickMs);
      if (!this.#referenced) this.#timer.unref();
    }
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pending = false;
  }
}
