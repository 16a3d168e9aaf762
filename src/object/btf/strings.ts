import type { Btf } from "./btf.ts";
import { readHeader } from "./header.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Strings of each base, found once for all that is built on it. */
const known = new WeakMap<Btf, ReadonlyMap<string, number>>();

/** A string table in the making: each text once; those of the base are named where they stand there. */
export class Strings {
  readonly #base: Btf | undefined;
  readonly #offsets = new Map<string, number>();
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  constructor(base: Btf | undefined) {
    this.#base = base;
    // Offset 0 is the empty text, in the base's table where there is one; the kernel wants a table with something in it.
    this.#append("");
  }

  /** The offset of a text, which is added when it is not there. */
  add(text: string): number {
    if (text === "") return 0;
    const offset = this.#offsets.get(text) ?? inBase(this.#base, text);
    return offset ?? this.#append(text);
  }

  bytes(): Uint8Array {
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #append(text: string): number {
    const offset = (this.#base?.stringsEnd ?? 0) + this.#length;
    const bytes = encoder.encode(`${text}\0`);
    this.#offsets.set(text, offset);
    this.#parts.push(bytes);
    this.#length += bytes.length;
    return offset;
  }
}

function inBase(base: Btf | undefined, text: string): number | undefined {
  if (base === undefined) return undefined;
  let texts = known.get(base);
  if (texts === undefined) {
    texts = textsOf(base);
    known.set(base, texts);
  }
  return texts.get(text) ?? inBase(base.base, text);
}

function textsOf(btf: Btf): ReadonlyMap<string, number> {
  const { strings, stringsEnd } = readHeader(btf.bytes);
  const texts = new Map<string, number>();
  for (let at = strings; at < stringsEnd; ) {
    const end = btf.bytes.indexOf(0, at);
    const text = decoder.decode(btf.bytes.subarray(at, end));
    if (!texts.has(text)) texts.set(text, btf.stringsStart + at - strings);
    at = end + 1;
  }
  return texts;
}
