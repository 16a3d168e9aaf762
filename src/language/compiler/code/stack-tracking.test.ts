import { describe, expect, it } from "vitest";
import { disassemble } from "../../../object/asm/index.ts";
import { parse } from "../ssa/parse.ts";
import { verify } from "../ssa/verify.ts";
import { emitFunction } from "./emit-function.ts";

const FEATURES = { isaV4: false, fetchAtomics: true, probeReadKernel: true, iterNum: false };

function code(text: string, release: string, iterNum = false): string[] {
  const func = parse(text);
  verify(func);
  const result = emitFunction(func, { byteOrder: "little", release, features: { ...FEATURES, iterNum } });
  if ("problem" in result) throw new Error("there is no code");
  return disassemble(result.code.instructions).trim().split("\n");
}
const swaps = (lines: readonly string[]): number => lines.filter((line) => /= be64/.test(line)).length;

const HANDED = `function f(memory)
b0:
  v0 = param 0
  v1 = load1 v0 + 3
  v2 = load4 v0 + 8
  v3 = load8 v0 + 16
  v4 = add v1, v2
  v5 = add v4, v3
  return v5`;

describe("numbers on the stack that old verifiers lose track of", () => {
  it("are forgotten where they come by another register than r10, and keep their size", () => {
    const lines = code(HANDED, "6.7.12");
    expect(swaps(lines)).toBe(6);
    expect(lines.filter((line) => /^r\d+ &= 255$/.test(line))).toHaveLength(1);
    expect(lines.filter((line) => /^w\d+ \|= 0$/.test(line))).toHaveLength(1);
    expect(swaps(code(HANDED, "6.8.0"))).toBe(0);
  });

  it("are forgotten at places that loops count, and not where r10 says where they are", () => {
    const text = `program p(context)
  slot s0 8 align 8 list
b0:
  v0 = param 0
  v1 = slot s0
  v2 = const 0
  store8 v1, v2
  v3 = load8 v0
  v4 = const 7
  v5 = and v3, v4
  v6 = offset v1, v5
  v7 = load1 v6
  v8 = load1 v1 + 2
  v9 = add v7, v8
  return v9`;
    expect(swaps(code(text, "6.1.0-40-amd64"))).toBe(2);
    expect(swaps(code(text, "6.12.0"))).toBe(0);
  });

  it("are not known on words around a store at a computed place, before Linux 6.4", () => {
    const text = `program p(context)
  slot s0 8 align 8 list
b0:
  v0 = param 0
  v1 = slot s0
  v2 = const 16
  store1 v1, v2
  store1 v1 + 1, v2
  v3 = load8 v0
  v4 = const 7
  v5 = and v3, v4
  v6 = offset v1, v5
  store1 v6, v3
  v7 = load1 v1 + 2
  return v7`;
    // The byte that the word begins with, and what goes to the computed place.
    expect(swaps(code(text, "5.10.0"))).toBe(4);
    expect(swaps(code(text, "6.6.0", true))).toBe(2);
    expect(swaps(code(text, "6.12.0", true))).toBe(0);
  });

  it("are left alone in values of maps and records", () => {
    const text = `program p(context)
b0:
  v0 = param 0
  v1 = map events : map
  v2 = const 8
  v3 = const 0
  v4 = call helper bpf_ringbuf_reserve#131(v1, v2, v3) takes : memory?
  branch eq v4, v3 ? b1 : b2
b1: <- b0
  return v3
b2: <- b0
  v5 = load8 v4
  v6 = const 7
  store1 v4, v6
  v7 = call helper bpf_ringbuf_submit#132(v4, v3) nothing gives back
  return v5`;
    expect(swaps(code(text, "5.10.0"))).toBe(0);
  });
});
