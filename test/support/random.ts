/** Numbers that are the same for the same seed (mulberry32), and choices made by them. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** 32 bits. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }

  below(limit: number): number {
    return this.next() % limit;
  }

  /** From `least` to `most`, both of them among it. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True so many times in a hundred. */
  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new Error("nothing to pick from");
    return list[this.below(list.length)] as T;
  }

  /** One of those that can be, by their weights. */
  weighted<T>(choices: readonly (readonly [weight: number, what: T])[]): T {
    let at = this.below(choices.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, what] of choices) {
      if (at < weight) return what;
      at -= weight;
    }
    throw new Error("no choice has a weight");
  }

  bits(count: number): bigint {
    return BigInt.asUintN(count, (BigInt(this.next()) << 32n) | BigInt(this.next()));
  }
}
