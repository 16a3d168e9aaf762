import { disassemble } from "../../object/asm/index.ts";
import { type Btf, describeType } from "../../object/btf/index.ts";
import { type ObjectSpec, sectionMeaning } from "../../object/spec/index.ts";
import { check, type Sources } from "./check/check.ts";
import {
  type CodeProblem,
  CodeProblemError,
  checkCode,
  dumpMachine,
  emitFunction,
  type FunctionCode,
  runStages,
  selectInstructions,
} from "./code/index.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { dumpModule } from "./dump-module.ts";
import { dumpTree } from "./dump-tree.ts";
import { type Effort, effortsOf } from "./effort/effort.ts";
import { doubtful, isMuch, risk, tooMuch } from "./effort/limits.ts";
import type { Module } from "./hir.ts";
import { buildImage, type EmittedFunction, limitProblems } from "./image/index.ts";
import { type LoweredModule, lowerModule, MANNERS, type Manner } from "./lower/index.ts";
import { dumpRanges } from "./ranges/dump-ranges.ts";
import { proveRanges } from "./ranges/prove.ts";
import type { Span } from "./span.ts";
import { dump } from "./ssa/dump.ts";
import type { Func } from "./ssa/ir.ts";
import { optimise } from "./ssa/optimise.ts";
import { verify } from "./ssa/verify.ts";
import { parse } from "./syntax/parse.ts";
import { mistakesCallers, type Target } from "./target.ts";
import { isNewer } from "./version.ts";

/** What of a compilation can be looked at (`--dump`). */
export const DUMPS = ["ast", "types", "ssa", "ssa-opt", "ranges", "mir", "asm", "btf"] as const;
export type Dump = (typeof DUMPS)[number];

/** How a module is compiled. */
export interface CompileOptions {
  /** A clock in milliseconds, for `timings`: the compiler has none of its own. */
  readonly now?: () => number;
  /** What is wanted as text besides. */
  readonly dumps?: readonly Dump[];
  /** Checks the compiler's own work after each pass, and throws when it is wrong: for tests. */
  readonly paranoid?: boolean;
  /** How functions are made; when left out as they are fastest, and where that is estimated to be too much for the kernel otherwise. */
  readonly manner?: Manner;
  /** The kernel is asked next: what is only likely to be too much for it is made, and is no error. */
  readonly trying?: boolean;
}

/** What compiling gives. */
export interface Compiled {
  /** What the loader takes; undefined when there are errors. */
  readonly spec: ObjectSpec | undefined;
  /** Errors and warnings, in no order. */
  readonly diagnostics: readonly Diagnostic[];
  /** How its functions were made. */
  readonly manner: Manner;
  /** The checked program: maps, events, programs by the names that the source gives them. */
  readonly module: Module;
  /** Paths of the files, by the numbers that spans have. */
  readonly paths: readonly string[];
  /** By the function's name in the object: what its instructions are for, to explain what a verifier says. */
  readonly functions: ReadonlyMap<string, FunctionCode>;
  /** Milliseconds for each pass, in their order; empty without a clock. */
  readonly timings: readonly { readonly pass: string; readonly ms: number }[];
  readonly dumps: Readonly<Partial<Record<Dump, string>>>;
}

/**
 * Compiles a module of kernel TypeScript and what it imports for a kernel. A pure function of its arguments: it touches no file,
 * no kernel and no clock. Never throws for what is in the sources; what is wrong with them is in `diagnostics`.
 */
