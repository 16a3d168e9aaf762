import type { Statement } from "@oxc-project/types";
import type { Diagnostic } from "../diagnostic.ts";
import type { MapDecl, Module } from "../hir.ts";
import { desugar } from "../sugar/index.ts";
import { parse } from "../syntax/parse.ts";
import type { Target } from "../target.ts";
import { WORDS } from "../vocabulary/words.ts";
import { Checker } from "./checker.ts";
import { findChangedConstants } from "./constants-changed.ts";
import { declareFile } from "./declarations.ts";
import type { FileScope } from "./entity.ts";
import type { AbsentMember } from "./exists.ts";
import { declareOwnFile } from "./own-file.ts";

/** The files that are compiled: their texts by path. Imports name them relative to the file they stand in. */
export interface Sources {
  /** The module that is loaded: what it exports is what the user's side sees. */
  readonly entry: string;
  readonly files: ReadonlyMap<string, string>;
  /** The entry is a one-liner: imports and declarations that it leaves out are put in (sugar/). */
  readonly oneLiner?: boolean;
  /**
   * The entry is a file of JavaScript's own that has kernel code in it, beside other things: the programs of these names are
   * compiled, or all.
   */
  readonly own?: { readonly programs?: readonly string[] };
}

/** What checking gives: the program, which means something only without errors, and what is wrong. */
export interface Checked {
  readonly module: Module;
  readonly diagnostics: readonly Diagnostic[];
  /** Paths by the numbers that spans have. */
  readonly paths: readonly string[];
  /** What the kernel does not have, and `exists` was asked of. */
  readonly absent: readonly AbsentMember[];
}

/**
 * Parses and checks a module and what it imports. Never throws for what is in the files. `looksAside`: also finds what is named
 * where `exists` decides against it, for declarations.
 */
export function check(sources: Sources, target: Target, { looksAside = false } = {}): Checked {
  const cx = new Checker(target, looksAside);
  const paths: string[] = [];
  const scopes = new Map<string, FileScope>();
  const later: (() => void)[] = [];
  const load = (path: string): FileScope | undefined => {
    const known = scopes.get(path);
    if (known !== undefined) return known;
    const text = sources.files.get(path);
    if (text === undefined) return undefined;
    const file: FileScope = {
      index: paths.length,
      path,
      text,
      names: new Map(),
      exports: new Map(),
      // What is imported into a program's own file has its programs for itself.
      ...(sources.own !== undefined && path !== sources.entry && { withoutPrograms: true }),
    };
    paths.push(path);
    scopes.set(path, file);
    const parsed = parse(path, text, file.index);
    cx.report.diagnostics.push(...parsed.diagnostics);
    let { program } = parsed;
    if (sources.oneLiner === true && path === sources.entry && parsed.diagnostics.length === 0) {
      const desugared = desugar(program, WORDS, file.index);
      cx.report.diagnostics.push(...desugared.diagnostics);
      ({ program } = desugared);
    }
    const importFile = (from: FileScope, specifier: string) => load(resolvePath(from.path, specifier));
    if (sources.own !== undefined && path === sources.entry) {
      const { programs } = sources.own;
      const wanted = programs === undefined ? undefined : new Set(programs);
      later.push(...declareOwnFile(cx, file, program.body as Statement[], wanted, importFile));
      return file;
    }
    // What could not be parsed has a tree of nothing; what could is still looked at.
    later.push(...declareFile(cx, file, program.body as Statement[], path === sources.entry, importFile));
    return file;
  };
  load(sources.entry);
  for (const work of later) cx.report.attempt(work);
  for (const map of cx.maps) cx.report.attempt(() => checkPrograms(cx, map));
  const module = cx.module();
  findChangedConstants(module.functions, cx.report);
  return { module, diagnostics: cx.report.diagnostics, paths, absent: cx.absent };
}

/** The programs that a program array names are there, and are of one kind. */
function checkPrograms(cx: Checker, { name, programs = [], span }: MapDecl): undefined {
  const [first, ...others] = programs.map((each) => {
    const program = cx.functions.find((one) => one.name === each)?.program;
    // One that was refused has its own message.
    if (program !== undefined || cx.report.diagnostics.length > 0) return program;
    return cx.report.fail("TS2345", span, `There is no program "${each}" in this module for \`${name}\` to go on in.`);
  });
  if (first === undefined || others.every((each) => each === undefined || each.section === first.section)) return;
  cx.report.fail("EB2028", span, `The programs of \`${name}\` are of several kinds.`, {
    why: "A program goes on in another with its own context, which has to be what the other one expects.",
    help: "Declare them by one word, and use one program array for each kind.",
  });
}

/** `./b.bpf.ts` of `src/a.bpf.ts` is `src/b.bpf.ts`. */
export function resolvePath(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") {
      if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
      else parts.push("..");
    } else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}
