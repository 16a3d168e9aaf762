#!/usr/bin/env node
// strace and Skep watch the same runs of real programs, and must agree on every call: pid, order, number, result, open
// files, paths, and every argument that both decode. A difference without a cause in causes.json fails the run.
//
//   node test/compare-strace/run.js [--form text|json] [--keep] [--undecoded] [NAME …]
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { table } from "../../bench/harness/table.js";
import { compare } from "./compare.js";
import { Absent, PROGRAMS } from "./programs.js";
import { record } from "./record.js";
import { straceCommand } from "./strace-command.js";

const { values, positionals } = parseArgs({
  options: {
    form: { type: "string" },
    keep: { type: "boolean", default: false },
    undecoded: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const SHOWN = 20;
const skep = fileURLToPath(new URL("../../bin/skep.js", import.meta.url));
const strace = straceCommand();
const scratch = mkdtempSync(join(tmpdir(), "skep-compare-"));
if (!values.keep) process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));
else console.log(`The traces stay in ${scratch}.`);

const forms = values.form === undefined ? ["text", "json"] : [values.form];
const wanted = PROGRAMS.filter(
  ({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)),
);
const rows = [["program", "form", "calls", "paired", "unpaired", "arguments", "only one decodes", "causes"]];
const used = new Map();
const absent = [];
let unexplained = 0;
const undecoded = new Map();

for (const [i, program] of wanted.entries()) {
  for (const form of forms) {
    const folder = join(scratch, `${i}-${form}`);
    mkdirSync(folder);
    let prepared;
    try {
      prepared = await program.prepare(folder);
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      absent.push(`${program.name}: ${error.message}`);
      break;
    }
    const command = Array.isArray(prepared) ? prepared : prepared.command;
    const recording = await record({ skep, strace, command, folder: join(folder, "traces"), cwd: folder, form });
    prepared.end?.();
    const result = compare(recording);
    for (const [id, count] of result.causes) used.set(id, (used.get(id) ?? 0) + count);
    for (const one of result.undecoded)
      undecoded.set(`${one.where}  strace ${one.strace.slice(0, 100)}  skep ${one.skep.slice(0, 100)}`, one);
    rows.push([
      program.name,
      form,
      ...[result.calls, result.paired, result.unpaired, result.compared, result.undecoded.length].map(String),
      [...result.causes].map(([id, count]) => `${id} ${count}`).join(", "),
    ]);
    if (result.problems.length > 0) {
      unexplained += result.problems.length;
      console.log(`\n${program.name} (${form}): ${result.problems.length} differences without a cause`);
      for (const problem of result.problems.slice(0, SHOWN)) console.log(problem);
      if (result.problems.length > SHOWN) console.log(`  … and ${result.problems.length - SHOWN} more`);
    }
  }
}
if (values.undecoded) {
  console.log("\nDecoded by only one of the two:");
  for (const text of [...undecoded.keys()].sort((a, b) => (a < b ? -1 : 1))) console.log(`  ${text}`);
}
console.log(`\n${table(rows)}`);
if (absent.length > 0) console.log(`\nleft out: ${absent.join("; ")}`);
console.log(`\n${unexplained === 0 ? "They agree" : `${unexplained} differences without a cause`}.`);
process.exitCode = unexplained === 0 && rows.length > 1 ? 0 : 1;
