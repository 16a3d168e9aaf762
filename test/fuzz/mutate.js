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
    switch (random.below(8)) {
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
      case 7:
        // A number that may be the id of another type, the index of a section or of a symbol.
        view.setUint32(at & ~3, random.below(100), random.below(8) !== 0);
        break;
      case 6:
        if (random.below(8) === 0) bytes = bytes.slice(0, at);
        else view.setUint16(at & ~1, NUMBERS[random.below(NUMBERS.length)] & 0xffff, true);
        break;
    }
  }
  return bytes;
}

/** Pieces that a verifier's log is made of, at places where others stand. */
const PIECES = [
  "R0",
  "R10",
  "=",
  "scalar(",
  "(bf) ",
  "from 3 to ",
  ": ",
  "frame1: ",
  "(",
  ")",
  ",",
  "-",
  "0x",
  "99999999999",
  "\n",
  "; ",
];

/** A changed copy of a text: lines moved, doubled and cut, pieces put where others stand, and noise. */
export function mutateText(seed, random) {
  let text = Buffer.from(seed).toString("latin1");
  for (let i = 1 + random.below(5); i > 0; i--) {
    const at = random.below(text.length + 1);
    const length = random.below(40);
    switch (random.below(5)) {
      case 0:
        text = text.slice(0, at) + PIECES[random.below(PIECES.length)] + text.slice(at + random.below(4));
        break;
      case 1:
        text = text.slice(0, at) + text.slice(at + length);
        break;
      case 2:
        text = text.slice(0, at) + text.slice(at, at + length).repeat(1 + random.below(20)) + text.slice(at);
        break;
      case 3: {
        const from = random.below(text.length + 1);
        text = text.slice(0, at) + text.slice(from, from + length * 4) + text.slice(at);
        break;
      }
      case 4:
        text = text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1);
        break;
    }
  }
  return new Uint8Array(Buffer.from(text, "latin1"));
}
