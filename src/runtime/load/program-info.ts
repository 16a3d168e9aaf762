import { type Instruction, slotsOf } from "../../object/asm/index.ts";

/** What the verifier is told of a program besides its code: which function and which source line begins where. */
export interface ProgramInfo {
  /** `struct bpf_func_info`s: slot, type id. */
  readonly functions: Uint8Array;
  /** `struct bpf_line_info`s: slot, file, line, line << 10 | column. */
  readonly lines: Uint8Array;
}

export const FUNCTION_INFO_SIZE = 8;
export const LINE_INFO_SIZE = 16;
const MAX_LINE = (1 << 22) - 1;
const MAX_COLUMN = (1 << 10) - 1;

/** `strings` are the offsets in the BTF that is loaded with the program. Lines whose text is not in it are left out. */
export function programInfo(instructions: readonly Instruction[], strings: ReadonlyMap<string, number>): ProgramInfo {
  const functions: number[] = [];
  const lines: number[] = [];
  let slot = 0;
  for (const instruction of instructions) {
    const { functionType, source } = instruction;
    if (functionType !== undefined) functions.push(slot, functionType);
    if (source !== undefined) {
      const file = strings.get(source.file);
      const text = strings.get(source.text);
      if (file !== undefined && text !== undefined && source.line <= MAX_LINE && source.column <= MAX_COLUMN)
        lines.push(slot, file, text, ((source.line << 10) | source.column) >>> 0);
    }
    slot += slotsOf(instruction);
  }
  return { functions: words(functions), lines: words(lines) };
}

function words(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer);
}
