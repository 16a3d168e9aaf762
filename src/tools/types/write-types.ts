import { readFileSync, writeFileSync } from "node:fs";
import { declareKernel, type MissingName } from "../../language/compiler/declarations/index.ts";
import { SourceText } from "../../language/compiler/diagnostics/index.ts";
import { gatherSources, liveTarget, sourceOf } from "../../sdk/kernel-typescript/index.ts";
import { findKernelSources } from "./find-sources.ts";
import { TypesError } from "./types-error.ts";

/** Declarations for some sources. */
export interface GeneratedTypes {
  /** The text of a `.d.ts` file. */
  readonly text: string;
  /** The sources that were read. */
  readonly files: readonly string[];
  /** Names that this kernel does not have, each where it stands. */
  readonly missing: readonly MissingPlace[];
}

/** A name that this kernel does not have. */
export interface MissingPlace {
  /** `tracepoint`, `function` … */
  readonly what: string;
  readonly name: string;
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
  readonly column: number;
}

/**
 * Declares what the `*.bpf.ts` files among files and folders, and what these import, name of the running kernel. Throws
 * TypesError where there are none, or one cannot be read, or this kernel does not show its types; TracepointError without tracefs.
 */
export function generateKernelTypes(paths: readonly string[]): GeneratedTypes {
  const files = findKernelSources(paths);
  if (files.length === 0) throw new TypesError(`There is no *.bpf.ts file in ${paths.join(", ")}.`);
  const texts = new Map<string, string>();
  for (const file of files)
    for (const [path, text] of gatherSources(sourceOf(file)).files) if (!texts.has(path)) texts.set(path, text);
  const target = liveTarget();
  if (target.btf === undefined)
    throw new TypesError(
      "This kernel does not show its types (/sys/kernel/btf/vmlinux is not there: CONFIG_DEBUG_INFO_BTF): there is nothing to declare.",
    );
  const { text, missing } = declareKernel(texts, target);
  return { text, files: [...texts.keys()], missing: missing.map((one) => placeOf(one, texts)) };
}

function placeOf(
  { what, name, place: { path, start } }: MissingName,
  texts: ReadonlyMap<string, string>,
): MissingPlace {
  return { what, name, file: path, ...new SourceText({ name: path, text: texts.get(path) ?? "" }).placeOf(start) };
}

/** Writes declarations where they are not the same already; whether they were. Throws Node's errors. */
export function writeKernelTypes(path: string, text: string): "written" | "the same" {
  if (readIfThere(path) === text) return "the same";
  writeFileSync(path, text);
  return "written";
}

/** Whether a file has just these declarations. */
export function areKernelTypes(path: string, text: string): boolean {
  return readIfThere(path) === text;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
