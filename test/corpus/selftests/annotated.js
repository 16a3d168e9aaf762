// The selftests' annotations, checked for all objects that the kernel's own test_loader runs.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { printCount } from "../causes.js";
import { testedObjects } from "./annotations.js";
import { compiled } from "./source.js";

const script = fileURLToPath(new URL("expect.js", import.meta.url));

/** What a process without these capabilities says of objects. */
function examine(capabilities, files, reference) {
  const node = [process.execPath, script, reference, ...files];
  const without = capabilities.split(",").map((name) => `-${name}`);
  const [command, ...args] = capabilities === "" ? node : ["setpriv", `--bounding-set=${without.join(",")}`, ...node];
  const { stdout, status, signal } = spawnSync(command, args, {
    encoding: "utf8",
    maxBuffer: 1 << 30,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const records = stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  if (status !== 0)
    records.push({ object: basename(files[records.length] ?? "?"), fault: `ended with ${status ?? signal}` });
  return records;
}

const SUMS = ["tests", "held", "failures", "messages", "runs", "unprivileged", "elsewhere", "more"];

/** Counts, and a line for each test that does not hold, with what libbpf makes of it. */
export function checkAnnotations(objects, reference) {
  const totals = { objects: 0, ...Object.fromEntries(SUMS.map((key) => [key, 0])) };
  const differences = [];
  for (const [capabilities, names] of testedObjects()) {
    const files = names.map((name) => join(compiled, `${name}.bpf.o`)).filter((file) => objects.includes(file));
    if (files.length === 0) continue;
    for (const record of examine(capabilities, files.filter(existsSync), reference)) {
      totals.objects++;
      if (record.fault !== undefined) {
        differences.push(`${record.object}: a fault: ${record.fault}`);
        continue;
      }
      for (const key of SUMS) totals[key] += record[key];
      for (const { name, ours, theirs } of record.deviations) {
        const beside =
          theirs === undefined ? "holds with libbpf" : theirs === ours ? "so with libbpf" : `libbpf: ${theirs}`;
        differences.push(`${record.object}.bpf.o ${name}: ${ours} [${beside}]`);
      }
    }
  }
  return { totals, differences };
}

export function printAnnotations(totals) {
  console.log(`${totals.objects} objects with annotations, ${totals.tests} tests`);
  printCount(totals.held, "hold");
  printCount(totals.failures, "of all are of programs that must be refused");
  printCount(totals.messages, "texts of the verifier's log are looked for");
  printCount(totals.runs, "are run for what they return");
  printCount(totals.unprivileged, "more, without privileges, are left out");
  printCount(totals.more, "texts of the kernel's rewritten or compiled code are not looked for");
  printCount(totals.elsewhere, "programs are for other machines");
}
