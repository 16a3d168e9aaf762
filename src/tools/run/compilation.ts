import { readFileSync } from "node:fs";
import type { SourceFile } from "../../language/compiler/diagnostics/index.ts";
import type { Compiled, Diagnostic, Dump, Sources, Target } from "../../language/compiler/index.ts";
import {
  gatherSources,
  ImageCache,
  liveTarget,
  type PrintFormat,
  shownPath,
  sourceOf,
} from "../../sdk/kernel-typescript/index.ts";
import { compiling } from "./compiling.ts";
import { type Plan, planOf } from "./plan.ts";
import { RunError } from "./run-error.ts";
import type { Timing } from "./view/timings-text.ts";

/** A module that was compiled for this kernel, or what is wrong with it. */
export interface Compilation {
  /** As people named it: a path, or `-e`. */
  readonly name: string;
  /** The version of the kernel that it was compiled for, where that is not the one that runs. */
  readonly kernel?: string;
  readonly sources: readonly SourceFile[];
  /** The paths of the sources as the programs' lines have them. */
  readonly paths: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly hasErrors: boolean;
  /** Absent where there are errors. */
  readonly plan?: Plan;
  /** What else it compiles to, for a kernel that refused the plan. */
  readonly otherwise: () => Iterable<Plan>;
  /** Keeps the plan that the kernel took, for the next run. */
  readonly keep: (plan: Plan) => void;
  readonly timings: readonly Timing[];
  readonly dumps: Compiled["dumps"];
  /** What the compiler knows of the code of each function, for explaining what the verifier says. */
  readonly functions: Compiled["functions"];
}

export interface CompileOptions {
  /** Takes what was compiled before, and keeps what is compiled now (`~/.cache/skep`). Of what is taken there are no dumps and times. */
  readonly cache?: boolean;
  readonly dumps?: readonly Dump[];
  /** It is loaded next: what is only likely to be too much for the kernel is no error. */
  readonly trying?: boolean;
  /** The kernel that is compiled for; the one that runs when left out. What is compiled for another is not kept. */
  readonly target?: Target;
}

/** What the compiler's passes can be asked to show; said here so that it need not be loaded to tell. */
export const DUMPS: readonly Dump[] = [
  "ast",
  "types",
  "ssa",
  "ssa-opt",
  "ranges",
  "mir",
  "asm",
  "btf",
] satisfies Dump[];

/** What a one-liner's file is called. */
const ONE_LINER = "-e";

/** Compiles a file and what it imports. Throws RunError when it cannot be read. */
export function compileFile(path: string, options: CompileOptions = {}): Compilation {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : code === "EISDIR" ? "it is a folder" : message;
    throw new RunError(`Cannot read ${path}: ${why}.`, { cause });
  }
  return compileSources(path, gatherSources(sourceOf({ name: path, text })), options);
}

/** Compiles a one-liner. */
export function compileText(text: string, options: CompileOptions = {}): Compilation {
  return compileSources(ONE_LINER, { entry: ONE_LINER, files: new Map([[ONE_LINER, text]]), oneLiner: true }, options);
}

function compileSources(
  name: string,
  sources: Sources,
  { dumps = [], cache = false, trying = false, target }: CompileOptions,
): Compilation {
  const images = cache && target === undefined ? ImageCache.open() : undefined;
  const plan = images?.read<Plan>(sources, KEPT_AS);
  // What was compiled before has nothing to tell but what it became.
  const result =
    plan === undefined
      ? compileSafely(sources, { dumps, trying }, target)
      : { ...NOTHING, paths: [...sources.files.keys()] };
  const { paths, diagnostics, timings, functions } = result;
  const made = plan ?? planIn(result);
  // Warnings are said each time.
  const keep = (one: Plan): void => images?.write(sources, one, KEPT_AS);
  if (plan === undefined && made !== undefined && diagnostics.length === 0) keep(made);
  return {
    name,
    ...(target !== undefined && { kernel: target.release }),
    sources: paths.map((path) => ({ name: shownPath(path), text: sources.files.get(path) ?? "" })),
    paths,
    diagnostics,
    hasErrors: diagnostics.some(({ severity }) => severity === "error"),
    ...(made !== undefined && { plan: made }),
    otherwise: function* () {
      if (made === undefined) return;
      for (const other of compiling().otherwise(sources, target ?? liveTarget(), made.manner))
        yield planIn(other) as Plan;
    },
    keep: diagnostics.length === 0 ? keep : () => {},
    timings,
    dumps: result.dumps,
    functions,
  };
}

function planIn(compiled: Compiled): Plan | undefined {
  const { spec, module } = compiled;
  return spec === undefined ? undefined : planOf(compiled, spec, printFormats(module));
}

function printFormats({ prints }: Compiled["module"]): PrintFormat[] {
  const { layoutOfType } = compiling();
  return prints.map(({ texts, record }) => ({ texts, record: layoutOfType(record) }));
}

/** What plans are kept as: a change of their form asks for another name. */
const KEPT_AS = "run";

/** What is known of a module without compiling it. */
const NOTHING: Compiled = {
  spec: undefined,
  diagnostics: [],
  manner: "fast",
  module: { maps: [], globals: [], functions: [], prints: [], license: "" },
  paths: [],
  functions: new Map(),
  timings: [],
  dumps: {},
};

/** Codes of errors that are sentences for people. */
const SENTENCE = /^(SKEP_\w+|E[A-Z]+)$/;

/** Compiles; what fails inside of the compiler is a diagnostic, too, and never the source's fault. */
function compileSafely(
  sources: Sources,
  options: Pick<CompileOptions, "dumps" | "trying">,
  target: Target | undefined,
): Compiled {
  const { compile, compilerFailure } = compiling();
  try {
    return compile(sources, target ?? liveTarget(), { ...options, now });
  } catch (error) {
    // Errors with a code are sentences for people: the kernel's types or tracefs cannot be read.
    if (SENTENCE.test(String((error as { code?: unknown }).code))) throw error;
    return { ...NOTHING, diagnostics: [compilerFailure(error)] };
  }
}

/** A clock of milliseconds that is always there: Node loads `performance` when it is first used. */
function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
