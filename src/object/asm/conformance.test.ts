import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseVector } from "../../../test/support/conformance-assembly.ts";
import { decode, disassemble, encode } from "./index.ts";

const suite = new URL("../../../test/data/bpf_conformance/", import.meta.url);

// What the vectors compute is for the kernel to say (test/kernel/conformance.test.ts); here, that they are written right.
describe("conformance suite", () => {
  const files = readdirSync(suite).filter((file) => file.endsWith(".data"));

  it.each(files)("%s survives encoding", (file) => {
    const { instructions, raw } = parseVector(readFileSync(new URL(file, suite), "utf8"));
    const bytes = encode(instructions);
    expect(encode(decode(bytes))).toEqual(bytes);
    expect(decode(encode(decode(bytes), { bigEndian: true }), { bigEndian: true })).toEqual(decode(bytes));
    if (!file.startsWith("callx")) expect(disassemble(decode(bytes))).not.toMatch(/invalid|unknown/);
    if (raw !== undefined) expect([...new BigUint64Array(bytes.buffer)]).toEqual(raw);
  });
});
