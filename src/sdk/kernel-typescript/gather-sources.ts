import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { Sources } from "../../language/compiler/index.ts";
import type { FoundSource } from "./find-source.ts";
import { SourceError } from "./source-error.ts";

/** Where kernel code may be said to be: a path, a URL of a file, or its text under a name. */
export type SourceOption = string | URL | { readonly name: string; readonly text: string };

/** Whether a file is kernel code altogether: one without `.bpf` in its name is JavaScript's own, and may have some in it. */
function isKernelFile(path: string): boolean {
  return /\.bpf\.[cm]?[jt]s$/.test(path);
}

/**
 * The texts of a module and of every file that it imports, and these import. What is imported and not there is left out: the
 * compiler says where it is wanted. Of a file of JavaScript's own the programs with these names are wanted, or all. Throws SourceError when the module itself cannot be read.
 */
export function gatherSources({ entry, texts }: FoundSource, programs?: readonly string[]): Sources {
  const files = new Map<string, string>();
  const isOwn = !isKernelFile(entry);
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue;
    const text = texts.get(path) ?? read(path, path === entry);
    if (text === undefined) continue;
    files.set(path, text);
    // Of what JavaScript's own files import only kernel code is looked at.
    for (const specifier of relativeImports(text))
      if (!isOwn || isKernelFile(path) || isKernelFile(specifier)) open.push(resolve(dirname(path), specifier));
  }
  return { entry, files, ...(isOwn && { own: programs === undefined ? {} : { programs } }) };
}

/** What `source` says, as what was found. */
export function sourceOf(option: SourceOption): FoundSource {
  if (typeof option === "string") return { entry: resolve(option), texts: new Map() };
  if (option instanceof URL) {
    if (option.protocol !== "file:")
      throw new SourceError(`The source ${option.href} is no file. Give its text: source: { name, text }.`);
    return { entry: fileURLToPath(option), texts: new Map() };
  }
  const entry = resolve(option.name);
  return { entry, texts: new Map([[entry, option.text]]) };
}

/**
 * What a text imports by a relative name. Only what looks like one is looked for: a name too many, out of a comment, is read for
 * nothing and does no harm.
 */
function relativeImports(text: string): string[] {
  return [...text.matchAll(/\b(?:from|import)\s*["'](\.\.?\/[^"'\n]+)["']/g)].map(([, name]) => name as string);
}

function read(path: string, isEntry: boolean): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (!isEntry) return undefined;
    throw new SourceError(
      `The source of the kernel code cannot be read: ${(error as Error).message}. Say where it is with the option source of load().`,
      { cause: error },
    );
  }
}
