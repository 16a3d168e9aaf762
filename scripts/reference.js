#!/usr/bin/env node
// Writes docs/reference from the doc comments of all that the package exports (`npm run reference`). With --check, as in
// `npm run lint`, it writes nothing and fails when a page is out of date. It fails, too, for exports and their functions that
// have no doc comment.
//
//   node scripts/reference.js [--check] [--root DIR] [--declarations DIR]
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { writePages } from "./reference/markdown.js";
import { readModules } from "./reference/read.js";
import { undocumented } from "./reference/undocumented.js";

const own = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: { check: { type: "boolean" }, root: { type: "string" }, declarations: { type: "string" } },
});
const root = resolve(values.root ?? own);
const target = join(root, "docs/reference");

/** The declarations of src/ as the build makes them, in a folder of their own: lint leaves dist/ alone. */
function declare() {
  const folder = join(root, ".cache/declarations");
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/typescript/bin/tsc"),
      ...["-p", join(root, "tsconfig.build.json"), "--emitDeclarationOnly", "--sourceMap", "false"],
      ...["--inlineSources", "false", "--outDir", folder, "--tsBuildInfoFile", join(folder, ".tsbuildinfo")],
    ],
    { stdio: "inherit" },
  );
  if (status !== 0) process.exit(status ?? 1);
  return folder;
}

const read = readModules(root, values.declarations === undefined ? declare() : resolve(values.declarations));
const files = writePages(read);
const old = existsSync(target) ? readdirSync(target) : [];
const gone = old.filter((name) => name.endsWith(".md") && !files.has(name));
const changed = [...files].filter(
  ([name, text]) => !old.includes(name) || readFileSync(join(target, name), "utf8") !== text,
);
let failed = false;
if (values.check !== true) {
  mkdirSync(target, { recursive: true });
  for (const [name, text] of changed) writeFileSync(join(target, name), text);
  for (const name of gone) rmSync(join(target, name));
  console.log(
    `docs/reference: ${read.things.length} exports on ${files.size} pages, ${changed.length + gone.length} changed`,
  );
} else if (changed.length + gone.length > 0) {
  const names = [...changed.map(([name]) => name), ...gone].join(", ");
  console.error(`docs/reference is out of date (${names}): run npm run reference and commit what it writes`);
  failed = true;
}
const missing = undocumented(read.things);
for (const { name, path } of missing) {
  console.error(
    `src/${path.replace(/\.d\.ts$/, ".ts")}: ${name} has no doc comment: say what it does, in which unit, what it throws`,
  );
}
process.exitCode = failed || missing.length > 0 ? 1 : 0;
