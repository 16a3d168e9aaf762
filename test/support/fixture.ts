// Small C programs the tests trace: compiled once per run, because what they ask of the kernel must be known exactly.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./cli.ts";

let folder: string | undefined;
const built = new Map<string, string>();

/** The path of the compiled test/fixtures/NAME.c. */
export function fixture(name: string): string {
  let path = built.get(name);
  if (path === undefined) {
    if (folder === undefined) {
      const made = mkdtempSync(join(tmpdir(), "skep-fixture-"));
      process.on("exit", () => rmSync(made, { recursive: true, force: true }));
      folder = made;
    }
    path = join(folder, name);
    execFileSync(process.env["CC"] ?? "cc", [
      "-O1",
      "-w",
      "-pthread",
      "-o",
      path,
      join(root, "test", "fixtures", `${name}.c`),
    ]);
    built.set(name, path);
  }
  return path;
}
