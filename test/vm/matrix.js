// The compiled kernel tests, on this machine's kernel and in virtual machines: each kernel boots once and runs them all.
import { spawn } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, release } from "node:os";
import { join } from "node:path";
import { kernel } from "./fetch.js";
import { VmError } from "./home.js";
import { parseMachine } from "./kernels.js";
import { checkout, runInVm } from "./machine.js";
import { describe } from "./report.js";

const SUITE = "dist-test/test/kernel/all.js";
const logs = join(checkout, "dist-test", "logs");

/** Seconds that a kernel's whole run may take: far more than it does, so that only a hang meets it. */
const TIME_OUT = 1500;

/**
 * @typedef {import("../support/reporter.js").TestRecord} TestRecord
 * @typedef {{ name: string, release: string, tests: TestRecord[], seconds: number, fault?: string, log: string }} Column
 *   One kernel's results. `fault`: the run itself went wrong, so tests are missing.
 */

const suiteArguments = (results) => [
  "--enable-source-maps",
  "--test-reporter=spec",
  "--test-reporter-destination=stdout",
  `--test-reporter=./test/support/reporter.js`,
  `--test-reporter-destination=${results}`,
  SUITE,
];

function readRecords(text) {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** Runs the suite here. What it prints goes to this process's output. @returns {Promise<Column>} */
export async function runHere(scratch) {
  const results = join(scratch, "kernel.jsonl");
  const begin = Date.now();
  const status = await new Promise((resolve) => {
    const child = spawn(process.execPath, suiteArguments(results), { stdio: "inherit", cwd: checkout });
    child.on("exit", (code, signal) => resolve(code ?? signal));
  });
  const tests = existsSync(results) ? readRecords(readFileSync(results, "utf8")) : [];
  const isExplained = status === 0 || tests.some(({ result }) => result === "failed");
  return {
    name: "here",
    release: release(),
    tests,
    seconds: (Date.now() - begin) / 1000,
    ...(!isExplained && { fault: `The test run ended with ${status}.` }),
    log: "",
  };
}

/** Runs the suite in one virtual machine. @returns {Promise<Column>} */
async function runThere(name, signal, print) {
  mkdirSync(logs, { recursive: true });
  const log = join(logs, `${name}.log`);
  rmSync(log, { force: true });
  const output = createWriteStream(log);
  // With the time that each took: where a run's minutes go is asked often.
  const records = createWriteStream(join(logs, `${name}.jsonl`));
  const tests = [];
  let rest = "";
  const begin = Date.now();
  const column = (more) => ({ name, tests, seconds: (Date.now() - begin) / 1000, log, release: "", ...more });
  try {
    const ending = await runInVm({
      kernel: name,
      command: [process.execPath, ...suiteArguments("/run/skep-vm/results")],
      cwd: checkout,
      timeout: TIME_OUT,
      stdout: output,
      stderr: output,
      signal,
      onResults(text) {
        records.write(text);
        const lines = (rest + text).split("\n");
        rest = lines.pop();
        for (const record of readRecords(lines.join("\n"))) {
          tests.push(record);
          if (record.result === "failed") print(`✖ ${record.path.join(" › ")}\n${indent(record.why ?? "", "    ")}`);
        }
      },
    });
    const isExplained =
      ending.kind === "exit" && (ending.code === 0 || tests.some(({ result }) => result === "failed"));
    const fault = isExplained
      ? undefined
      : (describe(ending) ?? `The test run ended with exit code ${ending.code}, but no test failed.`);
    return column({ release: ending.release, ...(fault !== undefined && { fault }) });
  } catch (error) {
    if (!(error instanceof VmError)) throw error;
    return column({ fault: error.message });
  } finally {
    for (const stream of [output, records]) await new Promise((resolve) => stream.end(resolve));
  }
}

const indent = (text, by) => text.replace(/^/gm, by);

/**
 * Runs the suite in each of these machines, as many at a time as there are cores (each has one CPU).
 * @param {string[]} names @returns {Promise<Column[]>}
 */
export async function runMatrix(names, { signal, log = console.log } = {}) {
  const machines = await fetchAll(names, signal);
  const columns = new Array(machines.length);
  let next = 0;
  const worker = async () => {
    while (next < machines.length && signal?.aborted !== true) {
      // The newest first: it has the most tests, and whoever is last is waited for alone.
      const i = machines.length - ++next;
      const { name, fault } = machines[i];
      const print = (text) => log(indent(text, `[${name}] `));
      if (fault === undefined) {
        print("starts");
        columns[i] = await runThere(name, signal, print);
      } else columns[i] = { name, release: "", tests: [], seconds: 0, log: "", fault };
      const { seconds, fault: broken, log: file } = columns[i];
      if (broken !== undefined) print(broken);
      print(`${countsOf(columns[i]).line} in ${Math.round(seconds)} s${file === "" ? "" : ` (${file})`}`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, availableParallelism()) }, worker));
  return columns.filter((column) => column !== undefined);
}

/** Every kernel is there before the first machine starts; `newest` gets its number; what is asked for twice runs once. */
async function fetchAll(names, signal) {
  const machines = new Map();
  for (const name of names) {
    const { kernel: wanted } = parseMachine(name);
    try {
      const { series } = await kernel(wanted, signal);
      const real = name.replace(wanted, series);
      machines.set(real, { name: real });
    } catch (error) {
      if (!(error instanceof VmError)) throw error;
      machines.set(name, { name, fault: error.message });
    }
  }
  return [...machines.values()];
}

/** @param {Column} column */
export function countsOf({ tests, fault }) {
  const count = (wanted) => tests.filter(({ result }) => result === wanted).length;
  const passed = count("passed");
  const failed = count("failed") + (fault === undefined ? 0 : 1);
  const skipped = count("skipped");
  return { passed, failed, skipped, line: `${passed} passed, ${failed} failed, ${skipped} skipped` };
}
