import { Assembler, type Instruction, type Operand, type Register, type Target } from "../../src/object/asm/index.ts";

/** One vector of the eBPF conformance suite (test/data/bpf_conformance). */
export interface Vector {
  readonly instructions: readonly Instruction[];
  /** What r1 points to, with its length in r2; empty when the vector has none. */
  readonly memory: Uint8Array;
  /** r0 at the end. */
  readonly result: bigint;
  /** The encoding as 64-bit words, where the vector gives it. */
  readonly raw: readonly bigint[] | undefined;
}

/** Reads a vector file: sections `-- asm`, `-- mem`, `-- result`, `-- raw`; others are notes to other runners. */
export function parseVector(text: string): Vector {
  const sections = new Map<string, string[]>();
  let current: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("--")) {
      current = [];
      sections.set(line.slice(2).trim(), current);
    } else current.push(line.replace(/#.*/, "").trim());
  }
  const words = (name: string) =>
    sections
      .get(name)
      ?.join(" ")
      .split(/\s+/)
      .filter((word) => word !== "");
  const [result] = words("result") ?? [];
  const code = sections.get("asm");
  if (result === undefined || code === undefined) throw new Error("A vector needs the sections asm and result.");
  return {
    instructions: assemble(code),
    memory: Uint8Array.from(words("mem") ?? [], (byte) => Number.parseInt(byte, 16)),
    result: BigInt.asUintN(64, integer(result)),
    raw: words("raw")?.map(BigInt),
  };
}

const ALU = ["add", "sub", "mul", "div", "sdiv", "mod", "smod", "or", "and", "xor", "lsh", "rsh", "arsh", "mov"];
const COMPARE = ["jeq", "jne", "jgt", "jge", "jlt", "jle", "jsgt", "jsge", "jslt", "jsle", "jset"];
const WIDTH = { b: 8, h: 16, w: 32, dw: 64 } as const;

type Emit = (a: Assembler, operands: readonly string[]) => void;

/** The mnemonics of the suite's assembler (its bpf_assembler.cc), each as a call of Skep's. */
const MNEMONICS: Readonly<Record<string, Emit>> = Object.fromEntries([
  ...ALU.flatMap((name) => [name, `${name}32`]).map((name): [string, Emit] => [
    name,
    (a, [dst, src]) => a[name as "add"](register(dst), operand(src)),
  ]),
  ...COMPARE.flatMap((name) => [name, `${name}32`]).map((name): [string, Emit] => [
    name,
    (a, [dst, src, to]) => a[name as "jeq"](register(dst), operand(src), target(to)),
  ]),
  ...([16, 32, 64] as const).flatMap((bits): [string, Emit][] => [
    [`be${bits}`, (a, [dst]) => a.toBe(register(dst), bits)],
    [`le${bits}`, (a, [dst]) => a.toLe(register(dst), bits)],
    [`swap${bits}`, (a, [dst]) => a.bswap(register(dst), bits)],
    [`bswap${bits}`, (a, [dst]) => a.bswap(register(dst), bits)],
  ]),
  ...(["b", "h", "w", "dw"] as const).flatMap((width): [string, Emit][] => {
    const size = `u${WIDTH[width]}` as const;
    return [
      [`ldx${width}`, (a, [dst, from]) => a.load(size, register(dst), ...memory(from))],
      [`st${width}`, (a, [to, value]) => a.store(size, ...memory(to), int32(value))],
      [`stx${width}`, (a, [to, src]) => a.store(size, ...memory(to), register(src))],
    ];
  }),
  ...(["b", "h", "w"] as const).map((width): [string, Emit] => [
    `ldxs${width}`,
    (a, [dst, from]) => a.loadSigned(`i${WIDTH[width]}`, register(dst), ...memory(from)),
  ]),
  ["movsx832", (a, [dst, src]) => a.movsx8To32(register(dst), register(src))],
  ["movsx1632", (a, [dst, src]) => a.movsx16To32(register(dst), register(src))],
  ["movsx864", (a, [dst, src]) => a.movsx8(register(dst), register(src))],
  ["movsx1664", (a, [dst, src]) => a.movsx16(register(dst), register(src))],
  ["movsx3264", (a, [dst, src]) => a.movsx32(register(dst), register(src))],
  ["neg", (a, [dst]) => a.neg(register(dst))],
  ["neg32", (a, [dst]) => a.neg32(register(dst))],
  ["lddw", (a, [dst, value]) => a.loadImm64(register(dst), BigInt.asUintN(64, integer(value)))],
  ["ja", (a, [to]) => a.ja(target(to))],
  ["ja32", (a, [to]) => a.ja32(target(to))],
  ["exit", (a) => a.exit()],
  ["call", call],
  ["lock", atomic],
] satisfies [string, Emit][]);

