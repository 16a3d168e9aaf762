// Changes to a file that a reader may stumble over: numbers at places where numbers are, runs of bytes moved, the end cut.

/** A generator that gives the same numbers for the same seed (xorshift32). */
export class Random {
  constructor(seed) {
    this.seed = seed >>> 0 || 1;
    this.state = this.seed;
  }

  next() {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x >>> 0;
    return this.state;
  }

  below(limit) {
    return this.next() % limit;
  }
}

/** Numbers that counts, sizes and offsets go wrong at. */
const NUMBERS = [0, 1, 2, 7, 8, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

/** A changed copy of `seed`. Most changes are past the first 64 bytes, so that the header is still one. */
export function mutate(seed, random) {
  let bytes = seed.slice();
  const changes = 1 + random.below(4);
  for (let i = 0; i < changes && bytes.length > 8; i++) {
    const from = random.below(20) === 0 ? 0 : Math.min(64, bytes.length - 8);
    const at = from + random.below(bytes.length - 8 - from + 1);
    const view = new DataView(bytes.buffer);
    switch (random.below(7)) {
      case 0:
        bytes[at] = random.below(256);
        break;
      case 1:
        bytes[at] ^= 1 << random.below(8);
        break;
      case 2:
        view.setUint32(at & ~3, NUMBERS[random.below(NUMBERS.length)], random.below(8) !== 0);
        break;
      case 3:
        view.setUint32(at & ~3, random.below(bytes.length), true);
        break;
      case 4: {
        const length = 1 + random.below(Math.min(64, bytes.length - at));
        bytes.copyWithin(at, random.below(bytes.length - length + 1), undefined);
        break;
      }
      case 5:
        bytes.fill(random.below(2) * 255, at, at + 1 + random.below(32));
        break;
      case 6:
        if (random.below(8) === 0) bytes = bytes.slice(0, at);
        else view.setUint16(at & ~1, NUMBERS[random.below(NUMBERS.length)] & 0xffff, true);
        break;
    }
  }
  return bytes;
}
