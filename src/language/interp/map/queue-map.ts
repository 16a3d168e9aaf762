import { E2BIG, EINVAL } from "./errno.ts";
import { EXIST } from "./keyed-map.ts";
import { Codec, MachineMap, type MapPlace } from "./machine-map.ts";

/** Queues and stacks of values. */
export class QueueMachineMap<V = unknown> extends MachineMap {
  #values: Uint8Array[] = [];
  readonly #codec: Codec<V>;

  /** Made by a `Machine`. */
  constructor(place: MapPlace) {
    super(place);
    this.#codec = new Codec<V>(place.value, this.valueSize);
  }

  /** Puts a value in. Throws RangeError when the map is full. */
  push(value: V): void {
    if (this._push(this.#codec.encode(value), 0) !== 0)
      throw new RangeError(`Map "${this.name}" has room for ${this.maxEntries} values, and no more.`);
  }

  /** Takes the next value out: a queue's oldest, a stack's newest; undefined when it is empty. */
  pop(): V | undefined {
    const bytes = this._next(true);
    return bytes === undefined ? undefined : this.#codec.decode(bytes);
  }

  /** The next value, left where it is. */
  peek(): V | undefined {
    const bytes = this._next(false);
    return bytes === undefined ? undefined : this.#codec.decode(bytes);
  }

  /** How many values there are. */
  get size(): number {
    return this.#values.length;
  }

  /** @internal */
  _push(value: Uint8Array, flags: number): number {
    if ((flags & ~EXIST) !== 0) return EINVAL;
    if (this.#values.length >= this.maxEntries) {
      if (flags !== EXIST) return E2BIG;
      // Makes room: the oldest value goes.
      this.#values.shift();
    }
    this.#values.push(value.slice());
    return 0;
  }

  /** @internal */
  _next(take: boolean): Uint8Array | undefined {
    const stack = this.spec.type === "stack";
    const bytes = stack ? this.#values.at(-1) : this.#values[0];
    if (take && bytes !== undefined) {
      if (stack) this.#values.pop();
      else this.#values.shift();
    }
    return bytes;
  }
}
