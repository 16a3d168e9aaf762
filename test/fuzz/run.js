#!/usr/bin/env node
// npm run fuzz -- elf|usdt|btf|ext|log|code|accept [--inputs N] [--programs N] [--jobs N] [--seed N] [--coverage]: broken objects, programs, types and verifier logs are read;
// nothing but a typed error may come of it, within a second and within 512 MB. What breaks it is written to a file and named.
// `code`: random functions are compiled and run beside what they mean (code.js).
// `accept`: well-typed programs of kernel TypeScript are made up, compiled, loaded and run by the kernel (root), the testing
// machine and the evaluator of the checked program (accept/run.ts): none is refused, and all come to the same.
// --kernel 6.1: the programs are loaded and run in a virtual machine, and made up, compiled and judged here.
// --manner fast|alone|sparing: all are compiled so, whatever is estimated to be best for the kernel.
// --coverage tells which lines of object/elf and object/btf ran.
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzzInKernel } from "../../dist-test/test/fuzz/accept/in-kernel.js";
import { fuzzAccept } from "../../dist-test/test/fuzz/accept/run.js";
import { fuzzCode } from "./code.js";
import { startCoverage } from "./coverage.js";
import { mutate, mutateText, Random } from "./mutate.js";
import { TARGETS, TYPED } from "./targets.js";

const MOST_MS = 1000;
const MOST_BYTES = 512 * 2 ** 20;

const { values, positionals } = parseArgs({
  options: {
    inputs: { type: "string" },
    seed: { type: "string" },
    coverage: { type: "boolean" },
    programs: { type: "string" },
    jobs: { type: "string" },
    kernel: { type: "string" },
    manner: { type: "string" },
    step: { type: "string" },
  },
  allowPositionals: true,
});
const inputs = Number(values.inputs ?? 1_000_000);
const random = new Random(Number(values.seed ?? Date.now()));
const coverage = values.coverage ? startCoverage() : undefined;
let failures = 0;
for (const name of positionals.length > 0 ? positionals : [...Object.keys(TARGETS), "code"]) {
  if (name === "code") {
    failures += fuzzCode(Number(values.inputs ?? 20_000), random.seed);
    continue;
  }
  if (name === "accept" && values.kernel !== undefined) {
    const { kernel, step } = values;
    const programs = Number(values.programs ?? 2000);
    failures += await fuzzInKernel({ programs, seed: random.seed, kernel, step });
    continue;
  }
  if (name === "accept") {
    const jobs = values.jobs === undefined ? {} : { jobs: Number(values.jobs) };
    failures += await fuzzAccept({
      programs: Number(values.programs ?? 20_000),
      seed: random.seed,
      manner: values.manner,
      ...jobs,
    });
    continue;
  }
  if (TARGETS[name] === undefined) {
    console.error(`fuzz: there is no target ${name}; there are ${Object.keys(TARGETS).join(", ")}, code, accept`);
    process.exit(2);
  }
  const target = TARGETS[name]();
  let memory = 0;
  const counts = { headers: 0, read: 0 };
  const begin = performance.now();
  let slowest = 0;
  for (let i = 0; i < inputs; i++) {
    const seed = target.seeds[random.below(target.seeds.length)];
    const bytes = name === "log" ? mutateText(seed, random) : mutate(seed, random);
    const start = performance.now();
    let fault;
    try {
      target.header(bytes);
      counts.headers++;
      target.read(bytes, i);
      counts.read++;
    } catch (error) {
      if (!TYPED.test(error.code ?? "")) fault = error.stack;
    }
    const ms = performance.now() - start;
    slowest = Math.max(slowest, ms);
    if (i % 64 === 0) memory = Math.max(memory, process.memoryUsage.rss());
    if (memory > MOST_BYTES) fault ??= `${Math.round(memory / 2 ** 20)} MB are in use`;
    if (ms > MOST_MS) fault ??= `it took ${Math.round(ms)} ms`;
    if (fault === undefined) continue;
    const file = join(tmpdir(), `skep-fuzz-${name}-${++failures}`);
    writeFileSync(file, bytes);
    console.error(`${file}: ${fault}`);
    if (failures > 20) process.exit(1);
  }
  const percent = (n) => `${Math.round((n * 100) / inputs)} %`;
  console.log(
    `${name}: ${inputs} inputs in ${Math.round((performance.now() - begin) / 1000)} s (seed ${random.seed}), ${percent(counts.headers)} pass the header, ${percent(counts.read)} are read whole, slowest ${Math.round(slowest)} ms, at most ${Math.round(memory / 2 ** 20)} MB, ${failures} failures`,
  );
}
const ROOMS = ["object/elf/", "object/btf/"];
const modules = coverage?.take(ROOMS) ?? [];
for (const room of coverage === undefined ? [] : ROOMS) {
  const found = modules.filter(({ file }) => file.startsWith(room));
  const sum = (pick) => found.reduce((all, one) => all + pick(one), 0);
  const [lines, covered] = [sum((one) => one.lines), sum((one) => one.covered)];
  console.log(`${room}: ${covered} of ${lines} lines ran, ${((covered * 100) / lines).toFixed(1)} %`);
  for (const { file, lines: all, covered: ran, missed } of found)
    if (missed.length > 0) console.log(`  ${file}: ${ran}/${all}, not ${missed.join(" ")}`);
}
process.exitCode = failures === 0 ? 0 : 1;
