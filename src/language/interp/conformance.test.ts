import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseVector } from "../../../test/support/conformance-assembly.ts";
import { Machine } from "./index.ts";

const suite = new URL("../../../test/data/bpf_conformance/", import.meta.url);

// The suite lets vectors use registers and stack without setting them first: "zero".
describe("eBPF conformance suite in the machine", () => {
  const files = readdirSync(suite).filter((file) => file.endsWith(".data"));

  it("is complete", () => {
    expect(files).toHaveLength(313);
  });

  it.each(files)("%s", (file) => {
    const { instructions, memory, result } = parseVector(readFileSync(new URL(file, suite), "utf8"));
    const program = { type: "syscall", license: "GPL", instructions } as const;
    const machine = new Machine({ maps: {}, programs: { program } }, { uninitialised: "zero" });
    const context = memory.length === 0 ? undefined : memory;
    const { r0 } = machine.run("program", context, { size: memory.length });
    expect(`0x${r0.toString(16)}`).toBe(`0x${result.toString(16)}`);
  });
});
