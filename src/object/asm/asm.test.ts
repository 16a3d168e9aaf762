import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  AsmError,
  Assembler,
  decode,
  disassemble,
  encode,
  Helper,
  helperName,
  type Instruction,
  Opcode,
  r0,
  r1,
  r2,
  r10,
} from "./index.ts";

const plain = { opcode: 0xb7, dst: 0, src: 0, offset: 0, imm: 0 };

const instruction: fc.Arbitrary<Instruction> = fc.oneof(
  fc.record({
    opcode: fc.integer({ min: 0, max: 255 }).filter((opcode) => opcode !== Opcode.LOAD_IMM64),
    dst: fc.integer({ min: 0, max: 10 }),
    src: fc.integer({ min: 0, max: 10 }),
    offset: fc.integer({ min: -32768, max: 32767 }),
    imm: fc.integer(),
  }),
  fc.record({
    opcode: fc.constant(Opcode.LOAD_IMM64),
    dst: fc.integer({ min: 0, max: 10 }),
    src: fc.integer({ min: 0, max: 6 }),
    offset: fc.constant(0),
    imm: fc.constant(0),
    imm64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  }),
);

describe("encode and decode", () => {
  it("are each other's inverse, in both byte orders", () => {
    fc.assert(
      fc.property(fc.array(instruction), fc.boolean(), (code, bigEndian) => {
        const bytes = encode(code, { bigEndian });
        expect(decode(bytes, { bigEndian })).toEqual(code);
        expect(encode(decode(bytes, { bigEndian }), { bigEndian })).toEqual(bytes);
      }),
    );
  });

  it("take an immediate spelled signed or unsigned, and a wide one without imm64", () => {
    expect(encode([{ ...plain, imm: 0x80000000 }])).toEqual(encode([{ ...plain, imm: -0x80000000 }]));
    const wide = (src: number) => decode(encode([{ ...plain, opcode: 0x18, src, imm: -1 }]))[0]?.imm64;
    expect(wide(0)).toBe(2n ** 64n - 1n);
    expect(wide(1)).toBe(2n ** 32n - 1n);
    expect(encode([{ ...plain, opcode: 0x18, imm64: -5n }])).toEqual(
      encode([{ ...plain, opcode: 0x18, imm64: 2n ** 64n - 5n }]),
    );
  });

  it("reads bytes that start anywhere in their buffer", () => {
    const bytes = new Uint8Array([9, ...encode([{ ...plain, imm: 3 }])]).subarray(1);
    expect(decode(bytes)).toEqual([{ ...plain, imm: 3 }]);
  });

  it.each([
    ["opcode", { opcode: 256 }, /^Instruction 0 .* opcode 256/],
    ["destination", { dst: 11 }, /destination register 11/],
    ["source", { src: -1 }, /source register -1/],
    ["offset", { offset: 40000 }, /offset 40000, which does not fit 16 bits/],
    ["fraction", { offset: 1.5 }, /offset 1.5/],
    ["immediate", { imm: 2 ** 32 }, /immediate 4294967296, which does not fit 32 bits/],
    ["not a number", { imm: Number.NaN }, /immediate NaN/],
    ["wide immediate", { opcode: 0x18, imm64: 2n ** 64n }, /does not fit 64 bits/],
    ["target of no jump", { target: "x", label: "x" }, /does not jump/],
  ])("refuses a bad %s", (_, fields, message) => {
    const code = [{ ...plain, ...fields }];
    expect(() => encode(code)).toThrow(AsmError);
    expect(() => encode(code)).toThrow(message);
  });

  it("refuses bytes that are no program", () => {
    const wide = encode([{ ...plain, opcode: 0x18, imm64: 7n }]);
    expect(() => decode(wide.subarray(0, 12))).toThrow(/12 bytes ends inside an instruction/);
    expect(() => decode(wide.subarray(0, 8))).toThrow(/Instruction 0 .* before its second half/);
    expect(() => decode(new Uint8Array([...wide.subarray(0, 8), ...encode([plain])]))).toThrow(/not its second half/);
  });
});

describe("labels", () => {
  it("several reach the same instruction, over wide instructions, both ways", () => {
    const a = new Assembler().label("top").jne(r0, 1, "a").loadImm64(r1, 5).jne(r0, 2, "b").ja("top");
    const code = a.label("a").label("b").exit().instructions();
    expect(code.at(-1)?.label).toEqual(["a", "b"]);
    expect(decode(encode(code)).map((i) => i.offset)).toEqual([4, 0, 1, -5, 0]);
  });

  it("stand in imm for calls, ja32 and function addresses", () => {
    const a = new Assembler().callLocal("f").ja32("f").loadFunction(r2, "f").label("f").exit();
    const [call, far, wide] = decode(encode(a.instructions()));
    expect([call?.imm, far?.imm, wide?.imm64, call?.offset, far?.offset]).toEqual([3, 2, 1n, 0, 0]);
    const back = new Assembler().label("f").exit().loadFunction(r2, "f");
    expect(decode(encode(back.instructions()))[1]?.imm64).toBe(BigInt.asUintN(32, -2n));
  });

  it("join those an added instruction already has", () => {
    const code = new Assembler().label("a").raw({ ...plain, label: "b" });
    expect(code.instructions()[0]?.label).toEqual(["a", "b"]);
  });

  it("must be there, once, and before an instruction", () => {
    expect(() => encode(new Assembler().ja("nowhere").instructions())).toThrow(
      /^Instruction 0 \(goto <nowhere>\) goes to the label "nowhere", which no instruction has/,
    );
    const twice = new Assembler().label("x").exit().label("x").exit().instructions();
    expect(() => encode(twice)).toThrow(/"x" is set twice, at slot 0 and at slot 1/);
    expect(() => new Assembler().exit().label("end").instructions()).toThrow(/"end" stands at the end/);
  });

  it("may be 32767 slots away, by ja32 further", () => {
    const far = (a: Assembler, fill: number) => {
      for (let i = 0; i < fill; i++) a.mov(r0, 0);
      return a.label("far").exit().instructions();
    };
    expect(decode(encode(far(new Assembler().ja("far"), 32767)))[0]?.offset).toBe(32767);
    expect(() => encode(far(new Assembler().ja("far"), 32768))).toThrow(/jumps 32768 slots to "far"/);
    expect(decode(encode(far(new Assembler().ja32("far"), 32768)))[0]?.imm).toBe(32768);
  });
});

