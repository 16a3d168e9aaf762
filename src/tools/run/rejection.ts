import { release } from "node:os";
import type { VerifierError } from "../../sdk/index.ts";
import type { Compilation } from "./compilation.ts";
import { compiling } from "./compiling.ts";

type FunctionCode = Compilation["functions"] extends ReadonlyMap<string, infer Code> ? Code : never;

/** What the verifier said of a program of a compiled module, told by its source: a bug of the compiler, or too much for the kernel. */
export function rejectionText(
  { plan, sources, paths, functions }: Compilation,
  error: VerifierError,
  color: boolean,
): string {
  const { explainRejection, render } = compiling();
  const program = plan?.spec.programs[error.program];
  const diagnostic = explainRejection({
    program: error.program,
    log: error.log,
    instructions: program?.instructions ?? [],
    functions: new Map([...functions].map(([name, code]) => [name, withVariables(code)])),
    sources: sources.map(({ text }, i) => ({ name: paths[i] ?? "", text })),
    release: release(),
  });
  return render([diagnostic], sources, { color });
}

/** A function's code with its variables looked up by instruction and register. */
function withVariables(code: FunctionCode) {
  let located: ReturnType<FunctionCode["values"]> | undefined;
  return {
    spans: code.spans,
    variableIn(instruction: number, register: number): string | undefined {
      located ??= code.values();
      return located.find((one) => one.register === register && one.from <= instruction && instruction < one.to)
        ?.variable;
    },
  };
}
