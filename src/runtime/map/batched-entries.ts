import { BATCH_UNSUPPORTED, type Batch, ZERO_BYTES } from "./batch.ts";

const inspect = Symbol.for("nodejs.util.inspect.custom");

const nothing = () => undefined as never;

/**
 * One step of an iteration. The pair is made where it is read: a loop does so behind its own question whether there is one, and
 * the engine sees that `for (const [key, value] of …)` needs neither the step nor the pair, and makes none. That is why the pair
 * is not kept: who reads `value` twice gets two arrays of the same key and value.
 *
 * The engine sees it on conditions, and for them things are as they are here, in `next()` and in `KeyedMap.entries` (the escape
 * analysis of V8 11 to 14):
 * - Everything must be taken into the loop, for which there are 920 bytes of bytecode, the getter last. Private names take twice
 *   as many as others, and what is done once only is done by the generator, which the engine does not take in.
 * - Nothing that is made may be one thing or another where two ways meet, as a value would be that is undefined in the last step:
 *   so in the last step an entry is read, too, of zeros.
 */
class Step<K, V> {
  declare readonly done: boolean;
  /** What `value` is made of; of the last step, anything. */
  declare readonly k: K;
  declare readonly v: V;
  /** Never set. No loop reads the value of a last step, so the engine knows of this way that it was never gone, and leaves it out. */
  declare readonly nothing: undefined;

  constructor(done: boolean, key: K, value: V) {
    this.done = done;
    this.k = key;
    this.v = value;
    // Or a step might be no object for all the engine knows, and it keeps the step for the error that says so.
    // biome-ignore lint/correctness/noConstructorReturn: see above.
    return this;
  }

  get value(): [K, V] | undefined {
    return this.done ? this.nothing : [this.k, this.v];
  }

  /** Printed as any other result of an iterator, also as JSON. */
  [inspect](): IteratorResult<[K, V], undefined> {
    return this.toJSON();
  }

  toJSON(): IteratorResult<[K, V], undefined> {
    return { done: this.done, value: this.value } as IteratorResult<[K, V], undefined>;
  }
}

/** Reads at an offset of a batch's memory; after the last entry, where it begins with zeros. */
export interface EntryDecoders<K, V> {
  readonly key: (offset: number) => K;
  readonly value: (offset: number) => V;
}

/** What entries are read from. */
export interface EntrySource<K, V> {
  readonly batches: Iterable<Batch | typeof BATCH_UNSUPPORTED>;
  readonly decodersOf: (batch: Batch) => EntryDecoders<K, V>;
  readonly valueStride: number;
  /** Instead of batches, where there are none. */
  readonly otherwise: () => Iterable<[K, V]>;
}

/**
 * The entries of batches, one after the other. Not a generator: going on with one costs as much as reading an entry does, and
 * the engine cannot look through it.
 */
export class BatchedEntries<K, V> implements IterableIterator<[K, V]> {
  private decodeKey: (offset: number) => K = nothing;
  private decodeValue: (offset: number) => V = nothing;
  /** How many of the batch are still to come; the next one is at `keyAt` and `valueAt`. */
  private left = 0;
  private keyAt = 0;
  private valueAt = 0;
  private keyStride = 0;
  private valueStride = 0;
  /** Each step is at the first entry of a batch. */
  private readonly batches: Generator<void, void, void>;

  /** `source` is asked when the first entry is. */
  constructor(source: () => EntrySource<K, V>) {
    this.batches = this.read(source);
  }

  next(): IteratorResult<[K, V], undefined> {
    let done = false;
    if (this.left === 0 && this.batches.next().done === true) done = true;
    else this.left--;
    const { keyAt, valueAt } = this;
    this.keyAt = keyAt + this.keyStride;
    this.valueAt = valueAt + this.valueStride;
    const step = new Step(done, this.decodeKey(keyAt), this.decodeValue(valueAt));
    return step as IteratorResult<[K, V], undefined>;
  }

  return(): IteratorResult<[K, V], undefined> {
    this.left = 0;
    this.batches.return();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  [inspect](): string {
    return "BatchedEntries {}";
  }

  private *read(source: () => EntrySource<K, V>): Generator<void, void, void> {
    const { batches, decodersOf, valueStride, otherwise } = source();
    let shared = false;
    try {
      for (const batch of batches) {
        if (batch === BATCH_UNSUPPORTED) {
          yield* this.readOthers(otherwise());
          return;
        }
        ({ key: this.decodeKey, value: this.decodeValue } = decodersOf(batch));
        shared = batch.shared;
        this.left = batch.count;
        this.keyAt = batch.keyOffset;
        this.keyStride = batch.keyStride;
        this.valueAt = batch.valueOffset;
        this.valueStride = valueStride;
        if (batch.count > 0) yield;
      }
    } finally {
      // The memory is for others now, but for the zeros at its start. The decoders stay if they can, because a call that has only
      // ever called one function is quick: if their memory is kept anyhow, and an entry is not larger than the zeros.
      if (!shared || Math.max(this.keyStride, valueStride) > ZERO_BYTES) this.decodeKey = this.decodeValue = nothing;
      this.keyAt = this.valueAt = this.keyStride = this.valueStride = 0;
    }
  }

  /** An entry that comes otherwise is in hand already: what decodes hands it on. */
  private *readOthers(others: Iterable<[K, V]>): Generator<void, void, void> {
    try {
      for (const [key, value] of others) {
        this.decodeKey = () => key;
        this.decodeValue = () => value;
        this.left = 1;
        yield;
      }
    } finally {
      this.decodeKey = this.decodeValue = nothing;
    }
  }
}
