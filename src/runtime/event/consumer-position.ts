/**
 * The position up to which a consumer has taken records, as the kernel is told it: 64 bits in shared memory, of which one
 * store of the low word does while the high one stays. Exact to 2^53 bytes, which is 104 days at 1 GB/s.
 */
export class ConsumerPosition {
  readonly #low: Int32Array;
  readonly #whole: BigUint64Array;
  #told: number;

  /** `offset`: where it stands in `buffer`, a multiple of 8. */
  constructor(buffer: ArrayBuffer, offset: number) {
    this.#low = new Int32Array(buffer, offset, 1);
    this.#whole = new BigUint64Array(buffer, offset, 1);
    this.#told = Number(Atomics.load(this.#whole, 0));
  }

  /** What the kernel was told last. */
  get told(): number {
    return this.#told;
  }

  /** Gives everything before `position` back: what was read from there is read before the kernel sees the new position. */
  tell(position: number): void {
    const high = Math.floor(this.#told / 0x100000000);
    this.#told = position;
    if (Math.floor(position / 0x100000000) === high) Atomics.store(this.#low, 0, position | 0);
    else Atomics.store(this.#whole, 0, BigInt(position));
  }
}
