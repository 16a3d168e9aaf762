const ESCAPES: Readonly<Record<number, string>> = {
  7: "\\a",
  8: "\\b",
  9: "\\t",
  10: "\\n",
  11: "\\v",
  12: "\\f",
  13: "\\r",
  34: '\\"',
  92: "\\\\",
};

/** Slices that Node's Buffer has and its types lack; several times faster than TextDecoder on short texts. */
interface Slices extends Uint8Array {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
}

function bufferOf(bytes: Uint8Array): Slices {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) as unknown as Slices;
}

/**
 * Bytes as a C string in quotes. UTF-8 text stays readable, except what would move the cursor or turn the direction of
 * writing; every other byte becomes `\xNN`, so the bytes can be told exactly from what is printed.
 */
export function quote(bytes: Uint8Array, length: number = bytes.length): string {
  let plain = true;
  for (let i = 0; i < length; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) {
      plain = false;
      break;
    }
  }
  const buffer = bufferOf(bytes);
  return plain ? `"${buffer.latin1Slice(0, length)}"` : `"${escapeBytes(buffer.subarray(0, length))}"`;
}

function escapeBytes(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; ) {
    const byte = bytes[i] as number;
    if (byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c) {
      out += String.fromCharCode(byte);
      i++;
      continue;
    }
    const length = byte < 0xc2 ? 0 : sequenceLength(bytes, i);
    const text = length === 0 ? "" : bufferOf(bytes).utf8Slice(i, i + length);
    if (length > 0 && !UNPRINTABLE.test(text)) {
      out += text;
      i += length;
    } else {
      const to = i + Math.max(1, length);
      for (; i < to; i++)
        out += ESCAPES[bytes[i] as number] ?? `\\x${(bytes[i] as number).toString(16).padStart(2, "0")}`;
    }
  }
  return out;
}

/** Controls, separators of lines, marks of direction, characters that no font has. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}\p{Co}\p{Cs}]/u;

/** Bytes of the well-formed UTF-8 sequence at `i` (RFC 3629), or 0. */
function sequenceLength(bytes: Uint8Array, i: number): number {
  const first = bytes[i] as number;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (i + length > bytes.length) return 0;
  for (let k = 1; k < length; k++) if (((bytes[i + k] as number) & 0xc0) !== 0x80) return 0;
  const second = bytes[i + 1] as number;
  if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f)) return 0;
  if ((first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return 0;
  return length;
}

/** Bytes as a JavaScript string for JSON: UTF-8; each byte that is not becomes U+FFFD. */
export function textOf(bytes: Uint8Array, length: number = bytes.length): string {
  return bufferOf(bytes).utf8Slice(0, length);
}

/** Length of the text before the closing NUL. */
export function textLength(bytes: Uint8Array): number {
  const { length } = bytes;
  // Nearly always the last byte is the NUL and the only one.
  if (length > 0 && bytes[length - 1] === 0) return length - 1;
  const end = bytes.indexOf(0);
  return end < 0 ? length : end;
}
