import { json } from "../text/index.ts";
import { type Compilation, compileFile } from "./compilation.ts";
import { compiling } from "./compiling.ts";

/** Compiles files, each by itself. Throws RunError for one that cannot be read. */
export function checkFiles(paths: readonly string[]): Compilation[] {
  return paths.map((path) => compileFile(path));
}

/** What is wrong with a module, for people; empty when nothing is. */
export function diagnosticsText({ diagnostics, sources }: Compilation, color: boolean): string {
  return diagnostics.length === 0 ? "" : compiling().render(diagnostics, sources, { color });
}

/** What is wrong with modules, one after the other; those that are right in a line. */
export function checkText(compilations: readonly Compilation[], color: boolean): string {
  return compilations
    .map((compilation) => {
      const text = diagnosticsText(compilation, color);
      return text === "" ? `${compilation.name}: ${rightText(compilation)}\n` : text;
    })
    .join("");
}

function rightText({ plan }: Compilation): string {
  if (plan === undefined) return "right";
  const programs = Object.values(plan.spec.programs);
  const instructions = programs.reduce((sum, program) => sum + program.instructions.length, 0);
  const count = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;
  return `right (${count(programs.length, "program")}, ${count(instructions, "instruction")})`;
}

/** What is wrong with modules, as JSON. */
export function checkJson(compilations: readonly Compilation[]): string {
  return json({
    schema: "skep.check/1",
    ok: compilations.every(({ hasErrors }) => !hasErrors),
    files: compilations.map(({ name, diagnostics, sources, hasErrors }) => ({
      file: name,
      ok: !hasErrors,
      diagnostics: compiling().report(diagnostics, sources),
    })),
  });
}
