import { helperName } from "./helper.ts";
import { distanceField, type Instruction, slotsOf } from "./instruction.ts";
import { Alu, Atomic, Callee, Class, Jump, Mode, Opcode, Pseudo, SOURCE_REGISTER, WIDTH_BITS } from "./opcode.ts";

/** What `disassemble` writes besides the instructions. */
export interface DisassembleOptions {
  /** Start each line with the slot the instruction is at, as the verifier's log counts. Default: no. */
  readonly slots?: boolean;
  /** Put a line `name:` before an instruction that has labels. Default: no. */
  readonly labels?: boolean;
  /** What a call goes to, of a program read back from the kernel, whose calls have addresses instead of helpers' numbers. */
  readonly callee?: (call: Instruction) => string | undefined;
}

/**
 * A program as text in the style of the kernel's verifier and llvm-objdump, one line an instruction. Takes anything:
 * what is no instruction prints as `invalid` with its fields.
 */
export function disassemble(instructions: readonly Instruction[], options: DisassembleOptions = {}): string {
  const labels = new Map<string, number>();
  let slot = 0;
  for (const instruction of instructions) {
    for (const name of labelsOf(instruction)) labels.set(name, slot);
    slot += slotsOf(instruction);
  }
  const lines: string[] = [];
  slot = 0;
  for (const instruction of instructions) {
    if (options.labels === true) for (const name of labelsOf(instruction)) lines.push(`${name}:`);
    const called = instruction.opcode === Opcode.CALL ? options.callee?.(instruction) : undefined;
    const text =
      called === undefined ? instructionText(instruction, destination(instruction, slot, labels)) : `call ${called}`;
    lines.push(options.slots === true ? `${slot}: ${text}` : text);
    slot += slotsOf(instruction);
  }
  return lines.join("\n");
}

function labelsOf({ label }: Instruction): readonly string[] {
  return label === undefined ? [] : typeof label === "string" ? [label] : label;
}

/** `+3`, `+3 <done>`, or `<done>` when the label is not among the instructions at hand. */
function destination(instruction: Instruction, slot: number, labels: ReadonlyMap<string, number>): string {
  const { target } = instruction;
  if (target !== undefined) {
    const at = labels.get(target);
    return at === undefined ? `<${target}>` : `${signed(at - slot - 1)} <${target}>`;
  }
  const field = distanceField(instruction.opcode, instruction.src);
  if (field === "offset") return signed(instruction.offset);
  if (field === "imm64" && instruction.imm64 !== undefined) return signed(Number(BigInt.asIntN(32, instruction.imm64)));
  return signed(instruction.imm);
}

function instructionText(i: Instruction, to: string): string {
  switch (i.opcode & 0x07) {
    case Class.LD:
      return loadText(i, to) ?? invalid(i);
    case Class.LDX:
      return memoryLoadText(i) ?? invalid(i);
    case Class.ST:
      // As above: a barrier against speculation.
      if (i.opcode === NOSPEC) return "nospec";
      return (i.opcode & 0xe0) === Mode.MEM ? `${memory("u", i, i.dst)} = ${i.imm}` : invalid(i);
    case Class.STX:
      if ((i.opcode & 0xe0) === Mode.MEM) return `${memory("u", i, i.dst)} = r${i.src}`;
      return ((i.opcode & 0xe0) === Mode.ATOMIC ? atomicText(i) : undefined) ?? invalid(i);
    case Class.ALU:
    case Class.ALU64:
      return aluText(i) ?? invalid(i);
    default:
      return jumpText(i, to) ?? invalid(i);
  }
}

/** BPF_ST | BPF_NOSPEC: the kernel's own. */
const NOSPEC = 0xc2;

function invalid({ opcode, dst, src, offset, imm }: Instruction): string {
  return `invalid (opcode 0x${opcode.toString(16)}, dst ${dst}, src ${src}, offset ${offset}, imm ${imm})`;
}

