import { AsmError } from "./asm-error.ts";
import { copyInstruction, type Instruction } from "./instruction.ts";

/** The list every assembler method appends to, and the labels waiting for their instruction. */
export class InstructionList {
  readonly #code: Instruction[] = [];
  #labels: string[] = [];

  /** Names the next instruction, for jumps to it. One instruction may have several names. */
  label(name: string): this {
    this.#labels.push(name);
    return this;
  }

  /** Appends an instruction as it is, e.g. one that was decoded; `encode` checks it. */
  raw(instruction: Instruction): this {
    if (this.#labels.length === 0) {
      this.#code.push(instruction);
      return this;
    }
    const own = instruction.label === undefined ? [] : instruction.label;
    const names = this.#labels.concat(own);
    const labelled = copyInstruction(instruction);
    labelled.label = names.length === 1 ? (names[0] as string) : names;
    this.#code.push(labelled);
    this.#labels = [];
    return this;
  }

  /** The instructions so far. Throws AsmError when a label has no instruction after it. */
  instructions(): readonly Instruction[] {
    if (this.#labels.length > 0) {
      throw new AsmError(
        `The label "${this.#labels[0]}" stands at the end of the program, where a jump would leave it: put an instruction, at least exit(), after it.`,
      );
    }
    return this.#code;
  }
}
