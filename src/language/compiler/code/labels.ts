import type { Instruction } from "../../../object/asm/index.ts";

/** The names that jumps reach the instruction by. */
export function labelsOf({ label }: Pick<Instruction, "label">): readonly string[] {
  return label === undefined ? [] : typeof label === "string" ? [label] : label;
}

/** What the instruction has for `label` with one more name. */
export function labelWith(instruction: Pick<Instruction, "label">, name: string): string | readonly string[] {
  return instruction.label === undefined ? name : [...labelsOf(instruction), name];
}
