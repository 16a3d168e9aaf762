import { expect, test } from "vitest";
import { layoutDifference } from "./difference.ts";
import { array, bytes, i32, str, struct, u32, u64, u64n, union } from "./layout.ts";

const event = struct({ pid: u32, at: u64, comm: str(16), counts: array(u32, 4) });

test("layouts that read the same bytes the same are no different", () => {
  expect(layoutDifference(event, struct({ pid: u32, at: u64n, comm: str(16), counts: array(u32, 4) }))).toBe(undefined);
  expect(layoutDifference(u64, u64n)).toBe(undefined);
});

test.each([
  ["a kind", u32, i32, "value: u32, then i32"],
  ["a size", bytes(4), bytes(8), "value: bytes(4), then bytes(8)"],
  ["a length", array(u32, 2), array(u32, 3), "value: an array of 2, then an array of 3"],
  ["an element", array(u32, 2), array(i32, 2), "value[]: u32, then i32"],
  ["a place", struct({ a: u32, b: u32 }), struct({ b: u32, a: u32 }), "value.a: u32 at byte 0, then at byte 4"],
  ["a name", struct({ a: u32 }), struct({ b: u32 }), "value.a: there, then not"],
  [
    "a new field in a hole",
    struct({ a: u32, c: u64 }),
    struct({ a: u32, b: u32, c: u64 }),
    "value.b: not there, then there",
  ],
  ["a field inside", struct({ s: struct({ a: u32 }) }), struct({ s: struct({ a: i32 }) }), "value.s.a: u32, then i32"],
  ["a member of a union", union({ a: u32, b: i32 }), union({ a: u32, b: u32 }), "value.b: i32, then u32"],
])("%s is a difference", (_, before, after, words) => {
  expect(layoutDifference(before, after)).toBe(words);
});
