import { Callee, Class, Jump, Opcode, Pseudo } from "./opcode.ts";

/**
 * One eBPF instruction as plain data (RFC 9669 section 3). The first five fields are the encoding; the others are names
 * that `encode` or the loader turns into numbers.
 */
export interface Instruction {
  /** 0 to 255. */
  readonly opcode: number;
  /** Destination register, 0 to 10. */
  readonly dst: number;
  /** Source register, 0 to 10; the kind of immediate or callee for wide loads and calls. */
  readonly src: number;
  /** Signed 16 bits: bytes for loads and stores, instruction slots for jumps. */
  readonly offset: number;
  /** 32 bits; taken as signed or unsigned, decoded as signed. Not looked at when `imm64` is there. */
  readonly imm: number;
  /** The immediate of a wide load (opcode 0x18); without it, `imm` sign-extended (zero-extended when `src` is not 0). */
  readonly imm64?: bigint;
  /** The name, or names, that jumps reach this instruction by. */
  readonly label?: string | readonly string[];
  /** Label that the jump, local call or function address goes to; `encode` computes the distance. */
  readonly target?: string;
  /** Name of the map whose file descriptor the loader puts into `imm64`. */
  readonly map?: string;
  /** Bytes into the value of `map`; for `src` 2, which loads a value's address. */
  readonly mapValueOffset?: number;
  /** Name of the symbol outside the object (`ObjectSpec.externs`) whose address, value or BTF id the loader puts in. */
  readonly extern?: string;
  /** What the loader computes anew against the running kernel's types (CO-RE). */
  readonly relocation?: CoreRelocation;
  /** The source line that begins here (BTF line info). */
  readonly source?: SourceLine;
  /** Id, in the object's BTF, of the function that begins here (BTF func info). */
  readonly functionType?: number;
}

/** An instruction in the making. */
export type InstructionDraft = { -readonly [K in keyof Instruction]: Instruction[K] };

/**
 * A copy, to which more is added. Field by field: where a property is added to `{ ...instruction }`, V8 before that of Node 22
 * gives every such object a hidden class of its own, which costs several times the memory and slows all that reads them.
 */
export function copyInstruction(instruction: Instruction): InstructionDraft {
  const { opcode, dst, src, offset, imm, imm64, label, target, map, mapValueOffset, extern } = instruction;
  const { relocation, source, functionType } = instruction;
  const copy: InstructionDraft = { opcode, dst, src, offset, imm };
  if (imm64 !== undefined) copy.imm64 = imm64;
  if (label !== undefined) copy.label = label;
  if (target !== undefined) copy.target = target;
  if (map !== undefined) copy.map = map;
  if (mapValueOffset !== undefined) copy.mapValueOffset = mapValueOffset;
  if (extern !== undefined) copy.extern = extern;
  if (relocation !== undefined) copy.relocation = relocation;
  if (source !== undefined) copy.source = source;
  if (functionType !== undefined) copy.functionType = functionType;
  return copy;
}

/** The kinds of CO-RE relocation (linux/bpf.h, enum bpf_core_relo_kind). */
export type CoreKind =
  | "fieldByteOffset"
  | "fieldByteSize"
  | "fieldExists"
  | "fieldSigned"
  | "fieldLeftShift"
  | "fieldRightShift"
  | "typeIdLocal"
  | "typeIdTarget"
  | "typeExists"
  | "typeSize"
  | "enumValueExists"
  | "enumValue"
  | "typeMatches";

/** A CO-RE relocation (struct bpf_core_relo): which property of which type the instruction stands for. */
export interface CoreRelocation {
  readonly kind: CoreKind;
  /** Id of the root type in the object's BTF. */
  readonly type: number;
  /** The path from the root type: `0:1:2`; for enum values the value's index, for types `0`. */
  readonly access: string;
}

/** Where an instruction comes from. */
export interface SourceLine {
  readonly file: string;
  /** From 1 on; 0 where the compiler does not know. */
  readonly line: number;
  /** From 1 on; 0 where the compiler does not know. */
  readonly column: number;
  /** The line's text, as the object carries it. */
  readonly text: string;
}

/** How many 8-byte slots it takes: 2 for wide loads, otherwise 1. Jumps and the verifier's log count slots. */
export function slotsOf(instruction: Instruction): 1 | 2 {
  return instruction.opcode === Opcode.LOAD_IMM64 ? 2 : 1;
}

/** Where a jump's distance stands: `undefined` for instructions that go nowhere. */
export function distanceField(opcode: number, src: number): "offset" | "imm" | "imm64" | undefined {
  if (opcode === Opcode.CALL) return src === Callee.LOCAL ? "imm" : undefined;
  if (opcode === Opcode.JA32) return "imm";
  if (opcode === Opcode.LOAD_IMM64) return src === Pseudo.FUNC ? "imm64" : undefined;
  const cls = opcode & 0x07;
  if (cls !== Class.JMP && cls !== Class.JMP32) return undefined;
  const op = opcode & 0xf0;
  return op === Jump.CALL || op === Jump.EXIT ? undefined : "offset";
}
