import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { Assembler, disassemble, r0, r1 } from "../../src/object/asm/index.ts";
import type { Btf } from "../../src/object/btf/index.ts";
import { readObject } from "../../src/object/spec/index.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** A chunk of the command, as bin/skep.js loads it. */
function chunk(name: string): { disassemble: typeof disassemble; Btf: typeof Btf } {
  const file = path(`dist/cli/${name}.cjs`);
  const made = { exports: {} as never };
  new Script(readFileSync(file, "latin1"), { filename: file }).runInThisContext()(
    made.exports,
    createRequire(import.meta.url),
    made,
    file,
    path("dist/cli"),
  );
  return made.exports;
}

describe("what only the errors of skep trace need", () => {
  it("is asked for by the command's chunk, and is not in it", () => {
    const text = readFileSync(path("dist/cli/trace.cjs"), "latin1");
    expect(text.match(/\.load\("trace-rare"\)/g)?.length).toBe(2);
    expect(text).not.toContain("probe_read_kernel_str");
  });

  it("says the same as the library", () => {
    const rare = chunk("trace-rare");
    const code = new Assembler().label("f").mov(r1, 7).call("probe_read_kernel_str").mov(r0, 0).exit().instructions();
    expect(rare.disassemble(code, { slots: true, labels: true })).toBe(
      disassemble(code, { slots: true, labels: true }),
    );
    const { btf } = readObject(new Uint8Array(readFileSync(path("test/fixtures/objects/core.el.o"))));
    const bytes = (btf as Btf).bytes;
    const own = rare.Btf.parse(bytes);
    expect([own.endId, own.find("task_struct", "struct")]).toEqual([btf?.endId, btf?.find("task_struct", "struct")]);
  });
});