const OPERATOR: Readonly<Record<number, string>> = {
  [Alu.ADD]: "+=",
  [Alu.SUB]: "-=",
  [Alu.MUL]: "*=",
  [Alu.DIV]: "/=",
  [Alu.OR]: "|=",
  [Alu.AND]: "&=",
  [Alu.LSH]: "<<=",
  [Alu.RSH]: ">>=",
  [Alu.MOD]: "%=",
  [Alu.XOR]: "^=",
  [Alu.MOV]: "=",
  [Alu.ARSH]: "s>>=",
};

function aluText({ opcode, dst, src, offset, imm }: Instruction): string | undefined {
  const operation = opcode & 0xf0;
  const r = (opcode & 0x07) === Class.ALU64 ? "r" : "w";
  if (operation === Alu.END) {
    const order = opcode === Opcode.TO_LE ? "le" : opcode === Opcode.TO_BE ? "be" : "bswap";
    return opcode === 0xdf || (imm !== 16 && imm !== 32 && imm !== 64) ? undefined : `r${dst} = ${order}${imm} r${dst}`;
  }
  if (operation === Alu.NEG) return `${r}${dst} = -${r}${dst}`;
  const register = (opcode & SOURCE_REGISTER) !== 0;
  if (operation === Alu.MOV && offset !== 0) {
    if (!register) return undefined;
    if (offset === 8 || offset === 16 || offset === 32) return `${r}${dst} = (s${offset})${r}${src}`;
    // Only in programs that were read back: the verifier puts it there (BPF_ADDR_PERCPU, Linux 6.10).
    if (offset === -1 && (opcode & 0x07) === Class.ALU64) return `r${dst} = &(void __percpu *)(r${src})`;
    return offset === 1 ? `r${dst} = addr_space_cast(r${src}, ${imm >>> 16}, ${imm & 0xffff})` : undefined;
  }
  const operator = OPERATOR[operation];
  if (operator === undefined) return undefined;
  const isSigned = offset === 1 && (operation === Alu.DIV || operation === Alu.MOD);
  return `${r}${dst} ${isSigned ? "s" : ""}${operator} ${register ? `${r}${src}` : imm}`;
}

const COMPARISON: Readonly<Record<number, string>> = {
  [Jump.JEQ]: "==",
  [Jump.JGT]: ">",
  [Jump.JGE]: ">=",
  [Jump.JSET]: "&",
  [Jump.JNE]: "!=",
  [Jump.JSGT]: "s>",
  [Jump.JSGE]: "s>=",
  [Jump.JLT]: "<",
  [Jump.JLE]: "<=",
  [Jump.JSLT]: "s<",
  [Jump.JSLE]: "s<=",
};

function jumpText({ opcode, dst, src, imm }: Instruction, to: string): string | undefined {
  switch (opcode) {
    case Opcode.EXIT:
      return "exit";
    case Opcode.JA:
      return `goto ${to}`;
    case Opcode.JA32:
      return `gotol ${to}`;
    case Opcode.MAY_GOTO:
      return `may_goto ${to}`;
    case Opcode.CALL_REGISTER:
      // Compilers disagree on where the register stands: clang before 19 put it into imm.
      return `callx r${dst !== 0 ? dst : imm}`;
    case Opcode.CALL:
      if (src === Callee.LOCAL) return `call pc${to}`;
      if (src === Callee.KFUNC) return `call kernel-function#${imm}`;
      return src === Callee.HELPER ? `call ${helperText(imm)}#${imm}` : undefined;
  }
  const comparison = COMPARISON[opcode & 0xf0];
  if (comparison === undefined) return undefined;
  const r = (opcode & 0x07) === Class.JMP ? "r" : "w";
  const operand = (opcode & SOURCE_REGISTER) !== 0 ? `${r}${src}` : imm;
  return `if ${r}${dst} ${comparison} ${operand} goto ${to}`;
}

function helperText(id: number): string {
  const name = helperName(id);
  return name === undefined ? "unknown" : `bpf_${name}`;
}

