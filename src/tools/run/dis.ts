import type { ProgramSpec } from "../../sdk/index.ts";
import { programText } from "./view/program-text.ts";

/** Programs under the lines that they come from; all, or those of these names. */
export function disText(programs: Readonly<Record<string, ProgramSpec>>, names?: readonly string[]): string {
  return Object.entries(programs)
    .filter(([name]) => names === undefined || names.includes(name))
    .map(([name, program]) => programText(name, program))
    .join("\n\n");
}
