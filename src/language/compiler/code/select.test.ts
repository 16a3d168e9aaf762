import { describe, expect, it } from "vitest";
import { disassemble } from "../../../object/asm/index.ts";
import { parse } from "../ssa/parse.ts";
import { verify } from "../ssa/verify.ts";
import { checkCode } from "./check.ts";
import { emitFunction, runStages } from "./emit-function.ts";
import type { CodeTarget } from "./select.ts";

const V3 = {
  byteOrder: "little",
  features: { isaV4: false, fetchAtomics: true, probeReadKernel: true, iterNum: true },
} as const;
const V4 = {
  byteOrder: "little",
  features: { isaV4: true, fetchAtomics: true, probeReadKernel: true, iterNum: true },
} as const;
const OLD = {
  byteOrder: "little",
  features: { isaV4: false, fetchAtomics: false, probeReadKernel: false, iterNum: true },
} as const;

/** The code of a function that is given as text, one instruction a line. */
function code(text: string, target: CodeTarget = V3): string[] {
  const func = parse(text);
  verify(func);
  checkCode(runStages(func, target));
  const result = emitFunction(func, target);
  if ("problem" in result) throw new Error(result.problem.kind);
  return result.code.instructions.map((instruction) => disassemble([instruction]).trim());
}

/** The code of `v9 = …` of two parameters, without what returns it. */
function operation(line: string, target?: CodeTarget): string[] {
  const lines = code(`function f(scalar, scalar)\nb0:\n  v0 = param 0\n  v1 = param 1\n  ${line}\n  return v9`, target);
  return lines.slice(0, lines.lastIndexOf("exit"));
}

/** The same with a constant in v2. */
function withConstant(line: string, value: bigint, target?: CodeTarget): string[] {
  return operation(`v2 = const ${BigInt.asUintN(64, value)}\n  ${line}`, target);
}

describe("arithmetic", () => {
  it("takes constants of 32 bits in as they are, from either side where it does not matter", () => {
    expect(withConstant("v9 = add v0, v2", 5n)).toEqual(["r0 = r1", "r0 += 5"]);
    expect(withConstant("v9 = add v2, v0", -0x8000_0000n)).toEqual(["r0 = r1", "r0 += -2147483648"]);
    expect(withConstant("v9 = sub v2, v0", 5n)).toEqual(["r0 = 5", "r0 -= r1"]);
  });

  it("loads what does not fit", () => {
    expect(withConstant("v9 = add v0, v2", 0x8000_0000n)).toEqual(["w0 = -2147483648", "r0 += r1"]);
    expect(withConstant("v9 = xor v0, v2", 0x1_0000_0000n)).toEqual(["r0 = 0x100000000 ll", "r0 ^= r1"]);
  });

  it("divides by constants without what the kernel refuses: 0 as an immediate, shifts by 64 and more", () => {
    expect(withConstant("v9 = udiv v0, v2", 0n)).toEqual(["r0 = 0"]);
    expect(withConstant("v9 = umod v0, v2", 0n)).toEqual(["r0 = r1"]);
    expect(withConstant("v9 = sdiv v0, v2", 0n, V4)).toEqual(["r0 = 0"]);
    expect(withConstant("v9 = smod v0, v2", 0n)).toEqual(["r0 = r1"]);
    expect(withConstant("v9 = shl v0, v2", 66n)).toEqual(["r0 = r1", "r0 <<= 2"]);
  });

  it("shifts and masks for powers of two, by which the kernel keeps bounds", () => {
    expect(withConstant("v9 = udiv v0, v2", 8n)).toEqual(["r0 = r1", "r0 >>= 3"]);
    expect(withConstant("v9 = umod v0, v2", 4096n)).toEqual(["r0 = r1", "r0 &= 4095"]);
    expect(withConstant("v9 = mul v0, v2", 1n << 40n)).toEqual(["r0 = r1", "r0 <<= 40"]);
    expect(withConstant("v9 = udiv v0, v2", 1n << 63n)).toEqual(["r0 = r1", "r0 >>= 63"]);
  });

  it("masks in 32 bits where that spares a constant", () => {
    expect(withConstant("v9 = and v0, v2", 0xffff_fff0n)).toEqual(["r0 = r1", "w0 &= -16"]);
    expect(withConstant("v9 = and v0, v2", 0xffff_ffffn)).toEqual(["w0 = w1"]);
  });

  it("extends by instructions of ISA v4, or by shifts", () => {
    expect(operation("v9 = sext1 v0", V4)).toEqual(["r0 = (s8)r1"]);
    expect(operation("v9 = sext4 v0")).toEqual(["r0 = r1", "r0 <<= 32", "r0 s>>= 32"]);
    expect(operation("v9 = zext2 v0")).toEqual(["r0 = r1", "r0 &= 65535"]);
    expect(operation("v9 = zext4 v0")).toEqual(["w0 = w1"]);
  });

  it("extends nothing that is extended", () => {
    const text = "v2 = global .rodata + 4 : memory\n  v3 = load4 v2\n  v9 = zext4 v3";
    expect(operation(text)).toEqual(['r5 = map[".rodata"][0]+4 ll', "r0 = *(u32 *)(r5 + 0)"]);
  });

  it("does in 32 bits what is cut to 32 bits", () => {
    expect(operation("v2 = mul v0, v1\n  v9 = zext4 v2")).toEqual(["r0 = r1", "w0 *= w2"]);
    // Used twice, it is needed whole.
    expect(operation("v2 = mul v0, v1\n  v3 = zext4 v2\n  v9 = add v3, v2")).toContain("r1 *= r2");
  });

  it("reverses by the order that the machine has not", () => {
    expect(operation("v9 = bswap2 v0")).toEqual(["r0 = r1", "r0 = be16 r0"]);
    expect(operation("v9 = bswap8 v0", { ...V3, byteOrder: "big" })).toEqual(["r0 = r1", "r0 = le64 r0"]);
  });

  it("divides signed numbers by the machine from ISA v4 on", () => {
    expect(withConstant("v9 = sdiv v0, v2", -7n, V4)).toEqual(["r0 = r1", "r0 s/= -7"]);
    expect(operation("v9 = smod v0, v1", V4)).toEqual(["r0 = r1", "r0 s%= r2"]);
    expect(operation("v9 = smod v0, v1").filter((line) => line.includes("%="))).toHaveLength(1);
  });
});

