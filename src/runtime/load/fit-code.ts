import { type Instruction, slotsOf, writeAt } from "../../object/asm/index.ts";
import type { Btf, CoreResolver } from "../../object/btf/index.ts";
import {
  decodedLater,
  decodeRaw,
  encodeProgram,
  given,
  type LazyInstructions,
  type MapReference,
  type ProgramCode,
  type RawProgram,
  relocateInstruction,
} from "../../object/spec/index.ts";
import { bindExtern, type ExternContext } from "./externs.ts";
import { type ProgramInfo, programInfo } from "./program-info.ts";

/** What a program's instructions are fitted with. */
export interface FitContext extends ExternContext {
  /** Its name, for errors. */
  readonly program: string;
  /** What CO-RE relocations are carried out with; undefined in an object without types. */
  readonly types: { readonly local: Btf; readonly resolver: CoreResolver } | undefined;
}

/** Code in which only maps' descriptors are missing. */
export interface FittedCode {
  readonly code: ProgramCode;
  readonly info: ProgramInfo | undefined;
  /** The same as instructions, with all names. */
  readonly instructions: LazyInstructions;
}

/** From a program's instructions, which somebody may have changed. Throws CoreError, ObjectError and AsmError. */
export function fitInstructions(
  program: readonly Instruction[],
  context: FitContext,
  strings: ReadonlyMap<string, number> | undefined,
): FittedCode {
  const instructions = program.flatMap((instruction, i) => fitOne(instruction, context, () => i));
  return {
    code: encodeProgram(instructions),
    info: strings === undefined ? undefined : programInfo(instructions, strings),
    instructions: given(instructions),
  };
}

/** From a program as its file has it, for a little-endian machine: only what names something is looked at. Throws CoreError and ObjectError. */
export function fitRaw(raw: RawProgram, context: FitContext): FittedCode {
  const { marks, functions, lines, btf } = raw;
  const words = raw.words.slice();
  let replaced: Map<number, readonly Instruction[]> | undefined;
  const maps: MapReference[] = [];
  for (const { slot, instruction } of marks) {
    let named = instruction;
    if (instruction.relocation !== undefined || instruction.extern !== undefined) {
      const fitted = fitOne(instruction, context, () => decodeRaw(raw).findIndex(indexAt(slot)));
      replaced ??= new Map();
      replaced.set(slot, fitted);
      let at = slot;
      for (const one of fitted) at = writeAt(words, at, one);
      named = fitted[0] as Instruction;
    }
    const { map, mapValueOffset: valueOffset } = named;
    if (map !== undefined) maps.push(valueOffset === undefined ? { slot, map } : { slot, map, valueOffset });
  }
  return {
    code: { bytes: bytesOf(words), maps },
    info: btf === undefined ? undefined : { functions: bytesOf(functions.slice()), lines: bytesOf(lines.slice()) },
    instructions: decodedLater(raw, replaced),
  };
}

/** What an instruction becomes: as many slots as it had. */
function fitOne(instruction: Instruction, context: FitContext, index: () => number): readonly Instruction[] {
  const { relocation } = instruction;
  const { program, types } = context;
  const relocated =
    relocation === undefined || types === undefined
      ? [instruction]
      : relocateInstruction(
          instruction,
          relocation,
          types.local,
          types.resolver,
          () => `Program "${program}", instruction ${index()}`,
        );
  return relocated.map((one) => bindExtern(one, context));
}

/** Finds the instruction that begins at a slot. */
function indexAt(wanted: number): (instruction: Instruction) => boolean {
  let slot = 0;
  return (instruction) => {
    const isThere = slot === wanted;
    slot += slotsOf(instruction);
    return isThere;
  };
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}
