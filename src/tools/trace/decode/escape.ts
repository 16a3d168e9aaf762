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

/** Node's Buffer has these and its types lack them. They take any Uint8Array, and making a Buffer of one costs more. */
const { utf8Slice, latin1Slice } = Buffer.prototype as unknown as {
  readonly utf8Slice: (this: Uint8Array, start: number, end: number) => string;
  readonly latin1Slice: (this: Uint8Array, start: number, end: number) => string;
};

/** What each ASCII byte looks like between quotes, made when it is first met. */
const ASCII: string[] = [];

function escapeByte(byte: number): string {
  const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
  return plain ? String.fromCharCode(byte) : (ESCAPES[byte] ?? `\\x${byte.toString(16).padStart(2, "0")}`);
}

/**
 * Bytes as a C string in quotes. UTF-8 text stays readable, except what would move the cursor or turn the direction of
 * writing; every other byte becomes `\xNN`, so the bytes can be told exactly from what is printed.
 */
export function quote(bytes: Uint8Array, length: number = bytes.length): string {
  for (let i = 0; i < length; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte > 0x7e || byte === 0x22 || byte === 0x5c) return `"${escapeBytes(bytes, length)}"`;
  }
  return `"${latin1Slice.call(bytes, 0, length)}"`;
}

const PLAIN_NAME = /^[\x20-\x3b\x3d\x3f-\x5b\x5d-\x7e]*$/;

/** A name as it may stand between angle brackets: escaped like a string, and the brackets, too. */
export function escapeName(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  const bytes = Buffer.from(name, "utf8");
  return escapeBytes(bytes, bytes.length).replaceAll("<", "\\x3c").replaceAll(">", "\\x3e");
}

function escapeBytes(bytes: Uint8Array, end: number): string {
  let out = "";
  for (let i = 0; i < end; ) {
    const byte = bytes[i] as number;
    if (byte < 0x80) {
      ASCII[byte] ??= escapeByte(byte);
      out += ASCII[byte];
      i++;
      continue;
    }
    const length = byte < 0xc2 ? 0 : sequenceLength(bytes, i, end);
    const text = length === 0 ? "" : utf8Slice.call(bytes, i, i + length);
    if (length > 0 && isPrintable(text)) {
      out += text;
      i += length;
    } else {
      const to = i + Math.max(1, length);
      for (; i < to; i++) out += escapeByte(bytes[i] as number);
    }
  }
  return out;
}

let unprintable: RegExp | undefined;

/** Without controls, separators of lines, marks of direction, characters that no font has. */
function isPrintable(text: string): boolean {
  // Made when it is needed: looking the classes up takes a third of a millisecond.
  unprintable ??= /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cn}\p{Co}\p{Cs}]/u;
  return !unprintable.test(text);
}

/** Bytes of the well-formed UTF-8 sequence at `i` (RFC 3629), or 0. */
function sequenceLength(bytes: Uint8Array, i: number, end: number): number {
  const first = bytes[i] as number;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (i + length > end) return 0;
  for (let k = 1; k < length; k++) if (((bytes[i + k] as number) & 0xc0) !== 0x80) return 0;
  const second = bytes[i + 1] as number;
  if ((first === 0xe0 && second < 0xa0) || (first === 0xed && second > 0x9f)) return 0;
  if ((first === 0xf0 && second < 0x90) || (first === 0xf4 && second > 0x8f)) return 0;
  return length;
}

/** Bytes as a JavaScript string for JSON: UTF-8; each byte that is not becomes U+FFFD. */
export function textOf(bytes: Uint8Array, length: number = bytes.length): string {
  return utf8Slice.call(bytes, 0, length);
}

/** The bytes in hexadecimal, when their `textOf` cannot say what they were. */
export function hexUnlessText(text: string, bytes: Uint8Array, length: number = bytes.length): string | undefined {
  return text.includes("\ufffd") ? Buffer.from(bytes.subarray(0, length)).toString("hex") : undefined;
}

/** Length of the text before the closing NUL. */
export function textLength(bytes: Uint8Array): number {
  const { length } = bytes;
  // Nearly always the last byte is the NUL and the only one.
  if (length > 0 && bytes[length - 1] === 0) return length - 1;
  const end = bytes.indexOf(0);
  return end < 0 ? length : end;
}

/** A copied buffer for JSON: its beginning as text, and its true length. */
export function bufferJson(buffer: { readonly bytes: Uint8Array; readonly length: number }): unknown {
  const data = textOf(buffer.bytes);
  // Left out when the text says it all.
  return { data, hex: hexUnlessText(data, buffer.bytes), length: buffer.length };
}
