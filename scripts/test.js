#!/usr/bin/env node
// Runs all tests and adds them up: unit tests (vitest), the native addon on every Node, the virtual machines themselves,
// and the tests that need a kernel, on this machine's and on those of the matrix. What was skipped is listed with its
// reason; the last line is `N passed, N failed, N skipped`.
//
//   node scripts/test.js [unit|native|kernel|harness|vm …] [KERNEL …] [--all]
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runNativeTests } from "../test/native/run.js";
import { attachTable, unshownKinds } from "../test/vm/attach-matrix.js";
import { VmError } from "../test/vm/home.js";
import { matrix, parseMachine } from "../test/vm/kernels.js";
import { countsOf, runHere, runMatrix } from "../test/vm/matrix.js";
import { complete, skipLines, table } from "../test/vm/table.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
// It costs every Node that the tests start 36 ms and is for TLS only.
delete process.env.NODE_EXTRA_CA_CERTS;
const scratch = mkdtempSync(join(tmpdir(), "skep-test-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const abort = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    console.error(`\n${signal}: stopping.`);
    process.exitCode = 130;
    abort.abort();
  });
}

const heading = (text) => console.log(`\n── ${text} ${"─".repeat(Math.max(0, 90 - text.length))}`);
/** Each kernel's results, for the table. */
const columns = [];

function unit() {
  heading("unit");
  const report = join(scratch, "unit.json");
  const args = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
  ];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (!existsSync(report)) return { passed: 0, failed: 1, skips: [] };
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  const skips = testResults.flatMap((file) =>
    file.assertionResults
      .filter((t) => t.status === "pending" || t.status === "skipped")
      .map((t) => `${t.fullName}: skipped in the test itself`),
  );
  // A file that cannot even be loaded has no tests to count.
  return { passed: numPassedTests, failed: Math.max(numFailedTests, status === 0 ? 0 : 1), skips };
}

async function native() {
  heading("native addon");
  const { passed, failed, details } = await runNativeTests({ log: console.log });
  return { passed, failed, skips: details.flatMap(({ name, skips }) => skips.map((skip) => `${name}: ${skip}`)) };
}

const skipped = ({ tests }) => tests.filter(({ result }) => result === "skipped");
/** The tier's sum over its kernels. Counted at the end, when it is known which tests there are. */
function tally(own) {
  const counts = own.map(countsOf);
  const sum = (key) => counts.reduce((total, count) => total + count[key], 0);
  return {
    passed: sum("passed"),
    failed: sum("failed"),
    skipped: sum("skipped"),
    skips: own.flatMap((column) => skipLines(skipped(column)).map((skip) => `${column.name}: ${skip}`)),
  };
}

async function kernel() {
  heading("kernel, on this machine");
  const column = await runHere(scratch);
  if (column.fault !== undefined) console.log(column.fault);
  columns.push(column);
  return { columns: [column] };
}

/** The machines' own tests: what they print, how they end, what they leave behind. */
function harness() {
  heading("virtual machines");
  const results = join(scratch, "harness.jsonl");
  const { status } = spawnSync(
    process.execPath,
    [
      "--test-reporter=spec",
      "--test-reporter-destination=stdout",
      "--test-reporter=./test/support/reporter.js",
      `--test-reporter-destination=${results}`,
      "test/vm/harness.test.js",
    ],
    { stdio: "inherit" },
  );
  const tests = existsSync(results)
    ? readFileSync(results, "utf8").trim().split("\n").filter(Boolean).map(JSON.parse)
    : [];
  const counts = countsOf({ tests });
  return {
    passed: counts.passed,
    skipped: counts.skipped,
    failed: Math.max(counts.failed, status === 0 ? 0 : 1),
    skips: skipLines(skipped({ tests })),
  };
}

async function vm(machines) {
  heading(`kernel, in virtual machines: ${machines.join(", ")}`);
  const results = await runMatrix(machines, { signal: abort.signal });
  columns.push(...results);
  return { columns: results };
}

const TIERS = { unit, native, kernel, harness, vm };

function readArguments(args) {
  const all = args.includes("--all");
  const words = args.filter((word) => word !== "--all");
  const tiers = words.filter((word) => Object.hasOwn(TIERS, word));
  const machines = words.filter((word) => !Object.hasOwn(TIERS, word));
  for (const name of machines) {
    parseMachine(name);
    if (!/^(newest|\d+\.\d+)(\+|$)/.test(name)) {
      throw new VmError(
        `There are no tests called ${name}; there are ${Object.keys(TIERS).join(", ")}, and kernels (6.12).`,
      );
    }
  }
  if (machines.length > 0 && !tiers.includes("vm")) tiers.push("vm");
  return { tiers, machines: machines.length > 0 ? machines : matrix(all) };
}

async function main() {
  const { tiers, machines } = readArguments(process.argv.slice(2));
  const results = [];
  for (const [name, run] of Object.entries(TIERS)) {
    if (abort.signal.aborted) return;
    if (tiers.length === 0 || tiers.includes(name)) results.push({ name, ...(await run(machines)) });
  }
  complete(columns);
  if (columns.some(({ name }) => name !== "here")) {
    heading("test × kernel");
    for (const { name, release } of columns) console.log(`${name}: Linux ${release}`);
    console.log();
    for (const line of table(columns)) console.log(line);
    const attachLines = attachTable(columns);
    if (attachLines.length > 0) heading("kind of attachment × kernel");
    for (const line of attachLines) console.log(line);
  }
  // A kind whose test was renamed or is gone would only be missing from the table.
  const unshown = process.env.SKEP_TESTS === undefined && columns.length > 0 ? unshownKinds(columns) : [];
  if (unshown.length > 0) results.push({ name: "kinds", passed: 0, failed: unshown.length, skips: [] });
  for (const kind of unshown) console.log(`✖ no test shows attachments of the kind ${kind} (test/vm/attach-matrix.js)`);
  heading("all");
  const tallies = results.map(({ name, columns: own, ...counts }) => ({
    name,
    ...(own === undefined ? { skipped: counts.skips.length, ...counts } : tally(own)),
  }));
  const skips = tallies.flatMap(({ name, skips }) => skips.map((skip) => `${name}: ${skip}`));
  if (skips.length > 0) console.log(`skipped:\n${skips.map((skip) => `  ${skip}`).join("\n")}`);
  for (const { name, passed, failed, skipped } of tallies)
    console.log(`${name.padEnd(8)} ${passed} passed, ${failed} failed, ${skipped} skipped`);
  const sum = (key) => tallies.reduce((total, counts) => total + counts[key], 0);
  if (sum("failed") > 0) process.exitCode = 1;
  console.log(`\n${sum("passed")} passed, ${sum("failed")} failed, ${sum("skipped")} skipped`);
}

try {
  await main();
} catch (error) {
  if (abort.signal.aborted) process.exitCode = 130;
  else if (error instanceof VmError) {
    console.error(error.message);
    process.exitCode = 2;
  } else throw error;
}
