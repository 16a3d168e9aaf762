// One module: made, compiled, run by each, compared.
import { check } from "../../../src/language/compiler/check/check.ts";
import { type Compiled, compile, otherwise } from "../../../src/language/compiler/compile.ts";
import type { Diagnostic } from "../../../src/language/compiler/diagnostic.ts";
import type { Manner } from "../../../src/language/compiler/index.ts";
import type { Target } from "../../../src/language/compiler/target.ts";
import { MachineFault } from "../../../src/language/interp/index.ts";
import type { ObjectSpec } from "../../../src/object/spec/index.ts";
import { VerifierError } from "../../../src/sdk/index.ts";
import { byEvaluation, difference, inKernel, inMachine, type Run } from "./opinions.ts";
import type { Self } from "./world.ts";

/** What is wrong with a module; `kind` is the same for the same fault. */
export interface Failure {
  readonly kind: string;
  readonly message: string;
}
export interface Trial {
  readonly compiled: Compiled | undefined;
  readonly failure: Failure | undefined;
  /** What the kernel had against what it was compiled to first, where it took another form. */
  readonly refusedFirst: Failure | undefined;
}

/** Errors that a well-typed program may come to: the machine's limits. */
const LIMITS = new Set(["EB3110", "EB5001"]);

/** Where programs are tried. */
export interface Place {
  readonly target: Target;
  readonly self: Self;
  /** The kernel is asked. */
  readonly kernel: boolean;
  /** All are made so, and not as is estimated to be best. */
  readonly manner?: Manner;
}

export function sourcesOf(text: string) {
  return { entry: "m.bpf.ts", files: new Map([["m.bpf.ts", text]]) };
}

/** What the compiler has against a module, by its first error. */
export function refusal(errors: readonly Diagnostic[], text: string): Failure | undefined {
  const [first] = errors;
  if (first === undefined) return undefined;
  const line = text.slice(0, first.span.start).split("\n").length;
  const message = `${first.code} in line ${line}: ${first.message} (${text.slice(first.span.start, first.span.end).slice(0, 100)})`;
  return { kind: `${LIMITS.has(first.code) ? "limit" : "refused"} ${first.code}`, message };
}

/** What the verifier says, without numbers. */
export function verdict(error: VerifierError): string {
  const lines = error.log.trim().split("\n");
  const line = lines.findLast((one) => !/^(processed|verification time|stack depth|Live regs|func#)/.test(one)) ?? "";
  return line.replaceAll(/-?(0x[0-9a-f]+|\d+)/g, "n").slice(0, 100);
}

/** Compiles a module and hears everybody. */
export function tryModule(text: string, runs: readonly Run[], place: Place): Trial {
  const { target, self, manner } = place;
  let compiled: Compiled | undefined;
  const failed = (kind: string, message: string): Trial => ({
    compiled,
    failure: { kind, message },
    refusedFirst: undefined,
  });
  try {
    compiled = compile(sourcesOf(text), target, manner === undefined ? {} : { manner });
  } catch (error) {
    return failed(
      `compiler: ${(error as Error).message.replaceAll(/\d+/g, "n").slice(0, 100)}`,
      (error as Error).stack ?? "",
    );
  }
  const refused = refusal(
    compiled.diagnostics.filter(({ severity }) => severity === "error"),
    text,
  );
  if (refused !== undefined) return { compiled, failure: refused, refusedFirst: undefined };
  let refusedFirst: Failure | undefined;
  let kernel: ReturnType<typeof inKernel> | undefined;
  const others = otherwise(sourcesOf(text), target, compiled.manner);
  for (let one = compiled; place.kernel && kernel === undefined; )
    try {
      kernel = inKernel(one.spec as ObjectSpec, runs, self.cpu);
      compiled = one;
    } catch (error) {
      if (!(error instanceof VerifierError))
        return failed(`loading: ${(error as Error).message.slice(0, 100)}`, (error as Error).stack ?? "");
      // As `load` does it.
      refusedFirst ??= { kind: `verifier: ${verdict(error)}`, message: error.log.slice(-3000) };
      const other = others.next().value;
      if (other === undefined) return failed(refusedFirst.kind, refusedFirst.message);
      one = other;
    }
  const spec = compiled.spec as ObjectSpec;
  let machine: ReturnType<typeof inMachine>;
  try {
    machine = inMachine(spec, runs, self, target);
  } catch (error) {
    const kind = error instanceof MachineFault ? error.code : (error as Error).message.slice(0, 60);
    return failed(`machine: ${kind}`, (error as Error).stack ?? "");
  }
  let evaluated: ReturnType<typeof byEvaluation>;
  try {
    evaluated = byEvaluation(compiled.module, spec, runs, self, target);
  } catch (error) {
    return failed(`evaluator: ${(error as Error).message.slice(0, 60)}`, (error as Error).stack ?? "");
  }
  const inBoth = kernel === undefined ? undefined : difference(machine, kernel, runs);
  if (inBoth !== undefined) return failed("machine and kernel differ", inBoth);
  const meant = difference(evaluated, machine, runs);
  if (meant !== undefined) return failed("evaluator and machine differ", meant);
  return { compiled, failure: undefined, refusedFirst };
}

/** Whether a module is right as far as the checker sees. */
export function isWellTyped(text: string, target: Target): boolean {
  return check(sourcesOf(text), target).diagnostics.every(({ severity }) => severity !== "error");
}

/** What the compiler has against a module; undefined when it takes it, or fails. */
export function refusalOf(text: string, target: Target): Failure | undefined {
  try {
    const { diagnostics } = compile(sourcesOf(text), target);
    const errors = diagnostics.filter(({ severity }) => severity === "error");
    return refusal(errors, text);
  } catch {
    return undefined;
  }
}
