#!/usr/bin/env node
// npm run compare:strace: strace and skep watch the same run of real programs, and must have seen the same. Lines pair on
// thread, order, number, result and decoded paths, descriptors and flags. What does not pair and is not explained by
// causes.json makes it fail.
//
//   node test/compare-strace/run.js [--verbose] [NAME …]
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pairCalls } from "./pair.js";
import { parseStrace } from "./parse-strace.js";
import { PROGRAMS } from "./programs.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const skep = join(here, "../../bin/skep.js");
const causes = JSON.parse(readFileSync(join(here, "causes.json"), "utf8")).map((cause) => ({
  ...cause,
  call: cause.call === undefined ? undefined : new RegExp(`^(?:${cause.call})$`),
  what: new RegExp(cause.what),
}));
const verbose = process.argv.includes("--verbose");
const wanted = process.argv.slice(2).filter((word) => !word.startsWith("--"));

const { NODE_EXTRA_CA_CERTS: _, ...env } = process.env;
if (spawnSync("strace", ["--version"]).status !== 0) {
  console.error("compare:strace needs strace, which is not here: apt-get install strace");
  process.exit(2);
}
if (process.getuid() !== 0) {
  console.error("compare:strace needs root, because skep trace does.");
  process.exit(2);
}

/** Why a difference is none of Skep's fault; undefined when nobody knows. */
function causeOf(difference, program) {
  const name = difference.strace?.name ?? difference.skep?.syscall ?? "";
  return causes.find(
    (cause) =>
      (cause.program === undefined || cause.program === program.name) &&
      (cause.call === undefined || cause.call.test(name)) &&
      cause.what.test(difference.what),
  )?.name;
}

async function compare(program, scratch) {
  const folder = join(scratch, program.name.replace(/\W+/g, "-"));
  mkdirSync(folder);
  const made = await program.command(folder);
  const { command, close } = Array.isArray(made) ? { command: made, close: () => {} } : made;
  const [json, text] = [join(scratch, "skep.json"), join(scratch, "strace.txt")];
  const words = ["trace", "--json", "--buffer", "128M", "-o", json, "--"];
  words.push("strace", "-f", "-n", "-y", "-s", "4096", "-o", text, ...command);
  const run = await new Promise((resolve) => {
    // A server of ours may have to answer meanwhile: not spawnSync.
    import("node:child_process").then(({ spawn }) => {
      const child = spawn(process.execPath, [skep, ...words], {
        cwd: folder,
        env: { ...env, LC_ALL: "C.UTF-8" },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let stderr = "";
      child.stderr.on("data", (chunk) => {
        stderr += chunk;
      });
      child.on("close", (code) => resolve({ code, stderr }));
    });
  });
  close();
  const lines = readFileSync(json, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const summary = lines.at(-1);
  if (summary?.type !== "summary" || Object.values(summary.lost).some((count) => count > 0))
    throw new Error(`the trace is not whole: ${JSON.stringify(summary)}; ${run.stderr.trim()}`);
  const theirs = parseStrace(readFileSync(text, "utf8"));
  const calls = lines.filter((line) => line.type === "call");
  const ours = onlyTracees(calls, theirs);
  return { calls: theirs.length, ...pairCalls(theirs, ours) };
}

/**
 * Leaves out strace itself: its own threads, the children with which it tries out what the kernel can do, and what the
 * first traced one does before its execve, being strace still.
 */
function onlyTracees(calls, theirs) {
  const tracees = new Set(theirs.map((call) => call.pid));
  const first = theirs[0]?.pid;
  let begun = false;
  return calls.filter((call) => {
    if (!tracees.has(call.tid)) return false;
    if (call.tid === first && call.syscall === "execve") begun = true;
    return begun || call.tid !== first;
  });
}

const scratch = mkdtempSync(join(tmpdir(), "skep-compare-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
const row = (cells) =>
  console.log(cells.map((cell, i) => (i === 0 ? String(cell).padEnd(26) : String(cell).padStart(10))).join("  "));
row(["program", "calls", "paired", "explained", "unpaired"]);
const used = new Map();
const total = { calls: 0, paired: 0, explained: 0, unpaired: 0, failed: 0 };
for (const program of PROGRAMS) {
  if (wanted.length > 0 && !wanted.some((word) => program.name.includes(word))) continue;
  if (program.missing.length > 0) {
    console.log(`${program.name.padEnd(26)}  left out: ${program.missing.join(", ")} not installed`);
    continue;
  }
  let result;
  try {
    result = await compare(program, scratch);
  } catch (error) {
    total.failed++;
    console.log(`${program.name.padEnd(26)}  FAILED: ${error.stack}`);
    continue;
  }
  const open = [];
  let explained = 0;
  for (const difference of result.differences) {
    const cause = causeOf(difference, program);
    if (cause === undefined) {
      open.push(difference);
      continue;
    }
    explained++;
    used.set(cause, (used.get(cause) ?? 0) + 1);
  }
  row([program.name, result.calls, result.paired, explained, open.length]);
  for (const { tid, what, strace, skep } of open.slice(0, verbose ? 1000 : 10)) {
    console.log(`    ${tid}  ${what}`);
    if (strace !== undefined) console.log(`        strace: ${strace.line.slice(0, 300)}`);
    if (skep !== undefined) console.log(`        skep:   ${JSON.stringify(skep).slice(0, 400)}`);
  }
  total.calls += result.calls;
  total.paired += result.paired;
  total.explained += explained;
  total.unpaired += open.length;
}
row(["all", total.calls, total.paired, total.explained, total.unpaired]);
for (const { name, reason } of causes)
  if (used.has(name)) console.log(`  ${String(used.get(name)).padStart(6)} ${name}: ${reason}`);
process.exit(total.unpaired === 0 && total.failed === 0 ? 0 : 1);
