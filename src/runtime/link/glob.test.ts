import { expect, it } from "vitest";
import { globMatcher } from "./glob.ts";

it.each([
  ["vfs_*", ["vfs_", "vfs_open", "vfs_read.cold"], ["xvfs_open", "vf_open"]],
  ["*_open", ["vfs_open", "_open"], ["vfs_openat"]],
  ["vfs_?ead", ["vfs_read"], ["vfs_ead", "vfs_rread"]],
  ["a[b-d]e", ["abe", "ade"], ["aee", "ae"]],
  ["a[!b-d]e", ["aee"], ["abe", "ae"]],
  ["a.b", ["a.b"], ["axb"]],
  ["a+(b)|c$^{1}", ["a+(b)|c$^{1}"], ["aab"]],
  ["a[\\^]b", ["a^b", "a\\b"], ["acb"]],
  ["a]b", ["a]b"], ["ab"]],
  ["", [""], ["a"]],
])("%s", (pattern, fit, unfit) => {
  const matches = globMatcher(pattern);
  expect(fit.filter((name) => !matches(name))).toEqual([]);
  expect(unfit.filter(matches)).toEqual([]);
});

it("of several patterns one is enough, and a bracket has an end", () => {
  expect(["a1", "b1", "c1"].filter(globMatcher(["a*", "b*"]))).toEqual(["a1", "b1"]);
  expect(() => globMatcher("a[b")).toThrow(/bracket/);
  expect(() => globMatcher("a[]b")).toThrow(/bracket/);
  expect(() => globMatcher("a[z-a]b")).toThrow(/range/);
});
