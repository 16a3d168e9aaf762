import { expect, it } from "vitest";
import * as kernel from "../../kernel/index.ts";
import { WORDS } from "./words.ts";

it("the words are those that skep/kernel exports", () => {
  // Classes and what serves JavaScript alone are no words of the language.
  const others = /^([A-Z][a-z]|ORIGIN$|isType$|bucket|linearBucket)/;
  const exported = Object.keys(kernel).filter((name) => !others.test(name));
  expect([...WORDS].sort()).toEqual(exported.sort());
});
