// Trying modules on kernels where JavaScript is slow (virtual machines): they are made up and compiled here, loaded and run there, and
// what they did there is compared here with what the testing machine and the evaluator come to.
import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from "node:fs";
import { release } from "node:os";
import { deserialize, serialize } from "node:v8";
import { gunzipSync, gzipSync } from "node:zlib";
import { check } from "../../../src/language/compiler/check/check.ts";
import { compile, otherwise } from "../../../src/language/compiler/compile.ts";
import type { Manner } from "../../../src/language/compiler/index.ts";
import type { Features, Target } from "../../../src/language/compiler/target.ts";
import { Btf } from "../../../src/object/btf/index.ts";
import type { ObjectSpec } from "../../../src/object/spec/index.ts";
import { VerifierError } from "../../../src/sdk/index.ts";
import { liveTarget } from "../../../src/sdk/kernel-typescript/target.ts";
import { generate } from "./module.ts";
import { byEvaluation, difference, inKernel, inMachine, type Outcome, type Run } from "./opinions.ts";
import { type Failure, refusal, sourcesOf, verdict } from "./trial.ts";
import { emptyReport, type Failed, note, profileOf, type Report, runsOf, seedOf } from "./worker.ts";
import { type Self, stayOn, whoIAm } from "./world.ts";

const FEATURES: readonly (keyof Features)[] = [
  "fetchAtomics",
  "isaV4",
  "probeReadKernel",
  "currentTaskBtf",
  "forEachMapElem",
  "loop",
  "rdonlyCast",
  "iterNum",
];
const CPU = 0;

/** Of the kernel that this process runs on: what is compiled for, as text. */
export function recordTarget(): string {
  const { arch, cpus, features, btf } = liveTarget();
  const has = Object.fromEntries(FEATURES.map((name) => [name, features[name]]));
  const types = btf === undefined ? undefined : gzipSync(btf.bytes).toString("base64");
  return JSON.stringify({ release: release(), arch, cpus, features: has, btf: types });
}

export function readTarget(text: string): Target {
  const { btf, ...rest } = JSON.parse(text) as Omit<Target, "btf" | "tracepointFormat" | "hasHelper"> & {
    readonly btf?: string;
  };
  return {
    ...rest,
    byteOrder: "little",
    btf: btf === undefined ? undefined : Btf.parse(new Uint8Array(gunzipSync(Buffer.from(btf, "base64")))),
    tracepointFormat: () => undefined,
    // What programs use is what kernels have had since before the first one that is tried.
    hasHelper: () => true,
  };
}

interface Prepared {
  readonly module: number;
  readonly manner: Manner;
  readonly text: string;
  readonly runs: readonly Run[];
  readonly spec: ObjectSpec;
}

/** One after the other, each with its length before it: files of them are larger than what is kept at once. */
function* readPrepared(path: string): Generator<Prepared> {
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(4);
    while (readSync(file, head) === head.length) {
      const bytes = Buffer.alloc(head.readUInt32LE());
      readSync(file, bytes);
      const { btf, ...one } = deserialize(gunzipSync(bytes)) as Prepared & { readonly btf: Uint8Array };
      yield { ...one, spec: { ...one.spec, btf: Btf.parse(btf) } };
    }
  } finally {
    closeSync(file);
  }
}

/** Makes up modules for a kernel and writes what they compile to into a file. */
export function prepare(
  path: string,
  target: Target,
  { modules, programs, seed }: { readonly modules: number; readonly programs: number; readonly seed: number },
  tell: (failed: Failed) => void,
): Report {
  const file = openSync(path, "w");
  const report = emptyReport();
  const profile = profileOf({ target });
  for (let module = 0; module < modules; module++) {
    const own = seedOf({ seed }, module);
    const generated = generate(own, programs, profile, report.counts);
    const runs = runsOf(generated, own);
    const { text } = generated;
    const { spec, manner, diagnostics } = compile(sourcesOf(text), target);
    const failure = refusal(
      diagnostics.filter(({ severity }) => severity === "error"),
      text,
    );
    if (failure?.kind.startsWith("limit")) report.limits.set(failure.kind, (report.limits.get(failure.kind) ?? 0) + 1);
    else if (failure !== undefined) {
      report.failures++;
      tell({ module, failure, source: text });
    }
    if (spec === undefined) continue;
    note(report, generated, spec);
    writePrepared(file, { module, manner, text, runs, spec });
  }
  closeSync(file);
  return report;
}

function writePrepared(file: number, { spec, ...one }: Prepared): void {
  const { btf, ...plain } = spec;
  const bytes = gzipSync(serialize({ ...one, spec: plain, btf: btf?.bytes }), { level: 1 });
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes.length);
  writeSync(file, head);
  writeSync(file, bytes);
}

/** Writes the other forms of what the kernel refused, as `load` would try them; gives how many modules those are. */
export function prepareOthers(path: string, prepared: string, outcomes: string, target: Target): number {
  const { said } = readOutcomes(outcomes);
  const file = openSync(path, "w");
  let modules = 0;
  for (const one of readPrepared(prepared)) {
    const there = said.get(one.module);
    if (there === undefined || !("failure" in there) || !there.failure.kind.startsWith("verifier")) continue;
    modules++;
    for (const { spec, manner } of otherwise(sourcesOf(one.text), target, one.manner))
      if (spec !== undefined) writePrepared(file, { ...one, spec, manner });
  }
  closeSync(file);
  return modules;
}

