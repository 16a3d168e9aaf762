// A program in kernel TypeScript, compiled for the kernel that this runs on.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile } from "../../dist/language/compiler/compile.js";
import { liveTarget } from "../../dist/sdk/kernel-typescript/target.js";

/** Throws what is wrong with it, where something is. */
export function compileOurs(name) {
  const path = fileURLToPath(new URL(`${name}.bpf.ts`, import.meta.url));
  const text = readFileSync(path, "utf8");
  const { spec, diagnostics } = compile({ entry: path, files: new Map([[path, text]]) }, liveTarget());
  if (spec !== undefined) return spec;
  const lines = diagnostics
    .filter(({ severity }) => severity === "error")
    .map(({ code, message, span }) => `line ${text.slice(0, span.start).split("\n").length}: ${code} ${message}`);
  throw new Error(lines.join("; "));
}
