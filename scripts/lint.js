#!/usr/bin/env node
// All static checks, each in its own process; every one runs, so one call shows all there is to mend.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
const checks = [
  ["formatting and lint (biome)", "node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings"],
  ["types (tsc)", "node_modules/typescript/bin/tsc", "-p", "tsconfig.json", "--noEmit"],
  ["typed lint (oxlint)", "node_modules/oxlint/bin/oxlint", "--type-aware", "--deny-warnings"],
  ["direction of imports", "scripts/check-imports.js"],
  ["lock file", "scripts/fix-lock.js", "--check"],
  ["reference", "scripts/reference.js", "--check"],
];
let failed = 0;
for (const [name, script, ...args] of checks) {
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: "inherit" });
  if (status !== 0) failed++;
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name}`);
}
process.exit(failed === 0 ? 0 : 1);