export function compile(sources: Sources, target: Target, options: CompileOptions = {}): Compiled {
  const timings: { pass: string; ms: number }[] = [];
  const wanted = new Set(options.dumps);
  const dumps: Partial<Record<Dump, string>> = {};
  const diagnostics: Diagnostic[] = [];
  const functions = new Map<string, FunctionCode>();
  let manner: Manner = options.manner ?? "fast";
  const timed = <T>(pass: string, work: () => T): T => {
    const start = options.now?.();
    const result = work();
    if (start !== undefined) add(timings, pass, (options.now?.() ?? start) - start);
    return result;
  };

  if (wanted.has("ast")) dumps.ast = dumpTree(parse(sources.entry, sources.files.get(sources.entry) ?? "", 0).program);
  const { module, paths, ...checked } = timed("check", () => check(sources, target));
  diagnostics.push(...checked.diagnostics);
  const done = (spec: ObjectSpec | undefined): Compiled => ({
    spec,
    diagnostics,
    manner,
    module,
    paths,
    functions,
    timings,
    dumps,
  });
  if (wanted.has("types")) dumps.types = dumpModule(module);
  if (hasErrors(diagnostics)) return done(undefined);

  const passes = { options, timed, wanted };
  const made =
    options.manner === undefined
      ? makeEconomically(module, target, passes)
      : make(module, target, passes, options.manner);
  manner = made.manner;
  Object.assign(dumps, made.dumps);
  diagnostics.push(...made.diagnostics);
  for (const { func, ...code } of made.functions) functions.set(func.name, code);
  if (hasErrors(diagnostics)) return done(undefined);
  const sections = new Map(
    [...made.lowered.names].flatMap(([{ program }, name]) => (program === undefined ? [] : [[name, program.section]])),
  );
  const typeOf = (program: string) => sectionMeaning(sections.get(program) ?? "").kind.type;
  diagnostics.push(...limitProblems(made.functions, typeOf, target));
  if (hasErrors(diagnostics)) return done(undefined);
  const spec = timed("image", () =>
    buildImage({
      module,
      lowered: made.lowered,
      functions: made.functions,
      sources: paths.map((name) => ({ name, text: sources.files.get(name) ?? "" })),
      target,
      alone: made.alone,
    }),
  );
  if (wanted.has("asm"))
    dumps.asm = [...functions].map(([name, { instructions }]) => `${name}:\n${disassemble(instructions)}`).join("\n\n");
  if (wanted.has("btf") && spec.btf !== undefined) dumps.btf = dumpTypes(spec.btf);
  return done(spec);
}

/**
 * What sources compile to otherwise, for a kernel that refused `manner`: first what spares it most. What cannot be compiled
 * so is left out.
 */
export function* otherwise(sources: Sources, target: Target, manner: Manner): Generator<Compiled> {
  for (const other of MANNERS.toReversed()) {
    if (other === manner) continue;
    const compiled = compile(sources, target, { manner: other });
    if (compiled.spec !== undefined) yield compiled;
  }
}

/**
 * From this Linux on what is learned of a number in a register holds for its copy on the stack as well. (From 5.11 on a copy has the
 * bounds that were known when it was made.)
 */
const SPILLS_LEARN = "6.8";

/** What the passes need besides what they work on. */
interface Passes {
  readonly options: CompileOptions;
  readonly timed: <T>(pass: string, work: () => T) => T;
  readonly wanted: ReadonlySet<Dump>;
}

/** The functions of a module, and what is wrong with them. */
interface Made {
  readonly manner: Manner;
  readonly lowered: LoweredModule;
  /** Of the passes that made them. */
  readonly dumps: Compiled["dumps"];
  readonly functions: readonly (FunctionCode & EmittedFunction)[];
  readonly diagnostics: readonly Diagnostic[];
  readonly efforts: ReadonlyMap<string, Effort>;
  /** Functions that the kernel looks at by themselves. */
  readonly alone: ReadonlySet<string>;
}

/**
 * Makes a module's functions as they are fastest; where that were too much for the kernel to go through, so that it has least to go
 * through; and where that were too much still, says so.
 */
function makeEconomically(module: Module, target: Target, passes: Passes): Made {
  const fast = make(module, target, passes, "fast");
  if (hasErrors(fast.diagnostics) || ![...fast.efforts.values()].some(isMuch)) return fast;
  let best = fast;
  for (const manner of ["alone", "sparing"] as const) {
    const other = make(module, target, passes, manner);
    if (!hasErrors(other.diagnostics) && worst(other) < worst(best)) best = other;
  }
  const trusted = passes.options.trying === true ? undefined : doubtful(target.features);
  const beyond = [...best.efforts.values()].flatMap((effort) => tooMuch(effort, trusted) ?? []);
  return beyond.length === 0 ? best : { ...best, diagnostics: [...best.diagnostics, ...beyond] };
}

function worst({ efforts }: Made): number {
  return Math.max(0, ...[...efforts.values()].map(risk));
}

