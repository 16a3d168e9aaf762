import { describe, expect, it } from "vitest";
import { ElfMachine } from "./elf-tables.ts";
import { parseUsdtArguments } from "./usdt-argument.ts";

const x64 = (text: string) => parseUsdtArguments(text, ElfMachine.x64);
const arm64 = (text: string) => parseUsdtArguments(text, ElfMachine.arm64);
// struct pt_regs of x86-64.
const [R15, RBP, RBX, RAX, RCX, RDX, RSI, RDI, RIP, RSP] = [0, 32, 40, 80, 88, 96, 104, 112, 128, 152];

describe("arguments of x86-64", () => {
  it.each([
    ["-4@%edi", { size: 4, signed: true, kind: "register", register: RDI }],
    ["8@%rax", { size: 8, signed: false, kind: "register", register: RAX }],
    ["2@%si", { size: 2, signed: false, kind: "register", register: RSI }],
    ["-1@%dil", { size: 1, signed: true, kind: "register", register: RDI }],
    ["1@%ah", { size: 1, signed: false, kind: "register", register: RAX + 1 }],
    ["1@%r15b", { size: 1, signed: false, kind: "register", register: R15 }],
    ["4@%r15d", { size: 4, signed: false, kind: "register", register: R15 }],
    ["4@%rbx", { size: 4, signed: false, kind: "register", register: RBX }],
    ["8@%rip", { size: 8, signed: false, kind: "register", register: RIP }],
    ["-4@$-9", { size: 4, signed: true, kind: "constant", value: -9n }],
    ["8@$18446744073709551615", { size: 8, signed: false, kind: "constant", value: 2n ** 64n - 1n }],
    ["4@$0x10", { size: 4, signed: false, kind: "constant", value: 16n }],
    ["8@(%rsp)", { size: 8, signed: false, kind: "memory", register: RSP, displacement: 0n }],
    ["-4@-1204(%rbp)", { size: 4, signed: true, kind: "memory", register: RBP, displacement: -1204n }],
    ["8@0x18(%rcx)", { size: 8, signed: false, kind: "memory", register: RCX, displacement: 24n }],
    ["8@-16+8(%rcx)", { size: 8, signed: false, kind: "memory", register: RCX, displacement: -8n }],
    [
      "-1@-96(%rbp,%rax,8)",
      { size: 1, signed: true, kind: "scaled", register: RBP, displacement: -96n, index: RAX, shift: 3 },
    ],
    [
      "2@(%rbx,%rdx)",
      { size: 2, signed: false, kind: "scaled", register: RBX, displacement: 0n, index: RDX, shift: 0 },
    ],
    [
      "2@(%rbx, %rdx, 2)",
      { size: 2, signed: false, kind: "scaled", register: RBX, displacement: 0n, index: RDX, shift: 1 },
    ],
    ["4@8(,%rdx,1)", { size: 4, signed: false, kind: "memory", register: RDX, displacement: 8n }],
  ])("%s", (text, expected) => {
    expect(x64(text)).toEqual([expected]);
  });

  it("are as many as the text has", () => {
    expect(x64("")).toEqual([]);
    expect(x64("  ")).toEqual([]);
    expect(x64(" -4@%edi  8@(%rbx, %rdx, 2) 1@$1").map(({ kind }) => kind)).toEqual(["register", "scaled", "constant"]);
  });

  it("of 32 bits are found in the same registers", () => {
    expect(parseUsdtArguments("4@%ebp -4@8(%ebp)", ElfMachine.i386)).toEqual([
      { size: 4, signed: false, kind: "register", register: RBP },
      { size: 4, signed: true, kind: "memory", register: RBP, displacement: 8n },
    ]);
  });

  it.each([
    ["8@counter(%rip)", /Argument 0 of the probe, "8@counter\(%rip\)".*variable of the program's/],
    ["4@%edi 8@counter+8(%rip)", /Argument 1 of the probe/],
    ["8@16(%rip)", /variable/],
    ["8@counter", /variable/],
    ["8@counter(%rbx)", /variable/],
    ["8@%xmm0", /"%xmm0" is no register/],
    ["8f@%xmm0", /floating-point/],
    ["8@%eax", /"%eax" has 4 bytes, and the argument 8/],
    ["8@(%ax)", /2 bytes, which is no address/],
    ["8@(%rax,%rbx,3)", /no address/],
    ["8@(%rax,%rbx,1,2)", /no address/],
    ["8@(,%rbx,8)", /no base/],
    ["8@()", /no register/],
    ["8@(rax)", /no register/],
    ["8@$", /no number/],
    ["8@$a", /no number/],
    ["3@%rax", /1, 2, 4 or 8 bytes/],
    ["16@%rax", /1, 2, 4 or 8 bytes/],
    ["%rax", /does not begin with its size/],
    ["8@", /does not begin with its size/],
    ["8@(%rax", /./],
  ])("%s is refused with its reason", (text, message) => {
    expect(() => x64(text)).toThrow(
      expect.objectContaining({ code: "SKEP_USDT_ARGUMENT", message: expect.stringMatching(message) }),
    );
  });
});

describe("arguments of arm64", () => {
  it.each([
    ["8@x0", { size: 8, signed: false, kind: "register", register: 0 }],
    ["-4@w19", { size: 4, signed: true, kind: "register", register: 152 }],
    ["-4@x19", { size: 4, signed: true, kind: "register", register: 152 }],
    ["-4@-5", { size: 4, signed: true, kind: "constant", value: -5n }],
    ["8@xzr", { size: 8, signed: false, kind: "constant", value: 0n }],
    ["8@[sp]", { size: 8, signed: false, kind: "memory", register: 248, displacement: 0n }],
    ["-4@[sp, 60]", { size: 4, signed: true, kind: "memory", register: 248, displacement: 60n }],
    ["8@[x29,-16]", { size: 8, signed: false, kind: "memory", register: 232, displacement: -16n }],
    ["1@[x1, x2]", { size: 1, signed: false, kind: "scaled", register: 8, displacement: 0n, index: 16, shift: 0 }],
    [
      "8@[x1, x2, lsl 3]",
      { size: 8, signed: false, kind: "scaled", register: 8, displacement: 0n, index: 16, shift: 3 },
    ],
  ])("%s", (text, expected) => {
    expect(arm64(text)).toEqual([expected]);
  });

  it.each([
    ["8@[x1, w2, sxtw 3]", /extended/],
    ["8@[x1, w2]", /"w2" is no register of 64 bits/],
    ["8@[x1, x2, lsl 3, 4]", /no address/],
    ["8@d0", /no register/],
    ["8@w0", /4 bytes, and the argument 8/],
    ["8@[w1]", /no register of 64 bits/],
    ["8@counter", /variable/],
  ])("%s is refused with its reason", (text, message) => {
    expect(() => arm64(text)).toThrow(message);
  });

  it("are apart at blanks outside of brackets", () => {
    expect(arm64("-4@[sp, 60] 8@x1 8@[x0, 8]").map(({ kind }) => kind)).toEqual(["memory", "register", "memory"]);
  });
});

it("another machine's arguments are refused, and no arguments are none", () => {
  expect(() => parseUsdtArguments("8@a0", 243)).toThrow(/machine 243/);
  expect(parseUsdtArguments("", 243)).toEqual([]);
});
