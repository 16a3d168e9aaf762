import { readFileSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { SourceFile } from "../../language/compiler/diagnostics/index.ts";
import type { Diagnostic, Sources } from "../../language/compiler/index.ts";
import { compile } from "../../language/compiler/index.ts";
import { gatherSources, liveTarget, sourceOf } from "../../sdk/index.ts";
import { type Plan, planOf } from "./plan.ts";
import { RunError } from "./run-error.ts";
import type { Timing } from "./view/timings-text.ts";

/** What the compiler's passes can be asked to show. */
export const DUMPS: readonly string[] = ["ast", "types", "ssa", "ssa-opt", "ranges", "mir", "asm", "btf"];

/** A module that was compiled for this kernel, or what is wrong with it. */
export interface Compilation {
  /** As people named it: a path, or `-e`. */
  readonly name: string;
  readonly sources: readonly SourceFile[];
  /** The paths of the sources as the programs' lines have them. */
  readonly paths: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  readonly hasErrors: boolean;
  /** Absent where there are errors. */
  readonly plan?: Plan;
  readonly timings: readonly Timing[];
  readonly dumps: ReadonlyMap<string, string>;
}

export interface CompileOptions {
  /** Names of `DUMPS`. */
  readonly dumps?: readonly string[];
}

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

function compileSources(name: string, sources: Sources, { dumps = [] }: CompileOptions): Compilation {
  const result = compile(sources, liveTarget(), { dumps });
  const { spec, module } = result;
  return {
    name,
    sources: result.paths.map((path) => ({ name: shownPath(path), text: sources.files.get(path) ?? "" })),
    paths: result.paths,
    diagnostics: result.diagnostics,
    hasErrors: result.diagnostics.some(({ severity }) => severity === "error"),
    ...(spec !== undefined && { plan: planOf(module, spec) }),
    timings: result.timings,
    dumps: result.dumps,
  };
}

/** A path as seen from here, where that is shorter than the whole. */
function shownPath(path: string): string {
  if (path === ONE_LINER) return path;
  const near = relative(process.cwd(), resolve(path));
  return near.length < path.length ? near : path;
}