type Line = { readonly self: Omit<Self, "cgroupId"> & { readonly cgroupId: string } } | Said;
/** What became of a module, in one form. */
type Said = Ran | { readonly module: number; readonly manner: Manner; readonly failure: Failure };
interface Ran {
  readonly module: number;
  readonly manner: Manner;
  readonly results: readonly number[];
  readonly left: readonly (readonly [string, string])[];
}

/** Loads and runs what was prepared on the kernel that this process runs on; a line of JSON for each module. */
export function runPrepared(path: string, write: (line: string) => void): void {
  stayOn(CPU);
  const say = (line: Line): void => write(`${JSON.stringify(line)}\n`);
  const self = whoIAm(CPU);
  say({ self: { ...self, cgroupId: String(self.cgroupId) } });
  for (const { module, manner, spec, runs } of readPrepared(path)) {
    try {
      const { results, left } = inKernel(spec, runs, CPU);
      say({ module, manner, results, left: [...left] });
    } catch (error) {
      const failure =
        error instanceof VerifierError
          ? { kind: `verifier: ${verdict(error)}`, message: error.log.slice(-3000) }
          : { kind: `loading: ${(error as Error).message.slice(0, 100)}`, message: (error as Error).stack ?? "" };
      say({ module, manner, failure });
    }
  }
}

/** What was said of each module, and who ran them. Of one that was tried in several forms the first that was taken counts. */
function readOutcomes(outcomes: string) {
  const lines = readFileSync(outcomes, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Line);
  const [first, ...rest] = lines;
  if (first === undefined || !("self" in first))
    throw new Error(`${outcomes} does not begin with who ran the programs`);
  const self: Self = { ...first.self, cgroupId: BigInt(first.self.cgroupId) };
  const said = new Map<number, Said>();
  for (const line of rest) {
    if (!("module" in line)) continue;
    const known = said.get(line.module);
    if (known === undefined || "failure" in known) said.set(line.module, line);
  }
  return { self, said };
}

/**
 * Compares what came of it there, of the first forms and of others, with what the machine and the evaluator come to. Gives how many
 * modules were heard of.
 */
export function judge(
  path: string,
  outcomes: string,
  otherOutcomes: string | undefined,
  target: Target,
  tell: (failed: Failed) => void,
): number {
  const { self, said } = readOutcomes(outcomes);
  const others = otherOutcomes === undefined ? undefined : readOutcomes(otherOutcomes);
  let heard = 0;
  for (const { module, text, runs, spec } of readPrepared(path)) {
    const first = said.get(module);
    if (first === undefined) continue;
    heard++;
    const other = "failure" in first ? others?.said.get(module) : undefined;
    const there = other === undefined || "failure" in other ? first : other;
    const by = there === other ? others?.self : undefined;
    const taken = there === first ? spec : compile(sourcesOf(text), target, { manner: there.manner }).spec;
    const failure =
      "failure" in there ? there.failure : compared(text, runs, taken as ObjectSpec, there, by ?? self, target);
    if (failure !== undefined) tell({ module, failure, source: text });
  }
  return heard;
}

function compared(
  text: string,
  runs: readonly Run[],
  spec: ObjectSpec,
  { results, left }: Ran,
  self: Self,
  target: Target,
): Failure | undefined {
  try {
    const kernel: Outcome = { results, left: new Map(left) };
    const machine = inMachine(spec, runs, self, target);
    const inBoth = difference(machine, kernel, runs);
    if (inBoth !== undefined) return { kind: "machine and kernel differ", message: inBoth };
    const { module } = check(sourcesOf(text), target);
    const meant = difference(byEvaluation(module, spec, runs, self, target), machine, runs);
    return meant === undefined ? undefined : { kind: "evaluator and machine differ", message: meant };
  } catch (error) {
    return { kind: `judging: ${(error as Error).message.slice(0, 60)}`, message: (error as Error).stack ?? "" };
  }
}

export interface Files {
  readonly target: string;
  readonly prepared: string;
  readonly outcomes: string;
  /** Of what the kernel refused: other forms, and what became of them. */
  readonly others: string;
  readonly otherOutcomes: string;
  readonly report: string;
}

/** The steps, `record`, `prepare`, `run`, `others`, `run-others`, `judge`: each may be a process of its own (run.js). */
export function step(
  what: string,
  files: Files,
  counts: { readonly modules: number; readonly programs: number; readonly seed: number },
  tell: (failed: Failed) => void,
): void {
  const target = (): Target => readTarget(readFileSync(files.target, "utf8"));
  if (what === "record") process.stdout.write(`${recordTarget()}\n`);
  else if (what === "prepare") {
    const { counts: constructs, limits, others, ...report } = prepare(files.prepared, target(), counts, tell);
    writeFileSync(
      files.report,
      JSON.stringify({ ...report, counts: [...constructs], limits: [...limits], others: [...others] }),
    );
  } else if (what === "run") runPrepared(files.prepared, (line) => void process.stdout.write(line));
  else if (what === "others") {
    const others = prepareOthers(files.others, files.prepared, files.outcomes, target());
    if (others > 0) console.log(`${others} modules were refused at first: the kernel is offered other forms`);
  } else if (what === "run-others") runPrepared(files.others, (line) => void process.stdout.write(line));
  else if (what === "judge") {
    const heard = judge(
      files.prepared,
      files.outcomes,
      existsSync(files.otherOutcomes) ? files.otherOutcomes : undefined,
      target(),
      tell,
    );
    console.log(`${heard} modules were run there`);
  } else throw new Error(`there is no step ${what}`);
}
