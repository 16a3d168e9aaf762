import {
  Callee,
  copyInstruction,
  decode,
  type Instruction,
  Opcode,
  Pseudo,
  type SourceLine,
  slotsOf,
} from "../../object/asm/index.ts";
import type { Btf } from "../../object/btf/index.ts";
import { type Fd, type InfoBuffer, kernelSymbols, loadedBtf, objectInfo } from "../sys/index.ts";
import { PROGRAM_INFO_SIZE, programInfoView } from "./program-details.ts";
import { FUNCTION_INFO_SIZE, LINE_INFO_SIZE } from "./program-info.ts";

/** One function of a program, as the kernel has it. */
export interface DumpedFunction {
  /** From the types the program was loaded with; undefined for a program without. */
  readonly name: string | undefined;
  /** The slot of its first instruction; 0 where it is not told (no types). */
  readonly slot: number;
  /** Its machine code; empty where the kernel has none or does not show it. */
  readonly machine: Uint8Array;
  /** Where that is; 0 where it is hidden. */
  readonly address: bigint;
}

/** A program read back from the kernel. */
export interface ProgramDump {
  /**
   * The instructions after the verifier's changes: accesses to the context rewritten, helpers inlined, dead code gone. With the
   * source lines and names of functions, where the program was loaded with types. Empty where the kernel does not show them.
   * A map is told by its id (`imm64`), not by a descriptor.
   */
  readonly instructions: readonly Instruction[];
  readonly functions: readonly DumpedFunction[];
  /** What a call goes to (`callee(instruction)`): the kernel has addresses there instead of numbers of helpers. */
  readonly callee: (call: Instruction) => string | undefined;
}

const TRANSLATED = { length: 20, pointer: 32 } as const;
const MACHINE = { length: 16, pointer: 24 } as const;
const ADDRESSES = { length: 104, pointer: 112 } as const;
const LENGTHS = { length: 108, pointer: 120 } as const;
const FUNCTIONS = { length: 144, pointer: 136 } as const;
const LINES = { length: 148, pointer: 152 } as const;
const FUNCTION_SIZE = 132;
const LINE_SIZE = 172;
const BTF = 128;

/**
 * Reads a program back from the kernel: its instructions after the verifier's changes, and the machine code. Throws
 * SystemError. Needs CAP_BPF and CAP_PERFMON (before Linux 5.8 CAP_SYS_ADMIN), and kernel.kptr_restrict below 2 for the machine code.
 */
export function dumpProgram({ fd }: { readonly fd: Fd }): ProgramDump {
  const first = programInfoView(fd);
  const count = (part: { readonly length: number }) => first.getUint32(part.length, true);
  const translated = new Uint8Array(count(TRANSLATED));
  const machine = new Uint8Array(count(MACHINE));
  const addresses = new BigUint64Array(count(ADDRESSES));
  const lengths = new Uint32Array(count(LENGTHS));
  const hasTypes = first.getUint32(BTF, true) !== 0;
  const functions = new Uint8Array(hasTypes ? count(FUNCTIONS) * FUNCTION_INFO_SIZE : 0);
  const lines = new Uint8Array(hasTypes ? count(LINES) * LINE_INFO_SIZE : 0);
  const info = new Uint8Array(PROGRAM_INFO_SIZE);
  const view = new DataView(info.buffer);
  const buffers: InfoBuffer[] = [];
  const want = (part: { readonly length: number; readonly pointer: number }, bytes: Uint8Array, many: number) => {
    if (bytes.length === 0) return;
    view.setUint32(part.length, many, true);
    buffers.push([part.pointer, bytes]);
  };
  want(TRANSLATED, translated, translated.length);
  want(MACHINE, machine, machine.length);
  want(ADDRESSES, new Uint8Array(addresses.buffer), addresses.length);
  want(LENGTHS, new Uint8Array(lengths.buffer), lengths.length);
  want(FUNCTIONS, functions, functions.length / FUNCTION_INFO_SIZE);
  want(LINES, lines, lines.length / LINE_INFO_SIZE);
  // The kernel refuses to fill records of other sizes than its own.
  if (functions.length > 0) view.setUint32(FUNCTION_SIZE, FUNCTION_INFO_SIZE, true);
  if (lines.length > 0) view.setUint32(LINE_SIZE, LINE_INFO_SIZE, true);
  const answer = objectInfo(fd, info, buffers);
  // Where it may not be seen the kernel takes the pointer away, and the buffer is as it was.
  const shown = answer.getBigUint64(TRANSLATED.pointer, true) !== 0n;
  const types = hasTypes ? loadedBtf(first.getUint32(BTF, true)) : undefined;
  const named = types === undefined ? [] : functionsOf(functions, types);
  const parts = cut(machine, lengths);
  const all = Array.from(
    { length: Math.max(named.length, parts.length) },
    (_, i): DumpedFunction => ({
      name: named[i]?.name,
      slot: named[i]?.slot ?? 0,
      machine: parts[i] ?? new Uint8Array(0),
      address: addresses[i] ?? 0n,
    }),
  );
  const instructions = shown
    ? annotate(decode(translated), named, types === undefined ? [] : linesOf(lines, types))
    : [];
  return { instructions, functions: all, callee: calleesOf(instructions, all) };
}

