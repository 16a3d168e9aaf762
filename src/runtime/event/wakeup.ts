import { type Fd, Waiter } from "../sys/index.ts";

/** How soon events are delivered: `coalesced` saves the traced program wake-ups, `low` delivers each at once. */
export type Latency = "coalesced" | "low";

/** Wake-ups closer together than this count as busy. */
const BUSY_GAP_NS = 250_000n;
const BUSY_WAKES = 8;
const TICK_MS = 1;
/** Fewer records than this in a tick: quiet enough to be woken for each again. */
const QUIET = 4;

/** What a drain did: how many records, and whether it took so much that there may soon be more than fits. */
export interface Drained {
  readonly records: number;
  readonly pressing: boolean;
}

/**
 * Decides when a ring is drained. While events are rare the kernel wakes us for each. Once they come thick, every
 * wake-up costs the traced program microseconds, and the kernel only wakes when the consumer has caught up: so we stop
 * catching up, drain on a 1 ms timer, and go back when it gets quiet. A drain that took a good part of the ring runs
 * again at once, so a flood does not overrun the ring between two ticks.
 */
export class WakeUp {
  readonly #waiter: Waiter;
  readonly #drain: () => Drained;
  readonly #latency: Latency;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #lastWake = 0n;
  #busyWakes = 0;
  #running = false;
  /** Draining on the timer; kept over stop and start, so that a loop which pauses for each batch stays coalesced. */
  #ticking = false;
  #pressing = false;
  #referenced = true;

  constructor(fd: Fd, latency: Latency, drain: () => Drained) {
    this.#latency = latency;
    this.#drain = drain;
    this.#waiter = new Waiter(fd, () => this.#woken());
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    if (this.#ticking) this.#next(this.#pressing);
    else this.#waiter.start();
  }

  stop(): void {
    this.#running = false;
    this.#waiter.stop();
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  close(): void {
    this.stop();
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
    const now = process.hrtime.bigint();
    const { pressing } = this.#drain();
    if (!this.#running || this.#latency === "low") return;
    this.#busyWakes = now - this.#lastWake < BUSY_GAP_NS ? this.#busyWakes + 1 : 0;
    this.#lastWake = now;
    if (pressing || this.#busyWakes >= BUSY_WAKES) {
      this.#waiter.stop();
      this.#next(pressing);
    }
  }

  #tick = (): void => {
    this.#timer = undefined;
    this.#immediate = undefined;
    if (!this.#running) return;
    // When a visitor throws there is more in the ring: the timer must go on, or nothing would ever drain it again.
    let drained: Drained = { records: QUIET, pressing: true };
    try {
      drained = this.#drain();
    } finally {
      if (this.#running) this.#goOn(drained);
    }
  };

  #goOn({ records, pressing }: Drained): void {
    if (records < QUIET) {
      this.#busyWakes = 0;
      this.#ticking = false;
      this.#waiter.start();
    } else {
      this.#next(pressing);
    }
  }

  #next(pressing: boolean): void {
    this.#ticking = true;
    this.#pressing = pressing;
    if (pressing) {
      this.#immediate = setImmediate(this.#tick);
      if (!this.#referenced) this.#immediate.unref();
    } else {
      this.#timer = setTimeout(this.#tick, TICK_MS);
      if (!this.#referenced) this.#timer.unref();
    }
  }
}
