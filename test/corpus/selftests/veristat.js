// The kernel's own veristat, of the selftests' source, beside Skep: is a program taken or refused, and after how many
// instructions of the verifier's. It loads each program by itself with the verifier's statistics, as Skep does here.
import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { loadObject, openObject } from "../../../dist/sdk/index.js";
import { printCount } from "../causes.js";
import { isTyped, withMaps } from "../ours.js";
import { bpf, folder, include, library, run, tree } from "./source.js";

/** Programs of this type veristat makes into others, by the name of their context's type. */
const GUESSED = "ext";
const STORAGES = new Set(["sk_storage", "task_storage", "inode_storage", "cgroup_storage"]);

function buildVeristat() {
  const program = join(folder, "veristat");
  const source = join(bpf, "veristat.c");
  if (existsSync(program) && statSync(program).mtimeMs > statSync(source).mtimeMs) return program;
  const includes = [include, join(tree, "tools/include"), join(tree, "tools/include/uapi")];
  const flags = ["-O2", "-w", ...includes.map((path) => `-I${path}`)];
  run("gcc", [...flags, "-o", program, source, library, "-lelf", "-lz"]);
  return program;
}

/** By program: whether it is taken, and how many instructions the verifier went through. */
function theirVerdicts(program, file) {
  const args = ["-q", "-o", "csv", "-e", "prog,verdict,insns", file];
  const { stdout, status, signal } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`corpus: veristat ended with ${status ?? signal} on ${file}`);
  const [, ...rows] = stdout.trim().split("\n");
  return rows.map((row) => {
    const [name, verdict, instructions] = row.split(",");
    return { name, taken: verdict === "success", instructions: Number(instructions) };
  });
}

/** As veristat has it: nothing is pinned, and a map without a size has room for one. */
function prepared(file) {
  return withMaps(openObject(file), (map) => ({
    ...map,
    ...(map.maxEntries === 0 && !STORAGES.has(map.type) && { maxEntries: 1 }),
  }));
}

function ourVerdict(spec, name) {
  try {
    const object = loadObject(spec, { programs: [name], pinPath: false });
    try {
      return { taken: true, instructions: object.programs[name].details().verifiedInstructions };
    } finally {
      object.close();
    }
  } catch (failure) {
    const processed = /processed (\d+) insns/.exec(failure.log ?? "");
    return { taken: false, instructions: processed === null ? 0 : Number(processed[1]), failure };
  }
}

/** What is not alike; undefined when all is, or Skep takes what libbpf does not. */
function difference(theirs, ours) {
  if (ours.failure !== undefined && !isTyped(ours.failure)) return `a fault of Skep's: ${ours.failure.stack}`;
  const said = ours.failure === undefined ? "" : ` (${ours.failure.code}: ${ours.failure.message.split("\n")[0]})`;
  if (theirs.taken && !ours.taken) return `is refused, and not with veristat${said}`;
  // libbpf fails before the verifier is asked, or behind it.
  const unasked = ours.taken && !theirs.taken && theirs.instructions === 0;
  if (unasked || theirs.instructions === ours.instructions) return undefined;
  return `the verifier goes through ${ours.instructions} instructions instead of ${theirs.instructions}${said}`;
}

/** Counts, and a line for each program that is judged otherwise. */
export function checkVeristat(objects) {
  const program = buildVeristat();
  const totals = { objects: 0, taken: 0, refused: 0, alone: 0, instructions: 0, guessed: 0 };
  const differences = [];
  for (const file of objects) {
    const verdicts = theirVerdicts(program, file);
    if (verdicts.length === 0) continue;
    totals.objects++;
    const spec = prepared(file);
    for (const theirs of verdicts) {
      if (spec.programs[theirs.name]?.type === GUESSED) {
        totals.guessed++;
        continue;
      }
      const ours = ourVerdict(spec, theirs.name);
      const wrong = difference(theirs, ours);
      if (wrong !== undefined) {
        differences.push(`veristat ${basename(file)} ${theirs.name}: ${wrong}`);
        continue;
      }
      totals[ours.taken ? (theirs.taken ? "taken" : "alone") : "refused"]++;
      totals.instructions += theirs.instructions;
    }
  }
  return { totals, differences };
}

export function printVeristat({ objects, taken, refused, alone, instructions, guessed }) {
  console.log(`${objects} objects, ${taken + refused + alone} programs judged as with veristat`);
  printCount(taken, "are taken, after as many instructions of the verifier's");
  printCount(refused, "are refused, after as many instructions of the verifier's");
  printCount(instructions, "instructions the verifier went through in all of them");
  printCount(
    alone,
    "are taken by Skep, and by the verifier; libbpf fails before it, or behind it (arrays of programs that are not loaded)",
  );
  printCount(guessed, "are left out: veristat makes programs of another type of them");
}
