import { release } from "node:os";
import { render } from "../../language/compiler/diagnostics/index.ts";
import { explainRejection } from "../../language/compiler/verifier-log/index.ts";
import type { VerifierError } from "../../sdk/index.ts";
import type { Compilation } from "./compilation.ts";

/** What the verifier said of a program of a compiled module, told by its source: a bug of the compiler, or too much for the kernel. */
export function rejectionText({ plan, sources, paths }: Compilation, error: VerifierError, color: boolean): string {
  const program = plan?.spec.programs[error.program];
  const diagnostic = explainRejection({
    program: error.program,
    log: error.log,
    instructions: program?.instructions ?? [],
    sources: sources.map(({ text }, i) => ({ name: paths[i] ?? "", text })),
    release: release(),
  });
  return render([diagnostic], sources, { color });
}
