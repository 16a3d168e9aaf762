import type { Target } from "../../language/compiler/index.ts";
import { json } from "../text/index.ts";
import { type Compilation, compileFile } from "./compilation.ts";
import { compiling } from "./compiling.ts";

/** Compiles files, each by itself, for the kernel that runs or another. Throws RunError for one that cannot be read. */
export function checkFiles(paths: readonly string[], target?: Target): Compilation[] {
  return paths.map((path) => compileFile(path, target === undefined ? {} : { target }));
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
      const { name, kernel } = compilation;
      const suffix = kernel === undefined ? "" : ` for Linux ${kernel}`;
      if (text === "") return `${name}: right${suffix}${sizeText(compilation)}\n`;
      return kernel === undefined ? text : `${name}${suffix}:\n\n${text}`;
    })
    .join("");
}

function sizeText({ plan }: Compilation): string {
  if (plan === undefined) return "";
  const programs = Object.values(plan.spec.programs);
  const instructions = programs.reduce((sum, program) => sum + program.instructions.length, 0);
  const count = (n: number, word: string) => `${n} ${word}${n === 1 ? "" : "s"}`;
  return ` (${count(programs.length, "program")}, ${count(instructions, "instruction")})`;
}

/** What is wrong with modules, as JSON. */
export function checkJson(compilations: readonly Compilation[]): string {
  return json({
    schema: "skep.check/1",
    ok: compilations.every(({ hasErrors }) => !hasErrors),
    files: compilations.map(({ name, kernel, diagnostics, sources, hasErrors }) => ({
      file: name,
      ...(kernel !== undefined && { kernel }),
      ok: !hasErrors,
      diagnostics: compiling().report(diagnostics, sources),
    })),
  });
}
