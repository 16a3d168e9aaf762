import type { Memory } from "./memory.ts";
import { makeTextReader, readText } from "./text.ts";

/** Strings kept for each field; a power of two. */
const SLOTS = 1024;
const SLOT_SHIFT = 32 - Math.log2(SLOTS);
/** Strings longer than this many words are not kept. */
const MAX_WORDS = 64;
/** Words that are hashed and compared without a loop. */
const UNROLLED = 16;
/** After this many reads the misses are looked at: with more of them, keeping strings costs more than it saves. */
const WINDOW = 4096;
const MOST_MISSES = WINDOW / 2;
/** How many reads to do without before strings get another chance. */
const PAUSE = 1 << 18;

/**
 * Makes the reader of one `char[size]` field, which gives back the same string object for the same text. Kernel events
 * repeat a few names over and over, and finding a known string by its words is several times cheaper than making it
 * anew. A field whose texts do not repeat is read without that for a while. `size` and every offset must be multiples
 * of 4; bytes behind the closing NUL do not count.
 *
 * With a `memory` the reader is for that memory alone and takes the offset only, which is faster still: its views are
 * constants to the engine.
 */
export function makeStringReader(size: number, memory: Memory): (offset: number) => string;
export function makeStringReader(size: number): (memory: Memory, offset: number) => string;
export function makeStringReader(size: number, memory?: Memory): unknown {
  const words = Math.min(size >> 2, MAX_WORDS);
  const parts: Record<string, unknown> = {
    text: memory === undefined ? readText : makeTextReader(memory),
    hashes: new Int32Array(SLOTS),
    // For each slot the words of its string, the last one without what follows the NUL.
    keys: new Int32Array(SLOTS * (words + 1)),
    strings: new Array<string>(SLOTS).fill(""),
  };
  const bound = memory !== undefined;
  if (bound) parts["m"] = memory;
  const place = bound ? "o" : "m,o";
  const text = `text(${place},${size})`;
  const views = "const words=m.i32;";
  // `left` counts down to the end of a window, then on below zero for as long as strings are not kept.
  const code = `
    let left=${WINDOW},misses=0;${bound ? views : ""}
    function read(${place}){if(--left<0)return ended(${place});${bound ? "" : views}${readerBody(words, size >> 2 > words, text)}}
    function ended(${place}){
      if(left<-${PAUSE}||(left===-1&&misses<=${MOST_MISSES})){left=${WINDOW};misses=0;return read(${place});}
      return ${text};
    }
    return read;`;
  return new Function(...Object.keys(parts), code)(...Object.values(parts));
}

/**
 * One pass over the words finds the end and a hash; a second compares them with the string in the hash's slot. A word
 * without a NUL never equals one cut at its NUL, so equal words mean equal text.
 */
function readerBody(words: number, mayBeLonger: boolean, text: string): string {
  const unrolled = Math.min(words, UNROLLED);
  const looped = words > unrolled;
  const zero = (word: string) => `z=(${word}-0x01010101)&~${word}&0x80808080;if(z!==0)`;
  // The lowest bit of z stands in the first byte that is NUL: what is below that byte stays.
  const cut = (word: string) => `last=${word}&(z^(z-1))>>>8;break scan;`;
  let straight = "";
  // Odd multipliers by place; the products are summed, so that no word waits for the one before it.
  for (let i = 0, k = 0x9e3779b1; i < unrolled; i++, k = Math.imul(k, 0x85ebca6b) | 1) {
    straight += `const w${i}=words[s+${i}];${zero(`w${i}`)}{n=${i};${cut(`w${i}`)}}h=h+Math.imul(w${i},${k | 0})|0;`;
  }
  const rest = `for(n=${unrolled};n<${words};n++){const w=words[s+n];${zero("w")}{${cut("w")}}h=Math.imul(h^w,0x9e3779b1);h^=h>>>15;}`;
  const tooLong = mayBeLonger ? `misses++;return ${text};` : "";
  let cases = "";
  for (let i = unrolled; i > 0; i--) cases += `case ${i}:if(keys[k+${i - 1}]!==words[s+${i - 1}])break;`;
  const compareRest = `let i=n;while(i>${unrolled}&&keys[k+i-1]===words[s+i-1])i--;`;
  return `
    const s=o>>>2;let h=0,n=${unrolled},z=0,last=0;
    scan:{${straight}${looped ? rest : ""}${tooLong}}
    h=Math.imul(h^last,0x2c1b3c6d);
    const slot=h>>>${SLOT_SHIFT};const k=slot*${words + 1};
    if(hashes[slot]===h&&keys[k+n]===last){
      ${looped ? compareRest : ""}
      switch(${looped ? "i" : "n"}){${cases}case 0:return strings[slot];}
    }
    misses++;
    const t=${text};
    for(let i=0;i<n;i++)keys[k+i]=words[s+i];
    keys[k+n]=last;hashes[slot]=h;strings[slot]=t;
    return t;`;
}
