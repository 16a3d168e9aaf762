// npm run bench -- codegen: the instructions of twelve programs, and those the verifier goes through, beside clang's.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PROGRAMS } from "./codegen/programs.js";
import { clangVersion, compileTwins } from "./codegen/sources.js";
import { median, show } from "./harness/stats.js";

export const peers = ["newest"];

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
/** The kernel of the virtual machine. */
const KERNEL = process.env["SKEP_BENCH_KERNEL"] ?? "6.18";
/** Kinds of programs that any machine takes. */
const EVERYWHERE = ["tracepoint", "raw_tp", "tp_btf", "perf_event"];

/** @param {import("./harness/bench.js").Bench} bench */
export default async function codegen(bench) {
  const include = [bench.peer("newest")?.root, "/"]
    .filter((root) => root !== undefined)
    .map((root) => join(root, "usr/include"))
    .find((folder) => existsSync(join(folder, "bpf/bpf_helpers.h")));
  if (include === undefined) throw new Error("libbpf's headers are missing: install libbpf-dev");
  const objects = compileTwins(bench.cache, PROGRAMS, include);
  await bench.part("vm", () => {
    const given = writeGiven(bench, "vm", { objects, work: buildWork(bench) });
    // A disk to read blocks of, and memory that moves.
    const vm = [path("../test/vm/cli.js"), "--disk", "--nodes", "2", KERNEL, "--"];
    report(bench, `Linux ${KERNEL}, in a virtual machine`, [...vm, "node", path("codegen/measure.js"), given]);
  });
  await bench.part("here", () => {
    const given = writeGiven(bench, "here", { objects, kinds: EVERYWHERE });
    report(bench, `this kernel; ${EVERYWHERE.join(", ")} programs only`, [path("codegen/measure.js"), given]);
  });
}

function writeGiven(bench, name, given) {
  const file = join(bench.cache, "codegen", `${name}.json`);
  writeFileSync(file, JSON.stringify(given));
  return file;
}

/** What the programs watch, as a file that runs anywhere. */
function buildWork(bench) {
  const out = join(bench.cache, "codegen/work");
  mkdirSync(join(bench.cache, "codegen"), { recursive: true });
  const { status, stderr, error } = spawnSync("cc", ["-O2", "-static", "-o", out, path("codegen/work.c"), "-lpthread"]);
  if (status !== 0) throw new Error(`cc could not compile work.c: ${error?.message ?? String(stderr)}`);
  return out;
}

/** Sums over the programs of an entry: [instructions, instructions that the verifier went through]. */
function sums({ programs = [] }, key) {
  return [0, 1].map((i) => programs.reduce((sum, program) => sum + program[key][i], 0));
}

function report(bench, where, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`measuring ended with ${status}: ${stderr.slice(-1000)}`);
  const results = JSON.parse(stdout.trim().split("\n").at(-1));
  const rows = [["", "Skep", "clang", "ratio", "verified: Skep", "clang", "ratio", "output"]];
  const ratios = [[], []];
  const [failures, remarks] = [[], []];
  for (const [name, result] of Object.entries(results)) {
    if (result.failed !== undefined) failures.push(`${name} failed: ${result.failed}`);
    if (result.programs === undefined) continue;
    const [ours, theirs] = [sums(result, "ours"), sums(result, "theirs")];
    for (const i of [0, 1]) ratios[i].push(ours[i] / theirs[i]);
    const [outcome, details] = outcomeOf(result.seen);
    if (details !== undefined) failures.push(`${name}: ${details}`);
    const cells = [0, 1].flatMap((i) => [`${ours[i]}`, `${theirs[i]}`, show(ours[i] / theirs[i])]);
    rows.push([name, ...cells, outcome]);
    const worse = result.programs.filter((program) => program.ours[0] > program.theirs[0]);
    for (const program of worse)
      remarks.push(`${name}, ${program.place}: ${program.ours[0]} instructions, clang ${program.theirs[0]}`);
  }
  const medians = ratios.map((all) => (all.length === 0 ? undefined : median(all)));
  rows.push(["median", "", "", show(medians[0] ?? NaN), "", "", show(medians[1] ?? NaN), ""]);
  const goals = ["instructions", "instructions verified"].flatMap((what, i) => [
    { what: `${what}, median of the ratios`, value: medians[i], atMost: 1 },
    { what: `${what}, largest ratio`, value: ratios[i].length === 0 ? undefined : Math.max(...ratios[i]), atMost: 1.3 },
  ]);
  bench.count({
    name: `instructions of ${ratios[0].length} programs, beside clang ${clangVersion()} -O2 -mcpu=v3 (${where})`,
    note: "instructions given to the kernel, and what its verifier went through on all paths; output: what both collected of the same work",
    rows,
    remarks,
    failures,
    goals,
    raw: results,
  });
}

/** What of the output is the same, for the table; and what is not. */
function outcomeOf(seen) {
  if (seen === undefined) return ["—"];
  if (seen.skipped !== undefined) return ["—", seen.skipped];
  const { maps, output, near } = seen;
  if (maps.same === undefined) return ["other maps", JSON.stringify(maps)];
  if (output.same === undefined) return ["DIFFERS", JSON.stringify(output).slice(0, 600)];
  if (near.far.length > 0) return ["FAR", JSON.stringify(near)];
  return output.same === 0 ? ["nothing", "the programs saw nothing of the work"] : [`same, ${output.same}`];
}
