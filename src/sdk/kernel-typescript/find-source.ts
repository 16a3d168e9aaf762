import { readFileSync } from "node:fs";
import type { SourceMap } from "node:module";
import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { ORIGIN } from "../../language/kernel/index.ts";
import { SourceError } from "./source-error.ts";

/** Kernel code as it was written: the module that is loaded, and the texts that are known already, by path. */
export interface FoundSource {
  readonly entry: string;
  readonly texts: ReadonlyMap<string, string>;
}

/** A place in a file, lines and columns from 1 on. */
interface CallSite {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

const HOW =
  'Say where it is: load(module, { source: new URL("./name.bpf.ts", import.meta.url) }). (Node runs *.bpf.ts itself from 22.18 on; before, with node --import skep/register, with tsx or vitest.)';

/**
 * Finds the source of a module by where its descriptors were made: a TypeScript file; or the file that a JavaScript file was made
 * from, by its source map. Throws SourceError.
 */
export function findSource(module: object): FoundSource {
  const sites = sitesOf(module);
  const [first] = sites;
  if (first === undefined)
    throw new SourceError(
      `The module exports nothing of "skep/kernel" (${Object.keys(module).join(", ") || "it exports nothing"}): there is no program to load.`,
    );
  const found = sites.map(({ name, site }) => ({ name, source: sourceAt(site) }));
  const entries = new Set(found.map(({ source }) => source.entry));
  if (entries.size === 1) return (found[0] as (typeof found)[number]).source;
  throw new SourceError(
    `What the module exports was made in several files: ${found
      .map(({ name, source }) => `${name} in ${source.entry}`)
      .join(", ")}. A module of kernel code exports what it declares itself. ${HOW}`,
  );
}

/** Where each export was made: one place for each file. */
function sitesOf(module: object): { readonly name: string; readonly site: CallSite }[] {
  const byFile = new Map<string, { readonly name: string; readonly site: CallSite }>();
  for (const [name, value] of Object.entries(module)) {
    const origin = originOf(value);
    if (origin === undefined) continue;
    const site = callSite(origin);
    if (site === undefined)
      throw new SourceError(`Where ${name} was made cannot be told: the error's stack has no place. ${HOW}`);
    // A bundle may hold several sources: each place counts there.
    const key = isTypeScript(site.file) ? site.file : `${site.file}:${site.line}:${site.column}`;
    if (!byFile.has(key)) byFile.set(key, { name, site });
  }
  return [...byFile.values()];
}

/** The error that a descriptor of `skep/kernel` keeps. */
function originOf(value: unknown): Error | undefined {
  return typeof value === "object" && value !== null && ORIGIN in value ? (value[ORIGIN] as Error) : undefined;
}

/** The first place of a stack that is not in the folder of `skep/kernel` itself. */
export function callSite(error: Error): CallSite | undefined {
  const sites = [
    ...(error.stack ?? "").matchAll(/^\s*at (?:.* \(|async )?((?:file:\/\/)?\/.*?):(\d+):(\d+)\)?$/gm),
  ].map(([, file = "", line, column]) => ({
    // Loaders put a query behind what they loaded.
    file: file.startsWith("file:") ? fileURLToPath(file.replace(/[?#].*$/, "")) : file.replace(/\?.*$/, ""),
    line: Number(line),
    column: Number(column),
  }));
  const own = sites[0] === undefined ? "" : dirname(sites[0].file);
  return sites.find(({ file }) => dirname(file) !== own);
}

function isTypeScript(file: string): boolean {
  return /\.[cm]?ts$/.test(file);
}

function sourceAt(site: CallSite): FoundSource {
  if (isTypeScript(site.file)) return { entry: site.file, texts: new Map() };
  const original = originalOf(site);
  if (original !== undefined) return original;
  throw new SourceError(
    `The kernel code comes from ${site.file}, which is JavaScript without a source map that holds the TypeScript it was made from (tsc: "sourceMap" and "inlineSources"). ${HOW}`,
  );
}

/** What a JavaScript file was made from, by its source map. */
function originalOf({ file, line, column }: CallSite): FoundSource | undefined {
  const map = sourceMapOf(file);
  if (map === undefined) return undefined;
  const root = resolve(dirname(map.path), map.payload.sourceRoot ?? "");
  const pathOf = (source: string) =>
    source.startsWith("file:") ? fileURLToPath(source) : isAbsolute(source) ? source : resolve(root, source);
  const texts = new Map<string, string>();
  for (const [i, source] of map.payload.sources.entries()) {
    const text = map.payload.sourcesContent?.[i];
    if (typeof text === "string" && isTypeScript(source)) texts.set(pathOf(source), text);
  }
  const { SourceMap } = process.getBuiltinModule("node:module");
  const entry = new SourceMap(map.payload).findEntry(line - 1, column - 1);
  if (!("originalSource" in entry) || typeof entry.originalSource !== "string") return undefined;
  const path = pathOf(entry.originalSource);
  return isTypeScript(path) ? { entry: path, texts } : undefined;
}

type Payload = ConstructorParameters<typeof SourceMap>[0];

function sourceMapOf(file: string): { readonly path: string; readonly payload: Payload } | undefined {
  try {
    const text = readFileSync(file, "utf8");
    const url = [...text.matchAll(/^\/\/[#@] sourceMappingURL=(\S+)\s*$/gm)].at(-1)?.[1];
    if (url === undefined) return undefined;
    const inline = /^data:application\/json[^,]*?(;base64)?,(.*)$/s.exec(url);
    if (inline !== null) {
      const [, encoded, data = ""] = inline;
      const json = encoded === undefined ? decodeURIComponent(data) : Buffer.from(data, "base64").toString("utf8");
      return checked(file, json);
    }
    const path = resolve(dirname(file), decodeURIComponent(url));
    return checked(path, readFileSync(path, "utf8"));
  } catch {
    // No map, or none that can be read: the error says what to do.
    return undefined;
  }
}

function checked(path: string, json: string): { readonly path: string; readonly payload: Payload } | undefined {
  const payload = JSON.parse(json) as Partial<Payload>;
  return Array.isArray(payload.sources) ? { path, payload: payload as Payload } : undefined;
}
