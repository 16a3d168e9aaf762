import { disassemble, type Instruction, type ProgramSpec } from "../../../sdk/index.ts";

/** A program's instructions for people: numbered as the verifier numbers them, under the source lines that they come from. */
export function programText(name: string, program: ProgramSpec): string {
  const { instructions, section } = program;
  const slots = disassemble(instructions, { slots: true }).split("\n");
  const width = /^\d*/.exec(slots.at(-1) ?? "")?.[0].length ?? 1;
  const count = instructions.length;
  const lines = [
    [name, section ?? program.type, `${count} instruction${count === 1 ? "" : "s"}`].join("  "),
    ...instructions.flatMap((instruction, i) => {
      const [, slot = "", text = ""] = /^(\d+): (.*)$/s.exec(slots[i] ?? "") ?? [];
      return [...heads(instruction, i), `  ${slot.padStart(width)}: ${text}`];
    }),
  ];
  return lines.join("\n");
}

/** What stands above an instruction: the function that begins with it, the places that jumps go to, the source line. */
function heads({ label, functionType, source }: Instruction, index: number): string[] {
  const lines: string[] = [];
  for (const name of [label ?? []].flat()) {
    if (functionType === undefined) lines.push(`  ${name}:`);
    else if (index > 0) lines.push("", `${name}()`);
  }
  if (source !== undefined && source.line > 0)
    lines.push(
      `; ${fileName(source.file)}:${source.line}${source.column > 0 ? `:${source.column}` : ""}  ${source.text.trim()}`,
    );
  return lines;
}

function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