describe("Assembler", () => {
  it.each<[string, (a: Assembler) => unknown, RegExp]>([
    ["an immediate of more than 32 bits", (a) => a.mov(r0, 2 ** 32), /loadImm64/],
    ["a bigint of more than 32 bits", (a) => a.mov(r0, 2n ** 32n), /loadImm64/],
    ["a fraction", (a) => a.add(r0, 0.5), /immediate 0.5/],
    ["an offset of more than 16 bits", (a) => a.load("u64", r0, r1, 32768), /16 bits/],
    ["a jump of more than 16 bits", (a) => a.ja(-32769), /16 bits/],
    ["a register that does not exist", (a) => a.mov(r0, { reg: 11 }), /no register r11/],
    ["arithmetic on the frame pointer", (a) => a.add(r10, 8), /frame pointer/],
    ["a load into the frame pointer", (a) => a.load("u64", r10, r1, 0), /frame pointer/],
    ["a fetch into the frame pointer", (a) => a.fetchAdd("u64", r1, 0, r10), /frame pointer/],
    ["a wide load into the frame pointer", (a) => a.loadImm64(r10, 1), /frame pointer/],
    ["a byte swap of 8 bits", (a) => a.bswap(r0, 8 as 16), /byte swap of 8 bits/],
    ["an inexact 64-bit immediate", (a) => a.loadImm64(r0, 2 ** 60), /bigint/],
    ["a 64-bit immediate of 65 bits", (a) => a.loadImm64(r0, 2n ** 64n), /64 bits/],
  ])("refuses %s", (_, write, message) => {
    expect(() => write(new Assembler())).toThrow(AsmError);
    expect(() => write(new Assembler())).toThrow(message);
  });

  it("takes a 32-bit immediate in any spelling", () => {
    const imm = (value: number | bigint) => new Assembler().mov(r0, value).instructions()[0]?.imm;
    for (const value of [-2, -2n, 0xfffffffe, 0xfffffffen, 0xfffffffffffffffen]) expect(imm(value)).toBe(-2);
  });
});

describe("disassemble", () => {
  it("takes anything", () => {
    const anything = fc.record({
      opcode: fc.integer({ min: 0, max: 255 }),
      dst: fc.nat(15),
      src: fc.nat(15),
      offset: fc.constantFrom(0, 1, 8, 16, 32, -5),
      imm: fc.oneof(fc.integer(), fc.constantFrom(0, 1, 16, 0x41, 0xe1, 0xf1, 0x100, 0x110)),
    });
    fc.assert(
      fc.property(anything, (i) => {
        expect(disassemble([i])).toMatch(/^\S.*$/);
      }),
    );
  });

  it("shows labels, slots and distances", () => {
    const a = new Assembler().label("top").loadMap(r1, "events").jsgt(r1, 5, "end").ja("top").label("end").exit();
    expect(disassemble(a.instructions(), { slots: true, labels: true }).split("\n")).toEqual([
      "top:",
      '0: r1 = map["events"] ll',
      "2: if r1 s> 5 goto +1 <end>",
      "3: goto -4 <top>",
      "end:",
      "4: exit",
    ]);
  });

  it("says which opcode is none", () => {
    expect(disassemble([{ ...plain, opcode: 0xff, imm: 3 }])).toBe(
      "invalid (opcode 0xff, dst 0, src 0, offset 0, imm 3)",
    );
  });
});

describe("programs read back from the kernel", () => {
  const plain = { dst: 0, src: 0, offset: 0, imm: 0 };
  it("have instructions of the verifier's own, and calls by name", () => {
    const back: Instruction[] = [
      { ...plain, opcode: 0xbf, dst: 1, src: 2, offset: -1 },
      { ...plain, opcode: 0xc2 },
      { ...plain, opcode: 0x85, imm: 123456 },
      { ...plain, opcode: 0x85, imm: 1 },
    ];
    expect(disassemble(back, { callee: ({ imm }) => (imm === 1 ? undefined : `function_${imm}`) }).split("\n")).toEqual(
      ["r1 = &(void __percpu *)(r2)", "nospec", "call function_123456", "call bpf_map_lookup_elem#1"],
    );
  });
});

describe("Helper", () => {
  it("has the 211 helpers of linux/bpf.h, each with its name", () => {
    expect(Object.values(Helper)).toEqual(Array.from({ length: 211 }, (_, i) => i + 1));
    expect([Helper.tail_call, Helper.ringbuf_output, Helper.loop, Helper.cgrp_storage_delete]).toEqual([
      12, 130, 181, 211,
    ]);
    expect([helperName(1), helperName(35), helperName(0), helperName(212)]).toEqual([
      "map_lookup_elem",
      "get_current_task",
      undefined,
      undefined,
    ]);
  });
});