interface At<T> {
  readonly slot: number;
  readonly value: T;
}

function functionsOf(bytes: Uint8Array, types: Btf): readonly { readonly slot: number; readonly name: string }[] {
  const words = new Uint32Array(bytes.buffer);
  return Array.from({ length: words.length / 2 }, (_, i) => ({
    slot: words[2 * i] as number,
    name: types.type(words[2 * i + 1] as number).name,
  }));
}

function linesOf(bytes: Uint8Array, types: Btf): readonly At<SourceLine>[] {
  const words = new Uint32Array(bytes.buffer);
  return Array.from({ length: words.length / 4 }, (_, i) => {
    const [slot = 0, file = 0, text = 0, place = 0] = words.subarray(4 * i, 4 * i + 4);
    const value = { file: types.text(file), text: types.text(text), line: place >>> 10, column: place & 0x3ff };
    return { slot, value };
  });
}

/** The machine code of each function. */
function cut(machine: Uint8Array, lengths: Uint32Array): readonly Uint8Array[] {
  let at = 0;
  return [...lengths].map((length) => {
    at += length;
    return machine.subarray(at - length, at);
  });
}

function annotate(
  instructions: readonly Instruction[],
  functions: readonly { readonly slot: number; readonly name: string }[],
  lines: readonly At<SourceLine>[],
): readonly Instruction[] {
  const nameAt = new Map(functions.map(({ slot, name }) => [slot, name]));
  const lineAt = new Map(lines.map(({ slot, value }) => [slot, value]));
  let slot = 0;
  return instructions.map((instruction) => {
    const label = nameAt.get(slot);
    const source = lineAt.get(slot);
    slot += slotsOf(instruction);
    const whole = copyInstruction(instruction);
    if (label !== undefined) whole.label = label;
    if (source !== undefined) whole.source = source;
    if (isLocalCall(instruction) && instruction.offset !== 0) {
      // Of a program that is machine code already, the distance of a call stands in its offset.
      whole.imm = instruction.offset;
      whole.offset = 0;
    }
    return whole;
  });
}

function isLocalCall({ opcode, src }: Instruction): boolean {
  return opcode === Opcode.CALL && src === Callee.LOCAL;
}

/**
 * Names of what is called: helpers stand as the distance of their address from `__bpf_call_base`, functions of the program
 * as a number of slots.
 */
function calleesOf(
  instructions: readonly Instruction[],
  functions: readonly DumpedFunction[],
): (call: Instruction) => string | undefined {
  const helpers = new Set(instructions.filter(isKernelCall).map(({ imm }) => imm));
  let names: ReadonlyMap<number, string> | undefined;
  const slots = new Map<Instruction, number>();
  let slot = 0;
  for (const instruction of instructions) {
    slots.set(instruction, slot);
    slot += slotsOf(instruction);
  }
  return (call) => {
    if (isLocalCall(call)) {
      const to = (slots.get(call) ?? 0) + 1 + call.imm;
      return functions.find((one) => one.slot === to && one.name !== undefined)?.name;
    }
    if (!isKernelCall(call)) return undefined;
    names ??= kernelSymbols("__bpf_call_base", helpers);
    return names.get(call.imm);
  };
}

function isKernelCall({ opcode, src }: Instruction): boolean {
  return opcode === Opcode.CALL && src !== Callee.LOCAL;
}

/** The ids of the maps that the instructions of a program that was read back refer to. */
export function mapIdOf({ opcode, src, imm64 }: Instruction): number | undefined {
  if (opcode !== Opcode.LOAD_IMM64 || (src !== Pseudo.MAP_FD && src !== Pseudo.MAP_VALUE) || imm64 === undefined)
    return undefined;
  return Number(imm64 & 0xffff_ffffn);
}
