/**
 * Lets Node run `*.bpf.ts` modules where it does not by itself (before 22.18): `node --import skep/register app.js`. Types are
 * left out, every line and column stays what it was.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import { stripTypes } from "./kernel-typescript/strip-types.ts";

/** What `load` of Node's module hooks gives. */
interface Loaded {
  readonly format: string;
  readonly source: string;
  readonly shortCircuit: true;
}

/** Node's module hook: reads `*.bpf.ts` files, and leaves others to those behind it. */
export function load<T>(url: string, context: unknown, next: (url: string, context: unknown) => T): T | Loaded {
  const path = url.replace(/[?#].*$/, "");
  if (!path.startsWith("file:") || !path.endsWith(".bpf.ts")) return next(url, context);
  const file = fileURLToPath(path);
  return { format: "module", source: stripTypes(file, readFileSync(file, "utf8")), shortCircuit: true };
}

/** Whether Node leaves types out by itself: a string from 22.10 on, and not there before. */
const strips = typeof (process.features as { readonly typescript?: unknown }).typescript === "string";
// The same file is the hooks: Node loads it once more, on a thread of its own.
if (!strips && !import.meta.url.endsWith("?hooks")) register(`${import.meta.url}?hooks`);
