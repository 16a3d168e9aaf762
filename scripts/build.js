#!/usr/bin/env node
// Builds what is out of date: types and ES modules of the library (tsc → dist/), the command as CommonJS bundles
// (esbuild → dist/cli/), and with --tests also the kernel tests (tsc → dist-test/).
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
process.chdir(root);
const { version } = JSON.parse(readFileSync("package.json", "utf8"));

function tsc(project) {
  const result = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-p", project], { stdio: "inherit" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}

/** Every command is a chunk of its own, loaded when it is run: start-up pays for one command only. */
async function bundle() {
  const commands = readdirSync("src/app/cli/commands").filter((f) => f.endsWith(".ts") && !f.endsWith(".test.ts"));
  rmSync("dist/cli", { recursive: true, force: true });
  mkdirSync("dist/cli", { recursive: true });
  const shared = {
    outdir: "dist/cli",
    outExtension: { ".js": ".cjs" },
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    logOverride: { "empty-import-meta": "silent" },
    minifySyntax: true,
    minifyWhitespace: true,
    charset: "ascii",
    legalComments: "none",
    logLevel: "warning",
  };
  // The bundles are CommonJS, where import.meta is not: native.ts looks at __filename instead.
  const { packPlans } = await import("../dist/tools/trace/plan.js");
  const plans = Object.fromEntries(["x64", "arm64"].map((a) => [a, Buffer.from(packPlans(a)).toString("base64")]));
  const define = {
    "import.meta.url": "undefined",
    SKEP_PLANS: JSON.stringify(plans),
    SKEP_VERSION: JSON.stringify(version),
  };
  const entryPoints = Object.fromEntries(commands.map((f) => [f.replace(/\.ts$/, ""), `src/app/cli/commands/${f}`]));
  await build({ ...shared, entryPoints, define });
  const hash = (name) =>
    createHash("sha256")
      .update(readFileSync(`dist/cli/${name}.cjs`))
      .digest("hex")
      .slice(0, 16);
  const chunks = Object.fromEntries(Object.keys(entryPoints).map((name) => [name, hash(name)]));
  await build({
    ...shared,
    entryPoints: { main: "src/app/cli/main.ts" },
    define: { ...define, SKEP_CHUNKS: JSON.stringify(chunks) },
  });
}

if (!existsSync("node_modules/typescript")) {
  console.error("The build needs the development packages: run npm ci first.");
  process.exit(1);
}
tsc("tsconfig.build.json");
if (existsSync("src/app/cli/main.ts")) await bundle();
if (process.argv.includes("--tests")) tsc("tsconfig.test.json");
