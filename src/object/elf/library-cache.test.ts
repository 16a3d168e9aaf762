import { expect, it } from "vitest";
import { readLibraryCache } from "./index.ts";

const libraries = [
  { flags: 0x0303, name: "libssl.so.3", path: "/lib/x86_64-linux-gnu/libssl.so.3" },
  { flags: 3, name: "libz.so.1", path: "/lib32/libz.so.1" },
];
const header = { old: 16, new: 48 };
const entry = { old: 12, new: 24 };

/** The table of one form at `at`, texts counted from `texts`; the texts behind it. */
function table(form: "old" | "new", at: number, texts: number): Uint8Array {
  const first = at + header[form];
  let end = first + libraries.length * entry[form];
  const bytes = Buffer.alloc(1024);
  bytes.write(form === "old" ? "ld.so-1.7.0" : "glibc-ld.so.cache1.1", at, "latin1");
  bytes.writeUInt32LE(libraries.length, at + (form === "old" ? 12 : 20));
  const text = (value: string) => {
    const offset = end - texts;
    end += bytes.write(`${value}\0`, end, "latin1");
    return offset;
  };
  for (const [i, { flags, name, path }] of libraries.entries()) {
    const row = first + i * entry[form];
    bytes.writeInt32LE(flags, row);
    bytes.writeUInt32LE(text(name), row + 4);
    bytes.writeUInt32LE(text(path), row + 8);
  }
  return bytes.subarray(0, end);
}

it("has the libraries of the present form, of the old one, and of a file with both", () => {
  expect(readLibraryCache(table("new", 0, 0))).toEqual(libraries);
  expect(readLibraryCache(table("old", 0, header.old + 2 * entry.old))).toEqual(libraries);
  // The new table stands at the next multiple of 8 behind the old one's entries.
  const both = table("new", 40, 40);
  both.set(table("old", 0, 0).subarray(0, 16));
  expect(readLibraryCache(both)).toEqual(libraries);
});

it("is refused when it is something else, or cut short", () => {
  const refused = expect.objectContaining({ code: "SKEP_ELF" });
  expect(() => readLibraryCache(new Uint8Array(0))).toThrow(refused);
  expect(() => readLibraryCache(new TextEncoder().encode("#!/bin/sh\n".repeat(10)))).toThrow(refused);
  const whole = table("new", 0, 0);
  for (const length of [20, 47, 60, 95]) expect(() => readLibraryCache(whole.slice(0, length))).toThrow(refused);
  const old = table("old", 0, 0);
  for (const length of [11, 15, 30]) expect(() => readLibraryCache(old.slice(0, length))).toThrow(refused);
});
