#!/usr/bin/env node
// Runs all tests and adds them up: unit tests (vitest), the native addon on every Node, and the tests that need a kernel
// (node:test, one process). What was skipped is listed with its reason; the last line is `N passed, N failed, N skipped`.
//
//   node scripts/test.js [unit|native|kernel …]
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runNativeTests } from "../test/native/run.js";

process.chdir(fileURLToPath(new URL("..", import.meta.url)));
// It costs every Node that the tests start 36 ms and is for TLS only.
delete process.env.NODE_EXTRA_CA_CERTS;
const scratch = mkdtempSync(join(tmpdir(), "skep-test-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const heading = (text) => console.log(`\n── ${text} ${"─".repeat(Math.max(0, 90 - text.length))}`);

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
  const { numPassedTests, numFailedTests, numPendingTests, testResults } = JSON.parse(readFileSync(report, "utf8"));
  const skips = testResults.flatMap((file) =>
    file.assertionResults
      .filter((t) => t.status === "pending" || t.status === "skipped")
      .map((t) => `${t.fullName}: skipped in the test itself`),
  );
  // A file that cannot even be loaded has no tests to count.
  const failed = Math.max(numFailedTests, status === 0 ? 0 : 1);
  return { passed: numPassedTests, failed, skips, pending: numPendingTests };
}

async function native() {
  heading("native addon");
  const { passed, failed, details } = await runNativeTests({ log: console.log });
  return { passed, failed, skips: details.flatMap(({ name, skips }) => skips.map((skip) => `${name}: ${skip}`)) };
}

async function kernel() {
  heading("kernel");
  const tap = join(scratch, "kernel.tap");
  const args = [
    "--enable-source-maps",
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=tap",
    `--test-reporter-destination=${tap}`,
    "dist-test/test/kernel/all.js",
  ];
  const status = await new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: "inherit" });
    child.on("exit", (code, signal) => resolve(code ?? signal));
  });
  const text = existsSync(tap) ? readFileSync(tap, "utf8") : "";
  const count = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
  const failed = count("fail") + count("cancelled");
  const skips = [...text.matchAll(/^\s*ok \d+ - (.*?) # SKIP ?(.*)$/gm)].map(
    ([, name, reason]) => `${name}: ${reason}`,
  );
  return { passed: count("pass"), failed: Math.max(failed, status === 0 ? 0 : 1), skips };
}

const tiers = { unit, native, kernel };
const wanted = process.argv.slice(2);
for (const name of wanted) {
  if (!(name in tiers)) {
    console.error(`There are no tests called ${name}; there are ${Object.keys(tiers).join(", ")}.`);
    process.exit(2);
  }
}
const results = [];
for (const [name, run] of Object.entries(tiers)) {
  if (wanted.length === 0 || wanted.includes(name)) results.push({ name, ...(await run()) });
}
heading("all");
const skips = results.flatMap(({ name, skips }) => skips.map((skip) => `${name}: ${skip}`));
if (skips.length > 0) console.log(`skipped:\n${skips.map((skip) => `  ${skip}`).join("\n")}`);
for (const { name, passed, failed, skips } of results)
  console.log(`${name.padEnd(8)} ${passed} passed, ${failed} failed, ${skips.length} skipped`);
const sum = (key) => results.reduce((total, result) => total + result[key], 0);
const failed = sum("failed");
process.exitCode = failed === 0 ? 0 : 1;
console.log(`\n${sum("passed")} passed, ${failed} failed, ${skips.length} skipped`);
