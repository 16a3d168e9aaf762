import type { Memory } from "./memory.ts";

/** Reads the text of a NUL-terminated field of `size` bytes at `offset` of one memory. */
export type TextReader = (offset: number, size: number) => string;

/** Makes a string of the ASCII characters from a word on; one for each length. */
type ShortReader = (word: number) => string;

/** Above this length a call into the engine is as cheap as putting the string together from its words. */
const SHORT = 32;

/** The text of a NUL-terminated field, anywhere. Bytes that are not UTF-8 become U+FFFD. */
export function readText(memory: Memory, offset: number, size: number): string {
  const bytes = memory.u8;
  const limit = offset + size;
  let end = offset;
  while (end < limit && bytes[end] !== 0) end++;
  return memory.text.utf8Slice(offset, end);
}

/**
 * Self-contained on purpose: `makeTextReader` makes copies of it from its text.
 * Looks for the end a word at a time; short ASCII text, which most of it is, never leaves JavaScript.
 */
function readerOf(
  memory: Memory,
  anywhere: typeof readText,
  short: (length: number) => ShortReader,
  longest: number,
): TextReader {
  const words = memory.i32;
  const { text } = memory;
  const shorts = new Array<ShortReader | undefined>(longest + 1).fill(undefined);
  return (offset, size) => {
    if (((offset | size) & 3) !== 0) return anywhere(memory, offset, size);
    const first = offset >>> 2;
    const last = first + (size >>> 2);
    let word = first;
    let seen = 0;
    let length = size;
    while (word < last) {
      const value = words[word] as number;
      // The lowest bit set stands in the first byte that is NUL; bits above it may be set in error.
      const zeros = (value - 0x01010101) & ~value & 0x80808080;
      if (zeros !== 0) {
        const below = (zeros ^ (zeros - 1)) >>> 8;
        length = ((word - first) << 2) + ((32 - Math.clz32(below)) >>> 3);
        seen |= value & below;
        break;
      }
      seen |= value;
      word++;
    }
    if ((seen & 0x80808080) !== 0) return text.utf8Slice(offset, offset + length);
    if (length > longest) return text.latin1Slice(offset, offset + length);
    const read = shorts[length];
    if (read !== undefined) return read(first);
    const made = short(length);
    shorts[length] = made;
    return made(first);
  };
}

/**
 * A reader of the texts in one memory, twice as fast as `readText` where they are 4-aligned ASCII. Made from text for
 * each memory, whose views are then constants to the engine. Where code generation is forbidden it is `readText`.
 */
export function makeTextReader(memory: Memory): TextReader {
  try {
    const make = new Function(`return ${readerOf.toString()}`)() as typeof readerOf;
    return make(memory, readText, (length) => shortReader(memory, length), SHORT);
  } catch {
    return (offset, size) => readText(memory, offset, size);
  }
}

/**
 * `String.fromCharCode` with just that many arguments. A function for each length, because the engine specialises a
 * function as a whole and would start over at each length it had not seen yet.
 */
function shortReader(memory: Memory, length: number): ShortReader {
  const words = Array.from({ length: (length + 3) >> 2 }, (_, i) => `const w${i}=words[at+${i}];`);
  const characters = Array.from({ length }, (_, i) => `w${i >> 2}>>>${8 * (i & 3)}&255`);
  const body = `${words.join("")}return ${length === 0 ? '""' : `code(${characters.join(",")})`};`;
  return new Function("words", "code", `return function(at){${body}}`)(memory.i32, String.fromCharCode) as ShortReader;
}
