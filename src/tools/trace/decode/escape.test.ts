import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unescapeC } from "../../../../test/support/unescape.ts";
import { quote, textLength, textOf } from "./escape.ts";

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, "utf8"));

describe("quote", () => {
  it.each([
    ["plain", '"plain"'],
    ["", '""'],
    ['say "hi" \\ \n\t\r\v\f\b\u0007', '"say \\"hi\\" \\\\ \\n\\t\\r\\v\\f\\b\\a"'],
    ["a\0b\u001b[31m\u007f", '"a\\x00b\\x1b[31m\\x7f"'],
    ["ä €  𝄞", '"ä €  𝄞"'],
  ])("%j", (text, quoted) => expect(quote(bytes(text))).toBe(quoted));

  it("shows what is no UTF-8, or would move the cursor or turn the writing, as bytes", () => {
    expect(quote(Uint8Array.of(0xff, 0xc3, 0x41))).toBe('"\\xff\\xc3A"');
    expect(quote(Uint8Array.of(0xc0, 0x80, 0xed, 0xa0, 0x80))).toBe('"\\xc0\\x80\\xed\\xa0\\x80"');
    expect(quote(bytes("\u202e\u2028\u0085"))).toBe('"\\xe2\\x80\\xae\\xe2\\x80\\xa8\\xc2\\x85"');
  });

  it("stops at the length, also in the middle of a character", () => {
    expect(quote(bytes("aä"), 2)).toBe('"a\\xc3"');
    expect(quote(bytes("abc"), 2)).toBe('"ab"');
  });

  it("can be read back to the very bytes, and has no control character", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: "binary", maxLength: 20 }).map(bytes)),
        (input) => {
          const quoted = quote(input);
          expect(quoted).not.toMatch(/[\p{Cc}\u2028\u202e]/u);
          expect([...unescapeC(quoted.slice(1, -1))]).toEqual([...input]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("text", () => {
  it("ends before the NUL", () => {
    expect(textLength(bytes("abc\0"))).toBe(3);
    expect(textLength(bytes("a\0c"))).toBe(1);
    expect(textLength(bytes("abc"))).toBe(3);
    expect(textLength(new Uint8Array(0))).toBe(0);
    expect(textOf(bytes("ä\0"), 2)).toBe("ä");
    expect(textOf(Uint8Array.of(0xff))).toBe("\ufffd");
  });
});
