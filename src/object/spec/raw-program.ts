import { type CodeWords, copyInstruction, decodeAt, type Instruction, slotsOf } from "../asm/index.ts";
import { type Btf, FUNCTION_WORDS, LINE_WORDS } from "../btf/index.ts";

/** An instruction that names something: what is put in there is known when the program is loaded, or linked. */
export interface Mark {
  readonly slot: number;
  /** Without its label and its source. */
  readonly instruction: Instruction;
}

/**
 * A program as its object file has it, with all it calls behind it: what it is loaded from when nobody looked at its
 * instructions, which are decoded from it when somebody does.
 */
export interface RawProgram {
  /** Calls of its own functions have their distances. */
  readonly words: CodeWords;
  /** In the order of their slots. */
  readonly marks: readonly Mark[];
  /** The functions that it consists of. */
  readonly starts: readonly { readonly slot: number; readonly name: string }[];
  /** `struct bpf_func_info`s: slot, id of the function in the object's types. */
  readonly functions: Uint32Array;
  /** `struct bpf_line_info`s: slot, file and text as offsets in the strings of the object's types, line << 10 | column. */
  readonly lines: Uint32Array;
  /** The object's types, which the two above are about. */
  readonly btf: Btf | undefined;
}

/**
 * The instructions of a program, with all names. `replaced` are those that stand in the place of marks, by their slots, which
 * have as many slots together.
 */
export function decodeRaw(
  raw: RawProgram,
  replaced?: ReadonlyMap<number, readonly Instruction[]>,
): readonly Instruction[] {
  const { words, starts, functions, lines, btf } = raw;
  const marks = new Map(raw.marks.map(({ slot, instruction }) => [slot, instruction]));
  const labels = new Map(starts.map(({ slot, name }) => [slot, name]));
  const types = new Map<number, number>();
  for (let i = 0; i < functions.length; i += FUNCTION_WORDS)
    types.set(functions[i] as number, functions[i + 1] as number);
  const sources = new Map<number, number>();
  for (let i = 0; i < lines.length; i += LINE_WORDS) sources.set(lines[i] as number, i);
  const instructions: Instruction[] = [];
  for (let slot = 0; slot < words.length / 2; ) {
    const at = slot;
    const mark = marks.get(at);
    // A function's marks are of all programs that call it.
    const own = mark === undefined ? decodeAt(words, at) : copyInstruction(mark);
    slot += slotsOf(own);
    const [first = own, ...others] = replaced?.get(at) ?? [];
    const label = labels.get(at);
    const functionType = types.get(at);
    const line = sources.get(at);
    if (label === undefined && functionType === undefined && line === undefined) {
      instructions.push(first, ...others);
      continue;
    }
    const told = copyInstruction(first);
    if (label !== undefined) told.label = label;
    if (functionType !== undefined) told.functionType = functionType;
    if (line !== undefined && btf !== undefined) {
      const place = lines[line + 3] as number;
      told.source = {
        file: btf.text(lines[line + 1] as number),
        line: place >>> 10,
        column: place & 0x3ff,
        text: btf.text(lines[line + 2] as number),
      };
    }
    instructions.push(told, ...others);
  }
  return instructions;
}
