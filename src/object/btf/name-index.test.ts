import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { essentialName } from "./essential-name.ts";
import { NameIndex } from "./name-index.ts";

describe("an index of names", () => {
  it("finds what a look at every string finds, before it is built and after", () => {
    const part = fc.constantFrom("a", "b", "_", "__", "___", "é", "task", "x1");
    const word = fc.array(part, { minLength: 1, maxLength: 7 }).map((parts) => parts.join(""));
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 40 }),
        fc.array(word, { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (words, asked, split) => {
          const table = new TextEncoder().encode(`${split ? "" : "\0"}${words.map((one) => `${one}\0`).join("")}`);
          const index = new NameIndex(table, split);
          const texts = new Map<number, string>();
          for (let at = 0; at < table.length; ) {
            const end = table.indexOf(0, at);
            texts.set(at, new TextDecoder().decode(table.subarray(at, end)));
            at = end + 1;
          }
          const places = (is: (text: string) => boolean) => [...texts].filter(([, text]) => is(text)).map(([at]) => at);
          for (const name of [...asked, ...words.slice(0, 8)]) {
            expect(index.first(name)).toBe(places((text) => text === name)[0]);
            expect(index.exact(name)).toEqual(places((text) => text === name));
            const essential = essentialName(name);
            // Candidates are compared by whoever asks.
            const found = index.candidates(essential).filter((at) => essentialName(texts.get(at) ?? "") === essential);
            expect(found).toEqual(places((text) => essentialName(text) === essential));
          }
        },
      ),
      { numRuns: 400 },
    );
  });
});