function loadText(i: Instruction, to: string): string | undefined {
  const width = `u${WIDTH_BITS[(i.opcode >> 3) & 3]}`;
  if (i.opcode === Opcode.LOAD_IMM64) return wideText(i, to);
  if (width === "u64") return undefined;
  if ((i.opcode & 0xe0) === Mode.ABS) return `r0 = *(${width} *)skb[${i.imm}]`;
  return (i.opcode & 0xe0) === Mode.IND ? `r0 = *(${width} *)skb[r${i.src} ${plus(i.imm)}]` : undefined;
}

function wideText({ dst, src, imm, imm64, map, mapValueOffset }: Instruction, to: string): string {
  const value = BigInt.asUintN(64, imm64 ?? BigInt(src === Pseudo.VALUE ? imm : imm >>> 0));
  const low = Number(value & 0xffff_ffffn);
  const high = mapValueOffset ?? Number(value >> 32n);
  switch (src) {
    case Pseudo.VALUE:
      return `r${dst} = 0x${value.toString(16)} ll`;
    case Pseudo.MAP_FD:
      return `r${dst} = map[${map === undefined ? `fd:${low}` : JSON.stringify(map)}] ll`;
    case Pseudo.MAP_VALUE:
      return `r${dst} = map[${map === undefined ? `fd:${low}` : JSON.stringify(map)}][0]+${high} ll`;
    case Pseudo.BTF_ID:
      return `r${dst} = btf_id[${low}] ll`;
    case Pseudo.FUNC:
      return `r${dst} = func[pc${to}] ll`;
    case Pseudo.MAP_IDX:
      return `r${dst} = map[idx:${low}] ll`;
    case Pseudo.MAP_IDX_VALUE:
      return `r${dst} = map[idx:${low}][0]+${high} ll`;
    default:
      return `r${dst} = 0x${value.toString(16)} ll (unknown kind ${src})`;
  }
}

function memoryLoadText(i: Instruction): string | undefined {
  const mode = i.opcode & 0xe0;
  if (mode === Mode.MEM) return `r${i.dst} = ${memory("u", i, i.src)}`;
  return mode === Mode.MEMSX && i.opcode >> 3 !== 0x13 ? `r${i.dst} = ${memory("s", i, i.src)}` : undefined;
}

const ATOMIC_NAME: Readonly<Record<number, readonly [name: string, operator: string]>> = {
  [Atomic.ADD]: ["add", "+="],
  [Atomic.OR]: ["or", "|="],
  [Atomic.AND]: ["and", "&="],
  [Atomic.XOR]: ["xor", "^="],
};

function atomicText(i: Instruction): string | undefined {
  const { imm, src, dst } = i;
  const bits = WIDTH_BITS[(i.opcode >> 3) & 3] as number;
  if (imm === Atomic.LOAD_ACQUIRE) return `r${dst} = load_acquire(${address(bits, src, i.offset)})`;
  const at = address(bits, dst, i.offset);
  if (imm === Atomic.STORE_RELEASE) return `store_release(${at}, r${src})`;
  if (bits < 32) return undefined;
  const suffix = bits === 64 ? "64" : "";
  if (imm === Atomic.XCHG) return `r${src} = atomic${suffix}_xchg(${at}, r${src})`;
  if (imm === Atomic.CMPXCHG) return `r0 = atomic${suffix}_cmpxchg(${at}, r0, r${src})`;
  const found = ATOMIC_NAME[imm & ~Atomic.FETCH];
  if (found === undefined) return undefined;
  if ((imm & Atomic.FETCH) === 0) return `lock ${memory("u", i, dst)} ${found[1]} r${src}`;
  return `r${src} = atomic${suffix}_fetch_${found[0]}(${at}, r${src})`;
}

function memory(sign: "u" | "s", { opcode, offset }: Instruction, base: number): string {
  return `*(${sign}${WIDTH_BITS[(opcode >> 3) & 3]} *)(r${base} ${plus(offset)})`;
}

function address(bits: number, base: number, offset: number): string {
  return `(u${bits} *)(r${base} ${plus(offset)})`;
}

function plus(value: number): string {
  return value < 0 ? `- ${-value}` : `+ ${value}`;
}

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}