describe("comparisons", () => {
  const branch = (lines: string) =>
    code(`program f(context)
b0:
  v0 = param 0
  v1 = load8 v0
  v2 = load8 v0 + 8
  ${lines} ? b1 : b2
b1: <- b0
  v11 = const 1
  return v11
b2: <- b0
  v12 = const 2
  return v12`).find((line) => line.startsWith("if "));

  it("stand in the jump, in 64 bits", () => {
    expect(branch("branch ult v1, v2")).toMatch(/^if r\d+ >= r\d+ goto/);
    expect(branch("v5 = const 18446744073709551615\n  branch sgt v1, v5")).toMatch(/^if r\d+ s<= -1 goto/);
  });

  it("turn round where the constant is on the left", () => {
    expect(branch("v5 = const 9\n  branch ult v5, v1")).toMatch(/^if r\d+ <= 9 goto/);
  });

  it("have on the right what counts a loop's turns: old kernels see only there that it is over", () => {
    const text = (test: string): string => `program f(context)
b0:
  v0 = param 0
  v1 = load8 v0
  v2 = const 15
  v3 = const 0
  v4 = const 1
  branch ult v1, v2 ? b1 : b2
b1: <- b0
  jump b3
b2: <- b0
  jump b3
b3: <- b1, b2
  v5 = phi v1, v2
  jump b4
b4: <- b3, b5
  v6 = phi v3, v7
  branch ${test} ? b5 : b6
b5: <- b4
  store8 v0 + 8, v6
  v7 = add v6, v4
  jump b4
b6: <- b4
  return v5`;
    const test = (condition: string) => code(text(condition)).findLast((line) => line.startsWith("if "));
    const [, limit, counter] = /^if (r\d+) <= (r\d+) goto/.exec(test("ult v6, v5") ?? "") ?? [];
    expect(limit).toBeDefined();
    expect(counter).not.toBe(limit);
    expect(test("ugt v5, v6")).toBe(test("ult v6, v5"));
    expect(test("sge v6, v5")).toMatch(/^if r\d+ s> r\d+ goto/);
  });

  it("are of 32 bits where that saves an instruction", () => {
    expect(branch("v4 = zext4 v1\n  v5 = const 9\n  branch eq v4, v5")).toMatch(/^if w\d+ != 9 goto/);
    expect(branch("v4 = load4 v0 + 8\n  v5 = const 4026531840\n  branch uge v4, v5")).toMatch(
      /^if w\d+ < -268435456 goto/,
    );
    // Signed, or where the upper half matters: not.
    expect(branch("v4 = zext4 v1\n  v5 = const 9\n  branch slt v4, v5")).toMatch(/^if r/);
    expect(branch("v4 = zext4 v1\n  branch ult v4, v2")).toMatch(/^if r/);
  });

  it("of bits in common have no opposite", () => {
    expect(branch("v5 = const 6\n  branch set v1, v5")).toMatch(/^if r\d+ & 6 goto/);
  });

  it("of constants are decided", () => {
    expect(branch("v5 = const 6\n  v6 = const 7\n  branch ult v5, v6")).toBeUndefined();
  });
});

