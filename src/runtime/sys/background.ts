import { native } from "./native.ts";

/** One system call: its number and arguments; buffers pass their address. */
export interface Call {
  readonly nr: number;
  readonly args: readonly (number | bigint | Uint8Array)[];
  /** Gets the result in its first 4 bytes, unless it is an error: part of what a later call reads. */
  readonly store?: Uint8Array;
  /** What memory that the arguments point to points to in turn; kept until the call has been made. */
  readonly kept?: readonly unknown[];
}

/** Words of a call in native/skep.c: the number, six arguments, where to store the result, the result, who makes it. */
const WORDS = 10;
const STORE = 7;
const RESULT = 8;
const CLAIMED = 9;
/** No call gives this: it has not been made yet. */
const PENDING = 1n << 62n;
const ECANCELED = 125;

/**
 * System calls that are made one after the other on a thread beside, while JavaScript goes on: for those that take the
 * kernel milliseconds and whose results are not needed at once. One batch at a time, which ends with `join()` or `cancel()`.
 */
export class BackgroundCalls {
  /** What the one thread beside is at; "let go": it makes no call any more, and may not have ended yet. */
  static #thread: "none" | "at work" | "let go" = "none";
  readonly #words: BigInt64Array;
  #calls: readonly Call[];
  #results: readonly number[] | undefined;
  /** How many of the calls were claimed. */
  #claimed = 0;

  private constructor(words: BigInt64Array, calls: readonly Call[]) {
    this.#words = words;
    this.#calls = calls;
  }

  /** Undefined when no thread can be had, or another batch is under way: the calls then have to be made here. */
  static start(calls: readonly Call[]): BackgroundCalls | undefined {
    BackgroundCalls.#forget();
    if (BackgroundCalls.#thread !== "none") return undefined;
    const words = new BigInt64Array(1 + calls.length * WORDS);
    words[0] = BigInt(calls.length);
    let at = 1;
    for (const { nr, args, store } of calls) {
      words[at] = BigInt(nr);
      words[at + RESULT] = PENDING;
      let word = at;
      for (const argument of args)
        words[++word] = BigInt(argument instanceof Uint8Array ? native().addressOf(argument) : argument);
      if (store !== undefined) words[at + STORE] = BigInt(native().addressOf(store));
      at += WORDS;
    }
    const result = native().background(new BigUint64Array(words.buffer), calls);
    if (result < 0) return undefined;
    BackgroundCalls.#thread = "at work";
    return new BackgroundCalls(words, calls);
  }

  /** Gives back what a thread that was let go had, once it has ended. */
  static #forget(): void {
    if (BackgroundCalls.#thread === "let go" && native().join(false)) BackgroundCalls.#thread = "none";
  }

  static #forgetLater(): void {
    setTimeout(() => {
      BackgroundCalls.#forget();
      if (BackgroundCalls.#thread === "let go") BackgroundCalls.#forgetLater();
    }, 1).unref();
  }

  /**
   * Takes a call out of the batch, to be made here or not at all. False when the thread was faster: it makes the call, or
   * has made it. The thread goes from the first to the last; who claims from the last on meets it.
   */
  claim(i: number): boolean {
    if (Atomics.compareExchange(this.#words, 1 + i * WORDS + CLAIMED, 0n, 1n) !== 0n) return false;
    this.#claimed++;
    return true;
  }

  /** Ends the batch where the thread has come to, and waits for the call that it is in. Results as of `join()`. */
  cancel(): readonly number[] {
    if (this.#results !== undefined) return this.#results;
    for (let i = this.#calls.length - 1; i >= 0 && this.#claimed < this.#calls.length; i--) this.claim(i);
    if (this.#claimed < this.#calls.length) return this.join();
    // It makes nothing any more. Perhaps it has not even begun, other threads having the CPUs: not worth waiting for.
    BackgroundCalls.#thread = "let go";
    BackgroundCalls.#forgetLater();
    this.#results = this.#calls.map(() => -ECANCELED);
    this.#calls = [];
    return this.#results;
  }

  /** `join()`, once all calls have been made: meanwhile the event loop goes on. */
  async finish(): Promise<readonly number[]> {
    const last = 1 + (this.#calls.length - 1) * WORDS + RESULT;
    while (this.#results === undefined && Atomics.load(this.#words, last) === PENDING)
      await new Promise((resolve) => setTimeout(resolve, 1));
    return this.join();
  }

  /** Waits for the calls; their results, or −errno, in order; −ECANCELED of those that were claimed. */
  join(): readonly number[] {
    if (this.#results === undefined) {
      native().join();
      BackgroundCalls.#thread = "none";
      this.#results = this.#calls.map((_, i) => {
        const result = this.#words[1 + i * WORDS + RESULT] as bigint;
        return result === PENDING ? -ECANCELED : Number(result);
      });
      this.#calls = [];
    }
    return this.#results;
  }
}
