// Tries modules, one after the other, and tells of them. Started by run.ts, with the numbers of what to do.
import type { Manner } from "../../../src/language/compiler/index.ts";
import { mistakesCallers } from "../../../src/language/compiler/target.ts";
import type { Instruction } from "../../../src/object/asm/index.ts";
import type { ObjectSpec } from "../../../src/object/spec/index.ts";
import { liveTarget } from "../../../src/sdk/kernel-typescript/target.ts";
import { Random } from "../../support/random.ts";
import { argumentsOf, contextOf } from "./contexts.ts";
import type { Profile } from "./gen.ts";
import { minimise } from "./minimise.ts";
import { type Generated, generate } from "./module.ts";
import type { Run } from "./opinions.ts";
import { type Failure, isWellTyped, type Place, refusalOf, tryModule } from "./trial.ts";
import { stayOn, whoIAm } from "./world.ts";

export interface Task {
  /** Numbers of modules: their seeds. */
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly seed: number;
  readonly programs: number;
  readonly cpu: number;
  readonly kernel: boolean;
  readonly manner?: Manner | undefined;
  /** Tries to make a failing source shorter. */
  readonly tries: number;
  /** Failures after which it ends. */
  readonly patience: number;
}

/** What one worker has to tell. */
export interface Report {
  programs: number;
  instructions: number[];
  loops: number;
  maps: number;
  subprograms: number;
  counts: Map<string, number>;
  limits: Map<string, number>;
  failures: number;
  /** Modules that the kernel took in another form than the one that was compiled first, by what it had against that. */
  others: Map<string, number>;
  /** The module that took longest, and how long: nearly always in the verifier. */
  slowest: { module: number; ms: number };
}

export interface Failed {
  readonly module: number;
  readonly failure: Failure;
  /** The source, as short as it was made. */
  readonly source: string;
}

/** Runs of each program. */
const RUNS = 2;

export function profileOf(place: Pick<Place, "target">): Profile {
  const { features, btf } = place.target;
  const release = place.target.release.split(".").map(Number);
  const isOld = (release[0] ?? 0) < 5 || (release[0] === 5 && (release[1] ?? 0) < 14);
  return {
    kind: isOld ? "rawTracepoint" : "syscall",
    fetchAtomics: features.fetchAtomics,
    entries: features.forEachMapElem,
    longLoops: features.loop || features.iterNum,
    task: btf !== undefined && features.currentTaskBtf,
    callsNumbersOnly: mistakesCallers(features),
  };
}

export function seedOf({ seed }: Pick<Task, "seed">, module: number): number {
  return new Random(Math.imul(seed, 0x01000193) ^ module).next();
}

export function runsOf(generated: Generated, seed: number): Run[] {
  const random = new Random(seed ^ 0x5eed);
  return generated.programs.flatMap(({ name: program }) =>
    Array.from({ length: RUNS }, () => ({
      program,
      context: generated.kind === "syscall" ? contextOf(random, generated.context) : argumentsOf(random),
    })),
  );
}

function hasMaps(instructions: readonly Instruction[]): boolean {
  return instructions.some((one) => one.map !== undefined);
}

export function emptyReport(): Report {
  return {
    programs: 0,
    instructions: [],
    loops: 0,
    maps: 0,
    subprograms: 0,
    counts: new Map(),
    limits: new Map(),
    failures: 0,
    others: new Map(),
    slowest: { module: 0, ms: 0 },
  };
}

/** Notes what a module that was taken is made of. */
export function note(report: Report, generated: Generated, spec: ObjectSpec): void {
  for (const { name, loops } of generated.programs) {
    const instructions = spec.programs[name]?.instructions ?? [];
    report.programs++;
    report.instructions.push(instructions.length);
    if (loops) report.loops++;
    if (hasMaps(instructions)) report.maps++;
    if (instructions.filter(({ functionType }) => functionType !== undefined).length > 1) report.subprograms++;
  }
}

/** Does the task; tells of each failure when it is found. */
export async function work(
  task: Task,
  tell: (failed: Failed) => void,
  progress: (programs: number) => void = () => {},
): Promise<Report> {
  stayOn(task.cpu);
  const { kernel, manner } = task;
  const place: Place = {
    target: liveTarget(),
    self: whoIAm(task.cpu),
    kernel,
    ...(manner !== undefined && { manner }),
  };
  const profile = profileOf(place);
  const report = emptyReport();
  const seen = new Map<string, number>();
  for (let module = task.from; module < task.to; module += task.step) {
    // What was told goes out, and the end of whoever started this is heard.
    await new Promise((resolve) => setImmediate(resolve));
    const seed = seedOf(task, module);
    const generated = generate(seed, task.programs, profile, report.counts);
    const runs = runsOf(generated, seed);
    const begin = performance.now();
    const { compiled, failure, refusedFirst } = tryModule(generated.text, runs, place);
    const ms = performance.now() - begin;
    if (ms > report.slowest.ms) report.slowest = { module, ms };
    progress(report.programs);
    if (failure?.kind.startsWith("limit")) report.limits.set(failure.kind, (report.limits.get(failure.kind) ?? 0) + 1);
    else if (failure !== undefined) {
      const times = (seen.get(failure.kind) ?? 0) + 1;
      seen.set(failure.kind, times);
      const source = times > 1 ? generated.text : shorter(generated.text, runs, place, failure, task.tries);
      tell({ module, failure, source });
      if (++report.failures >= task.patience) break;
    }
    if (failure !== undefined || compiled?.spec === undefined) continue;
    if (refusedFirst !== undefined)
      report.others.set(refusedFirst.kind, (report.others.get(refusedFirst.kind) ?? 0) + 1);
    note(report, generated, compiled.spec);
  }
  return report;
}

/** The failing module with as little in it as still fails so. */
function shorter(text: string, runs: readonly Run[], place: Place, failure: Failure, tries: number): string {
  const fails = (candidate: string): boolean => {
    if (failure.kind.startsWith("refused")) return refusalOf(candidate, place.target)?.kind === failure.kind;
    if (!isWellTyped(candidate, place.target)) return false;
    const there = runs.filter(({ program }) => candidate.includes(`export const ${program} =`));
    return tryModule(candidate, there, place).failure?.kind === failure.kind;
  };
  return minimise(text, fails, tries);
}