describe("memory", () => {
  it("takes constant distances into the offset", () => {
    const text = `program f(context)
b0:
  v0 = param 0
  v1 = load8 v0 : memory
  v2 = const 16
  v3 = offset v1, v2 : memory
  v4 = load4 v3 + 4
  return v4`;
    expect(code(text)).toEqual(["r5 = *(u64 *)(r1 + 0)", "r0 = *(u32 *)(r5 + 20)", "exit"]);
  });

  it("adds distances that do not fit", () => {
    const text =
      "program f(context)\nb0:\n  v0 = global .bss : memory\n  v2 = load8 v0 + 8\n  v1 = load8 v0 + 40000\n  v4 = sub v1, v2\n  return v4";
    // One address serves what it reaches.
    expect(code(text).filter((line) => line.includes(".bss"))).toHaveLength(2);
    const far =
      "program f(context)\nb0:\n  v0 = param 0\n  v1 = load8 v0\n  v2 = load8 v1 + 40000\n  return v2".replace(
        "load8 v0\n",
        "load8 v0 : kernel\n",
      );
    expect(code(far)).toEqual(["r5 = *(u64 *)(r1 + 0)", "r5 += 40000", "r0 = *(u64 *)(r5 + 0)", "exit"]);
  });

  it("stores constants as they are, but not to the context", () => {
    const text = (base: string) =>
      `program f(context)\nb0:\n  v0 = param 0\n  v1 = global .bss : memory\n  v2 = const 18446744073709551615\n  store8 ${base}, v2\n  return v2`;
    expect(code(text("v1"))).toContain("*(u64 *)(r5 + 0) = -1");
    expect(code(text("v0")).join()).toMatch(/\*\(u64 \*\)\(r1 \+ 0\) = r\d/);
  });

  it("cuts constants to what is stored", () => {
    const text =
      "program f(context)\nb0:\n  v1 = global .bss : memory\n  v2 = const 4294967295\n  store4 v1, v2\n  v3 = const 0\n  return v3";
    expect(code(text)).toContain("*(u32 *)(r5 + 0) = -1");
  });

  it("loads signed numbers by ISA v4, or by shifts", () => {
    const text = "program f(context)\nb0:\n  v0 = param 0\n  v3 = load2s v0\n  return v3";
    expect(code(text, V4)).toEqual(["r0 = *(s16 *)(r1 + 0)", "exit"]);
    expect(code(text)).toEqual(["r0 = *(u16 *)(r1 + 0)", "r0 <<= 48", "r0 s>>= 48", "exit"]);
  });

  it("reads any kernel address by the helper, into a place of its own", () => {
    const text = "program f(context)\nb0:\n  v0 = param 0\n  v1 = load8 v0 : plain\n  v2 = kload4 v1 + 12\n  return v2";
    const lines = code(text);
    expect(lines).toEqual([
      "r3 = *(u64 *)(r1 + 0)",
      "r1 = r10",
      "r1 += -8",
      "r2 = 4",
      "r3 += 12",
      "call bpf_probe_read_kernel#113",
      "r0 = *(u32 *)(r10 - 8)",
      "exit",
    ]);
    expect(code(text, OLD)).toContain("call bpf_probe_read#4");
    expect(code(text.replace("load8 v0 : plain", "load8 v0 : kernel"))).toEqual([
      "r5 = *(u64 *)(r1 + 0)",
      "r0 = *(u32 *)(r5 + 12)",
      "exit",
    ]);
  });

  it("keeps the place of a piece of stack of which a call writes a part, and the rest is there before", () => {
    const text = `program f(context)
  slot s0 24 align 8 key
  slot s1 8 align 8 other
b0:
  v0 = param 0
  v1 = slot s0
  v2 = load8 v0
  store8 v1 + 16, v2
  v3 = const 0
  branch eq v2, v3 ? b1 : b2
b1: <- b0
  v4 = slot s1
  store8 v4, v3
  v5 = call helper use#1(v4) reads 0
  jump b2
b2: <- b0, b1
  v6 = const 16
  v7 = call helper get_current_comm#16(v1, v6) writes 0
  v8 = call helper use#1(v1) reads 0
  return v8`;
    const stores = code(text).filter((line) => line.startsWith("*(u64 *)(r10"));
    expect(stores).toEqual(["*(u64 *)(r10 - 8) = r5", "*(u64 *)(r10 - 32) = 0"]);
  });

  it("asks for the old value only where it is used", () => {
    const text = (result: string) =>
      `program f(context)\nb0:\n  v0 = global .bss : memory\n  v1 = const 3\n  v2 = atomic8 add v0, v1\n  v3 = const 0\n  return ${result}`;
    expect(code(text("v3")).join()).toContain("lock *(u64 *)(r5 + 0) += r4");
    expect(code(text("v2")).join()).toMatch(/r0 = atomic64_fetch_add\(\(u64 \*\)\(r5 \+ 0\), r0\),exit/);
    expect(code(text("v3"), OLD).join()).toContain("lock *(u64 *)(r5 + 0) += r4");
  });

  it("says which atomic operation the kernel lacks", () => {
    const func = parse(
      "program f(context)\nb0:\n  v0 = global .bss : memory\n  v1 = const 3\n  v2 = atomic8 xchg v0, v1\n  return v2",
    );
    expect(emitFunction(func, OLD)).toMatchObject({ problem: { kind: "atomic", operation: "xchg", isUsed: true } });
  });
});

