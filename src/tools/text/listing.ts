import { type DisassembleOptions, disassemble, type Instruction } from "../../sdk/index.ts";

/** The text of instructions, with the names of functions and the source lines they come from. */
export function listing(instructions: readonly Instruction[], options: DisassembleOptions = {}): string {
  const lines = disassemble(instructions, options).split("\n");
  let place = "";
  return instructions
    .map((instruction, i) => {
      const { source, label } = instruction;
      const head = [label ?? []]
        .flat()
        .map((name) => `${name}:\n`)
        .join("");
      const here = source === undefined ? "" : `; ${source.text.trim()} @ ${source.file}:${source.line}\n`;
      const shown = here === place ? "" : here;
      if (here !== "") place = here;
      return `${head}${shown}  ${(lines[i] ?? "").trim()}`;
    })
    .join("\n");
}
