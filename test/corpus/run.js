#!/usr/bin/env node
// npm run corpus: objects of other people's, read and fitted to this kernel by Skep and by libbpf, and compared: the
// instructions that BPF_PROG_LOAD gets must be the same but for descriptors, and so must the kernel's answers.
//
//   npm run corpus [-- FILE…]       the objects in Debian's libbpf-tools and xdp-tools, or these files
//
// Everything is fetched by apt into a folder of the user's ($SKEP_CORPUS_CACHE, ~/.cache/skep/corpus); nothing is kept in
// the repository. Programs are loaded and let go of at once, never attached. Needs root, gcc and libbpf-dev.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compareProgram } from "./compare.js";
import { objectsOf } from "./fetch.js";
import { ours } from "./ours.js";

const cache = process.env.SKEP_CORPUS_CACHE || join(homedir(), ".cache", "skep", "corpus");
const here = fileURLToPath(new URL(".", import.meta.url));
mkdirSync(cache, { recursive: true });

const reference = join(cache, "reference");
const built = spawnSync("gcc", ["-O1", "-w", "-o", reference, join(here, "reference.c"), "-lbpf"], {
  stdio: "inherit",
});
if (built.status !== 0) {
  console.error("corpus: the reference could not be built: apt-get install gcc libbpf-dev");
  process.exit(1);
}

/** libbpf's answers for one object: `{ open }`, or a record for each program. */
function theirs(file) {
  const { stdout, status, signal } = spawnSync(reference, [file], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) return { fault: `the reference ended with ${status ?? signal}` };
  const [, ...records] = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return records[0]?.open === undefined ? { programs: records } : { open: records[0].open };
}

const given = process.argv.slice(2);
const files = given.length > 0 ? given : objectsOf(["libbpf-tools", "xdp-tools"], cache);
const totals = { objects: 0, programs: 0, same: 0, bothRefused: 0, oursOnly: 0 };
const differences = [];
for (const file of files) {
  totals.objects++;
  const name = basename(file);
  const reference = theirs(file);
  if (reference.fault !== undefined) {
    differences.push(`${name}: ${reference.fault}`);
    continue;
  }
  const own = ours(file);
  if (reference.open !== undefined || own.error !== undefined) {
    if (reference.open !== undefined && own.error !== undefined) totals.bothRefused++;
    else if (own.error === undefined) totals.oursOnly++;
    else differences.push(`${name}: libbpf opens it, Skep does not: ${own.error}`);
    continue;
  }
  for (const record of reference.programs) {
    totals.programs++;
    const { kind, text } = compareProgram(record, own.program(record.program));
    if (kind === "difference") differences.push(`${name} ${record.program}: ${text}`);
    else totals[kind]++;
  }
}
console.log(`${totals.objects} objects, ${totals.programs} programs`);
console.log(`  ${String(totals.same).padStart(5)} the same instructions and the same answer of the kernel's`);
console.log(`  ${String(totals.bothRefused).padStart(5)} refused by both before the kernel is asked`);
console.log(`  ${String(totals.oursOnly).padStart(5)} taken by Skep alone`);
console.log(`  ${String(differences.length).padStart(5)} differ`);
for (const difference of differences) console.log(`    ${difference}`);
process.exitCode = differences.length === 0 ? 0 : 1;