describe("calls", () => {
  it("get their arguments where they are made", () => {
    const text = `program f(context)
  slot s0 8 align 8 key
b0:
  v0 = param 0
  v1 = slot s0
  v2 = load8 v0
  store8 v1, v2
  v3 = map m : map
  v4 = call helper map_lookup_elem#1(v3, v1) reads 1 : memory?
  v5 = const 0
  branch eq v4, v5 ? b1 : b2
b1: <- b0
  return v5
b2: <- b0
  v6 = load8 v4
  return v6`;
    expect(code(text)).toEqual([
      "r5 = *(u64 *)(r1 + 0)",
      "*(u64 *)(r10 - 8) = r5",
      'r1 = map["m"] ll',
      "r2 = r10",
      "r2 += -8",
      "call bpf_map_lookup_elem#1",
      "if r0 == 0 goto <f#2>",
      "r0 = *(u64 *)(r0 + 0)",
      "exit",
      "r0 = 0",
      "exit",
    ]);
  });

  it("name kernel functions, functions of the object, and functions that are called back", () => {
    const func = parse(`program f(context)
b0:
  v0 = function cb : function
  v1 = const 8
  v2 = const 0
  v3 = call helper loop#181(v1, v0, v2, v2)
  v4 = call kfunc bpf_get_kmem_cache(v3)
  v5 = call function g(v4)
  return v5`);
    const result = emitFunction(func, V3);
    if ("problem" in result) throw new Error("a problem");
    const { instructions } = result.code;
    expect(
      instructions.map(({ extern, target, src }) => ({ extern, target, src })).filter((one) => one.src !== 0),
    ).toEqual([
      { extern: undefined, target: "cb", src: 4 },
      { extern: "bpf_get_kmem_cache", target: undefined, src: 2 },
      { extern: undefined, target: "g", src: 1 },
      // The move of a result to an argument.
    ]);
    expect(instructions[0]?.label).toBe("f");
  });
});

describe("what must not be handed over", () => {
  it("is a fault of the compiler, and says so", () => {
    const bound = "program f(context)\nb0:\n  v0 = param 0\n  v1 = load8 v0\n  v2 = bound v1 < 9\n  return v2";
    expect(() => code(bound)).toThrow(/bound #\d+ stands where code is made.*fault of the compiler/);
    const six = parse(
      "program f(context)\nb0:\n  v1 = const 1\n  v2 = call helper x#1(v1, v1, v1, v1, v1, v1)\n  return v2",
    );
    expect(() => emitFunction(six, V3)).toThrow("A call has 6 arguments.");
  });
});
