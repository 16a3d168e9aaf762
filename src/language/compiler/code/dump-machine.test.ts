import { expect, it } from "vitest";
import { withWords } from "../../../../test/support/lower-source.ts";
import { recordedTarget } from "../../../../test/support/recorded-target.ts";
import { compile } from "../compile.ts";

const mir = (source: string) => {
  const files = new Map([["a.bpf.ts", withWords(source)]]);
  const { dumps, diagnostics } = compile({ entry: "a.bpf.ts", files }, recordedTarget(), { dumps: ["mir"] });
  expect(diagnostics).toEqual([]);
  return dumps.mir ?? "";
};

it("shows the machine's instructions with virtual registers", () => {
  const text = mir(`const seen = hash(u32, u64); export const out = global(i64, 0);
    export const p = syscall(struct({ a: u64, b: i32 }), (ctx) => {
      let sum = 0;
      for (let i = 0; i < 20; i++) sum += seen.get(u32(i)) ?? 3;
      out.value = i64(sum) / ctx.b;
      if (sum > 5) return u32(-ctx.a & 0xff);
      return 7;
    });`);
  expect(text).toMatch(/^p:\nb\d+:\n {2}%0 ctx = r1\n/);
  for (const line of [
    /^b\d+: <- b\d+, b\d+ loop 1$/m,
    /^ {2}%\d+( \w+)? = phi .*%\d+/m,
    /^ {2}store32 \[slot \d+ key\], %\d+$/m,
    /^ {2}call bpf_map_lookup_elem\(map seen, &slot \d+ key\)$/m,
    /^ {2}%\d+ = r0$/m,
    /^ {2}%\d+ sum = add %\d+, %\d+$/m,
    /^ {2}%\d+( \w+)? = load64 \[%\d+\]$/m,
    /^ {2}%\d+( \w+)? = load32s \[%0 \+ 8\]$/m,
    /^ {2}%\d+ = sdiv %\d+, %\d+$/m,
    /^ {2}store64 \[%\d+\], %\d+$/m,
    /^ {2}branch %\d+ \w+ 5 \? b\d+ : b\d+$/m,
    /^ {2}%\d+ = neg %\d+$/m,
    /^ {2}return 7$/m,
  ])
    expect(text).toMatch(line);
  expect(text).not.toContain("?,");
});
