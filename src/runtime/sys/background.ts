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

/** Words of a call in native/skep.c: the number, six arguments, where to store the result, the result. */
const WORDS = 9;
const STORE = 7;
const RESULT = 8;
/** No call gives this: it has not been made yet. */
const PENDING = 1n << 62n;

/**
 * System calls that are made one after the other on a thread beside, while JavaScript goes on: for those that take the
 * kernel milliseconds and whose results are not needed at once. One batch at a time; `join()` must be called.
 */
export class BackgroundCalls {
  /** Whether a batch is under way: there is one thread beside. */
  static #busy = false;
  readonly #words: BigInt64Array;
  #calls: readonly Call[];
  #results: readonly number[] | undefined;

  private constructor(words: BigInt64Array, calls: readonly Call[]) {
    this.#words = words;
    this.#calls = calls;
  }

  /** Undefined when no thread can be had, or another batch is under way: the calls then have to be made here. */
  static start(calls: readonly Call[]): BackgroundCalls | undefined {
    if (BackgroundCalls.#busy) return undefined;
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
    BackgroundCalls.#busy = true;
    return new BackgroundCalls(words, calls);
  }

  /** `join()`, once all calls have been made: meanwhile the event loop goes on. */
  async finish(): Promise<readonly number[]> {
    const last = 1 + (this.#calls.length - 1) * WORDS + RESULT;
    while (this.#results === undefined && Atomics.load(this.#words, last) === PENDING)
      await new Promise((resolve) => setTimeout(resolve, 1));
    return this.join();
  }

  /** Waits for the calls; their results, or −errno, in order. */
  join(): readonly number[] {
    if (this.#results === undefined) {
      native().join();
      BackgroundCalls.#busy = false;
      this.#results = this.#calls.map((_, i) => Number(this.#words[1 + i * WORDS + RESULT]));
      this.#calls = [];
    }
    return this.#results;
  }
}
