import { type Decoder, type Memory, memoryOf } from "../../object/codec/index.ts";
import { BATCH_UNSUPPORTED, type Batch } from "./batch.ts";

const inspect = Symbol.for("nodejs.util.inspect.custom");
const EMPTY = memoryOf(new ArrayBuffer(0));

/**
 * One step of an iteration. The pair is made where it is read: a loop does so behind its own question whether there is one, and
 * the engine sees that `for (const [key, value] of …)` needs neither the step nor the pair, and makes none. That is why the pair
 * is not kept: who reads `value` twice gets two arrays of the same key and value.
 */
class Step<K, V> {
  readonly done: boolean;
  readonly #key: K | undefined;
  readonly #value: V | undefined;

  constructor(done: boolean, key: K | undefined, value: V | undefined) {
    this.done = done;
    this.#key = key;
    this.#value = value;
  }

  get value(): [K, V] | undefined {
    return this.done ? undefined : [this.#key as K, this.#value as V];
  }

  /** Printed as any other result of an iterator. */
  [inspect](): IteratorResult<[K, V], undefined> {
    return { done: this.done, value: this.value } as IteratorResult<[K, V], undefined>;
  }
}

/**
 * The entries of batches, one after the other. Not a generator: going on with one costs as much as reading an entry does, and
 * the engine cannot look through it.
 */
export class BatchedEntries<K, V> implements IterableIterator<[K, V]> {
  readonly #batches: Iterator<Batch | typeof BATCH_UNSUPPORTED>;
  readonly #decodeKey: Decoder<K>;
  readonly #decodeValue: Decoder<V>;
  readonly #valueStride: number;
  readonly #otherwise: () => IterableIterator<[K, V]>;
  /** Instead of batches, where there are none. */
  #others: IterableIterator<[K, V]> | undefined;
  /** The one of those that is next. */
  #other: [K, V] | undefined;
  #memory: Memory = EMPTY;
  #left = 0;
  #last = false;
  #key = 0;
  #keyStride = 0;
  #value = 0;

  constructor(
    batches: Iterator<Batch | typeof BATCH_UNSUPPORTED>,
    decodeKey: Decoder<K>,
    decodeValue: Decoder<V>,
    valueStride: number,
    otherwise: () => IterableIterator<[K, V]>,
  ) {
    this.#batches = batches;
    this.#decodeKey = decodeKey;
    this.#decodeValue = decodeValue;
    this.#valueStride = valueStride;
    this.#otherwise = otherwise;
  }

  next(): IteratorResult<[K, V], undefined> {
    const done = this.#left === 0 && !this.#refill();
    let key: K | undefined;
    let value: V | undefined;
    if (!done) {
      this.#left--;
      if (this.#other === undefined) {
        const memory = this.#memory;
        const keyAt = this.#key;
        const valueAt = this.#value;
        this.#key = keyAt + this.#keyStride;
        this.#value = valueAt + this.#valueStride;
        key = this.#decodeKey(memory, keyAt);
        value = this.#decodeValue(memory, valueAt);
      } else {
        key = this.#other[0];
        value = this.#other[1];
      }
    }
    return new Step(done, key, value) as IteratorResult<[K, V], undefined>;
  }

  return(): IteratorResult<[K, V], undefined> {
    this.#left = 0;
    this.#end();
    this.#others?.return?.();
    return { done: true, value: undefined };
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** False when there is no more. */
  #refill(): boolean {
    if (this.#others !== undefined) return this.#nextOther(this.#others);
    while (!this.#last) {
      const { value: batch, done } = this.#batches.next();
      if (done === true) break;
      if (batch === BATCH_UNSUPPORTED) {
        this.#others = this.#otherwise();
        return this.#nextOther(this.#others);
      }
      this.#memory = batch.memory;
      this.#left = batch.count;
      this.#last = batch.last;
      this.#key = batch.keyOffset;
      this.#keyStride = batch.keyStride;
      this.#value = batch.valueOffset;
      if (batch.count > 0) return true;
    }
    this.#end();
    return false;
  }

  #nextOther(others: IterableIterator<[K, V]>): boolean {
    const { done, value } = others.next();
    this.#other = value;
    this.#left = done === true ? 0 : 1;
    return done !== true;
  }

  /** The memory of the batch is for others now. */
  #end(): void {
    this.#last = true;
    this.#memory = EMPTY;
    this.#batches.return?.();
  }
}
