import type { Sources } from "../../language/compiler/index.ts";
import type { ObjectSpec } from "../../object/spec/index.ts";
import type { VerifierError } from "../../runtime/load/index.ts";
import { kernelRelease } from "../../runtime/sys/index.ts";
import { CompileError } from "./compile-error.ts";
import { shownPath } from "./shown-path.ts";

/**
 * What the kernel's verifier said of a program that the compiler had accepted, told by its source: a fault of the compiler (EB9001),
 * or more than the verifier will walk through (EB5001).
 */
export async function refusal(error: VerifierError, spec: ObjectSpec, { files }: Sources): Promise<CompileError> {
  const [{ explainRejection }, { render }] = await Promise.all([
    import("../../language/compiler/verifier-log/index.ts"),
    import("../../language/compiler/diagnostics/index.ts"),
  ]);
  const diagnostic = explainRejection({
    program: error.program,
    log: error.log,
    instructions: spec.programs[error.program]?.instructions ?? [],
    sources: [...files].map(([name, text]) => ({ name, text })),
    release: kernelRelease(),
  });
  const shown = [...files].map(([path, text]) => ({ name: shownPath(path), text }));
  return new CompileError(render([diagnostic], shown).trimEnd(), [diagnostic], { cause: error });
}