function assemble(lines: readonly string[]): readonly Instruction[] {
  const a = new Assembler();
  let exits = 0;
  for (const line of lines) {
    if (line === "") continue;
    if (line.endsWith(":")) {
      a.label(line.slice(0, -1));
      continue;
    }
    const [mnemonic, ...operands] = line.split(/[\s,]+/) as [string, ...string[]];
    const emit = MNEMONICS[mnemonic];
    if (emit === undefined) throw new Error(`The suite's assembly has no "${mnemonic}" (in "${line}").`);
    // The first exit can be jumped to without a label.
    if (mnemonic === "exit" && exits++ === 0) a.label("exit");
    emit(a, operands);
  }
  return a.instructions();
}

function call(a: Assembler, operands: readonly string[]): void {
  const [mode, to] = operands.length === 1 ? ["helper", operands[0]] : operands;
  if (mode === "local") a.callLocal(target(to));
  else if (mode === "runtime") a.callKfunc(int32(to));
  else if (to?.startsWith("%") === true) {
    // A call through a register: compilers made it once, the kernel has never taken it.
    a.raw({ opcode: 0x8d, dst: register(to).reg, src: 0, offset: 0, imm: 0 });
  } else a.call(int32(to));
}

function atomic(a: Assembler, operands: readonly string[]): void {
  const fetch = operands[0] === "fetch";
  const [name, to, from] = (fetch ? operands.slice(1) : operands) as [string, string, string];
  const size = name.endsWith("32") ? "u32" : "u64";
  const [base, offset] = memory(to);
  const src = register(from);
  switch (name.replace(/32$/, "")) {
    case "add":
      return void (fetch ? a.fetchAdd(size, base, offset, src) : a.atomicAdd(size, base, offset, src));
    case "or":
      return void (fetch ? a.fetchOr(size, base, offset, src) : a.atomicOr(size, base, offset, src));
    case "and":
      return void (fetch ? a.fetchAnd(size, base, offset, src) : a.atomicAnd(size, base, offset, src));
    case "xor":
      return void (fetch ? a.fetchXor(size, base, offset, src) : a.atomicXor(size, base, offset, src));
    case "xchg":
      return void a.xchg(size, base, offset, src);
    case "cmpxchg":
      return void a.cmpxchg(size, base, offset, src);
    default:
      throw new Error(`The suite's assembly has no "lock ${name}".`);
  }
}

function register(text: string | undefined): Register {
  const found = /^%r(\d+)$/.exec(text ?? "");
  if (found === null) throw new Error(`"${text}" is no register.`);
  return { reg: Number(found[1]) };
}

function memory(text: string | undefined): [base: Register, offset: number] {
  const found = /^\[(%r\d+)([+-]\w+)?\]$/.exec(text ?? "");
  if (found === null) throw new Error(`"${text}" is no memory operand.`);
  return [register(found[1]), Number(integer(found[2] ?? "0"))];
}

function operand(text: string | undefined): Operand {
  return text?.startsWith("%") === true ? register(text) : int32(text);
}

function target(text = ""): Target {
  return /^[+-]/.test(text) ? Number(integer(text)) : text;
}

/** As the suite's assembler: whatever does not fit 32 bits is cut off. */
function int32(text: string | undefined): number {
  return Number(BigInt.asIntN(32, integer(text)));
}

function integer(text = ""): bigint {
  return text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text.replace(/^\+/, ""));
}
