#!/usr/bin/env node
// npm run corpus: objects of other people's, read and fitted to this kernel by Skep and by libbpf, and compared: the
// instructions that BPF_PROG_LOAD gets must be the same but for descriptors, and so must the kernel's answers.
//
//   npm run corpus [-- FILE…]                 the objects in Debian's libbpf-tools, xdp-tools and golang-github-cilium-ebpf-dev,
//                                             or these files
//   npm run corpus -- --selftests             the kernel's own selftests, compiled here, beside the libbpf of their source
//   npm run corpus -- --annotations           what these say of themselves (__success, __msg, __retval …): does it hold? Is
//                                             about Linux 6.12: npm run vm -- 6.12 -- node test/corpus/run.js --annotations
//   npm run corpus -- --veristat              the selftests beside the veristat of their source: verdicts, and how many
//                                             instructions the verifier goes through
//   npm run corpus -- --core                  the selftests' relocations against other types, by what prog_tests expects
//   npm run corpus -- --matrix [KERNEL …]     the first, on every kernel of the matrix, one table
//   npm run corpus -- --machine               what they say they return, in the machine of skep/testing; no root
//   --only REGEX                              of the selftests' programs (`verifier_.*`)
//   --all                                     prints differences whose cause is known, too
//
// Everything is fetched by apt into a folder of the user's ($SKEP_CORPUS_CACHE, ~/.cache/skep/corpus); nothing is kept in
// the repository. Programs are loaded and let go of at once, never attached but in virtual machines. Needs root, gcc and
// libbpf-dev; the selftests clang, bpftool, python3, libelf-dev, make and pahole (package dwarves), too.
import { parseArgs } from "node:util";
import { printDifferences } from "./causes.js";
import { filesOf, objectsInside } from "./fetch.js";
import { compareLoads, printLoads } from "./loads.js";
import { onEveryKernel } from "./matrix.js";
import { buildReference } from "./reference.js";
import { checkAnnotations, printAnnotations } from "./selftests/annotated.js";
import { checkCore, printCore } from "./selftests/core.js";
import { checkMachine, printMachine } from "./selftests/machine.js";
import { selftestObjects } from "./selftests/objects.js";
import { include, library } from "./selftests/source.js";
import { checkVeristat, printVeristat } from "./selftests/veristat.js";

const { values, positionals } = parseArgs({
  options: {
    selftests: { type: "boolean" },
    annotations: { type: "boolean" },
    veristat: { type: "boolean" },
    core: { type: "boolean" },
    machine: { type: "boolean" },
    matrix: { type: "boolean" },
    only: { type: "string" },
    all: { type: "boolean" },
  },
  allowPositionals: true,
});

const only = new RegExp(`^(?:${values.only ?? ".*"})$`);

async function packages() {
  const inside = await objectsInside(["libbpf-tools", "xdp-tools"]);
  return [...inside, ...(await filesOf("golang-github-cilium-ebpf-dev", ".elf"))];
}

function loads(files, reference) {
  const { totals, differences } = compareLoads(files, reference);
  printLoads(totals);
  return printDifferences(differences, values.all);
}

async function selftests() {
  const { objects, failed } = await selftestObjects(only);
  console.log(`${objects.length} selftests compiled, ${failed.length} not taken by this compiler`);
  return objects;
}

async function annotations() {
  const objects = await selftests();
  const reference = buildReference({ include, library });
  const { totals, differences } = checkAnnotations(objects, reference);
  printAnnotations(totals);
  return printDifferences(differences, values.all);
}

async function veristat() {
  const { totals, differences } = checkVeristat(await selftests());
  printVeristat(totals);
  return printDifferences(differences, values.all);
}

async function machine() {
  const { totals, differences } = checkMachine(await selftests());
  printMachine(totals);
  return printDifferences(differences, values.all);
}

async function core() {
  await selftests();
  const { totals, differences } = checkCore(buildReference({ include, library }));
  printCore(totals);
  return printDifferences(differences, values.all);
}

let unknown = 0;
if (values.matrix) {
  // Virtual machines have no network, and are slow at compiling.
  await packages();
  buildReference();
  unknown += onEveryKernel(positionals);
}
if (values.selftests) {
  const objects = await selftests();
  unknown += loads(objects, buildReference({ include, library }));
}
if (values.annotations) unknown += await annotations();
if (values.veristat) unknown += await veristat();
if (values.machine) unknown += await machine();
if (values.core) unknown += await core();
const ofSelftests = values.selftests || values.annotations || values.veristat || values.machine || values.core;
if (!ofSelftests && !values.matrix) {
  unknown += loads(positionals.length > 0 ? positionals : await packages(), buildReference());
}
process.exitCode = unknown === 0 ? 0 : 1;