function make(module: Module, target: Target, { options, timed, wanted }: Passes, manner: Manner): Made {
  const dumps: Partial<Record<Dump, string>> = {};
  const lowered = timed("lower", () => lowerModule(module, target, { manner }));
  const diagnostics: Diagnostic[] = [...lowered.diagnostics];
  const functions: (FunctionCode & EmittedFunction)[] = [];
  const made = (alone: ReadonlySet<string>, efforts: ReadonlyMap<string, Effort>): Made => ({
    manner,
    lowered,
    dumps,
    functions,
    diagnostics,
    efforts,
    alone,
  });
  const failed = (): Made => made(new Set(), new Map());
  const checkForm = (func: Func) => {
    if (options.paranoid === true) verify(func);
  };
  if (hasErrors(diagnostics)) return failed();
  if (wanted.has("ssa")) dumps.ssa = lowered.functions.map((func) => dump(func)).join("\n");
  for (const func of lowered.functions) {
    checkForm(func);
    timed("optimise", () => optimise(func));
    checkForm(func);
  }
  if (wanted.has("ssa-opt")) dumps["ssa-opt"] = lowered.functions.map((func) => dump(func)).join("\n");
  if (wanted.has("ranges")) dumps.ranges = lowered.functions.map((func) => dumpRanges(func)).join("\n");
  for (const func of lowered.functions) {
    const proving = { spillsKeepBounds: !isNewer(SPILLS_LEARN, target.release), sparing: manner !== "fast" };
    diagnostics.push(...timed("ranges", () => proveRanges(func, proving)));
    if (options.paranoid === true) verify(func, { claims: false });
  }
  if (hasErrors(diagnostics)) return failed();
  if (wanted.has("mir"))
    dumps.mir = lowered.functions.map((func) => dumpMachine(selectInstructions(func, target))).join("\n");
  for (const func of lowered.functions) {
    if (options.paranoid === true) checkEmitted(func, target);
    const result = timed("code", () => emitFunction(func, target));
    if ("problem" in result) diagnostics.push(problemDiagnostic(result.problem, func));
    else functions.push({ func, ...result.code });
  }
  if (hasErrors(diagnostics)) return failed();
  const able = lowered.functions.filter(standsAlone);
  const isApart = able.length > 0 && (manner !== "fast" || mistakesCallers(target.features));
  const alone = new Set(isApart ? able.map(({ name }) => name) : []);
  return made(
    alone,
    timed("effort", () =>
      effortsOf(
        functions.map(({ func, instructions }) => ({ func, size: instructions.length })),
        alone,
      ),
    ),
  );
}

/** Whether the kernel takes the function by itself, whoever calls it: numbers go in, and a number comes out. */
function standsAlone({ kind, params, blocks }: Func): boolean {
  return (
    kind === "function" &&
    params.every((param) => param === "scalar") &&
    blocks.every(({ end }) => end?.op !== "return" || end.args[0]?.kind === "scalar")
  );
}

function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}

/** The object's types by their ids, with all that BTF says of them. */
function dumpTypes(btf: Btf): string {
  const lines = Array.from({ length: btf.endId - 1 }, (_, i) => describeType(btf, i + 1)).flat();
  return `${lines.join("\n")}\n`;
}

/** Proves that registers and stack hold what the function means them to. */
function checkEmitted(func: Func, target: Target): void {
  try {
    checkCode(runStages(func, target));
  } catch (error) {
    // That there is no code for it is for `emitFunction` to say.
    if (!(error instanceof CodeProblemError)) throw error;
  }
}

function add(timings: { pass: string; ms: number }[], pass: string, ms: number): void {
  const known = timings.find((one) => one.pass === pass);
  if (known === undefined) timings.push({ pass, ms });
  else known.ms += ms;
}

/** What the machine or the kernel does not have, as an error of the source. */
function problemDiagnostic(problem: CodeProblem, func: Func): Diagnostic {
  if (problem.kind === "atomic")
    return {
      code: "EB4202",
      severity: "error",
      span: problem.span,
      message: "This kernel adds atomically, and does nothing else so (Linux 5.12 has the rest).",
      help: "Use `add` without its value, or compile for a newer kernel.",
    };
  const largest = problem.slots.slice(0, 5);
  const bySize = largest.map(({ name, size, span: at }) => ({ span: at, message: `\`${name}\` takes ${size} bytes` }));
  const values = problem.values.slice(0, 5);
  const bySpill = values.map(({ name, span: at }) => ({ span: at, message: `\`${name}\` finds no register` }));
  const spilled = problem.spills * 2 > problem.size;
  const span: Span = (spilled ? values[0] : largest[0])?.span ?? func.span;
  return {
    code: "EB3110",
    severity: "error",
    span,
    message: `\`${func.name}\` keeps ${problem.size} bytes on the stack at once, and the kernel gives it ${problem.limit}.`,
    why: spilled
      ? `The machine has nine registers, and only four of them keep their values while the kernel is called: ${problem.spills / 8} values are kept on the stack, which is small.`
      : "A program's stack is small, and each function that it calls has its own share of it.",
    help: spilled
      ? "Compute values where they are needed, so that fewer are kept at once; or keep them in a map, in a struct or an array."
      : "Build events where they go, with `emit({ … })` or `reserve()`; keep large values in a map; use shorter texts.",
    related: spilled ? [...bySpill, ...bySize.slice(0, 2)] : [...bySize, ...bySpill.slice(0, 2)],
  };
}
