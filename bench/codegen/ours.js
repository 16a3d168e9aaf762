// A program in kernel TypeScript, compiled for the kernel that this runs on.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { liveTarget } from "../../dist/sdk/kernel-typescript/target.js";

export async function compileOurs(name, given) {
  if (given.ours !== undefined) {
    const { readTwin } = await import("./side.js");
    return readTwin(given.ours[name]);
  }
  const { compile } = await import("../../dist/language/compiler/compile.js");
  const path = fileURLToPath(new URL(`${name}.bpf.ts`, import.meta.url));
  const result = compile({ entry: path, files: new Map([[path, readFileSync(path, "utf8")]]) }, liveTarget());
  return result.spec;
}
