#!/usr/bin/env node
// Runs the addon's tests on this Node and on Node 22, 24 and 26, which come from npm (the packages node-linux-<arch>)
// and are kept in .cache/nodes. Without a network those that are not there yet are reported as skipped.
//
//   node test/native/run.js [--only-this-node]
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildNative } from "../../native/build.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tests = join(root, "test", "native", "native.test.js");
const cache = join(root, ".cache", "nodes");
const MAJORS = [22, 24, 26];

const binary = (major) => join(cache, "node_modules", `node${major}`, "bin", "node");

/** Fetches the Nodes that are not there yet. Returns why it could not, or undefined. */
function fetchNodes() {
  const missing = MAJORS.filter((major) => !existsSync(binary(major)));
  if (missing.length === 0) return undefined;
  mkdirSync(cache, { recursive: true });
  const packages = missing.map((major) => `node${major}@npm:node-linux-${process.arch}@${major}`);
  const args = [
    "install",
    "--prefix",
    cache,
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    ...packages,
  ];
  // A connection that hangs is cut off and tried once more.
  let run = spawnSync("npm", args, { encoding: "utf8", timeout: 120_000 });
  if (run.status !== 0) run = spawnSync("npm", args, { encoding: "utf8", timeout: 120_000 });
  if (run.status === 0) return undefined;
  return (
    run.error?.message ??
    run.stderr
      .trim()
      .split("\n")
      .find((line) => /npm (error|ERR!)/.test(line)) ??
    "npm install failed"
  );
}

/** Runs the tests on one Node. */
function runOn(node) {
  const env = { ...process.env };
  delete env.NODE_EXTRA_CA_CERTS;
  delete env.NODE_TEST_CONTEXT; // set inside a test runner; it would change the report
  return new Promise((resolve) => {
    execFile(
      node,
      ["--test-reporter=tap", tests],
      { env, timeout: 300_000, maxBuffer: 1 << 26 },
      (error, stdout, stderr) => {
        const count = (word) => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(stdout)?.[1] ?? 0);
        const failures = [];
        const skips = [];
        const blocks = stdout.split(/^(?=\s*(?:not )?ok \d+ - )/m);
        for (const block of blocks) {
          const skip = /^\s*ok \d+ - (.*) # SKIP ?(.*)$/m.exec(block);
          if (skip) skips.push(`${skip[1]}: ${skip[2]}`);
          const fail = /^\s*not ok \d+ - (.*)$/m.exec(block);
          if (fail && !/type: 'suite'/.test(block))
            failures.push(`${fail[1]}\n${block.slice(block.indexOf("\n") + 1).slice(0, 3000)}`);
        }
        const passed = count("pass");
        const failed = count("fail") + count("cancelled");
        // No summary: the test process itself fell.
        if (passed + failed === 0 || (error && failed === 0)) {
          failures.push(`the test process ended with ${error?.signal ?? error?.code ?? 0}\n${stderr.slice(-3000)}`);
          resolve({ passed, failed: failed + 1, skipped: count("skipped"), failures, skips });
        } else {
          resolve({ passed, failed, skipped: count("skipped"), failures, skips });
        }
      },
    );
  });
}

/**
 * Runs the addon's tests on every Node there is.
 * @param {{ onlyThisNode?: boolean, log?: (line: string) => void }} [options]
 * @returns {Promise<{ passed: number, failed: number, skipped: number, details: { name: string, passed: number, failed: number, skipped: number, failures: string[], skips: string[] }[] }>}
 */
export async function runNativeTests({ onlyThisNode = false, log = () => {} } = {}) {
  buildNative();
  const nodes = [{ name: `Node ${process.versions.node}`, path: process.execPath }];
  if (!onlyThisNode) {
    const reason = fetchNodes();
    for (const major of MAJORS) {
      const path = binary(major);
      if (!existsSync(path)) {
        nodes.push({ name: `Node ${major}`, reason: `not in .cache/nodes, and npm could not fetch it: ${reason}` });
        continue;
      }
      const version = spawnSync(path, ["--version"], { encoding: "utf8" }).stdout?.trim().slice(1);
      nodes.push({
        name: `Node ${version || major}`,
        path,
        ...(!version && { reason: "it does not run on this machine" }),
      });
    }
  }
  const details = [];
  for (const { name, path, reason } of nodes) {
    if (reason !== undefined) {
      details.push({ name, passed: 0, failed: 0, skipped: 1, failures: [], skips: [reason] });
      log(`${name}: skipped: ${reason}`);
      continue;
    }
    const result = { name, ...(await runOn(path)) };
    details.push(result);
    log(`${name}: ${result.passed} passed, ${result.failed} failed, ${result.skipped} skipped`);
    for (const failure of result.failures) log(`  failed: ${failure}`);
    for (const skip of result.skips) log(`  skipped: ${skip}`);
  }
  const sum = (key) => details.reduce((total, detail) => total + detail[key], 0);
  return { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped"), details };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { failed } = await runNativeTests({
    onlyThisNode: process.argv.includes("--only-this-node"),
    log: console.log,
  });
  process.exitCode = failed > 0 ? 1 : 0;
}
