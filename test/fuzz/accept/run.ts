// npm run fuzz -- accept: well-typed programs are made up; the compiler takes all of them, the kernel loads what it made of them,
// and the kernel, the testing machine and the evaluator of the checked program come to the same.
import { fork } from "node:child_process";
import { writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Manner } from "../../../src/language/compiler/index.ts";
import { type Failed, type Report, type Task, work } from "./worker.ts";

export interface Options {
  /** Programs, about. */
  readonly programs: number;
  readonly seed: number;
  /** Processes that work beside each other, each on a CPU of its own. */
  readonly jobs?: number;
  /** Without it programs are not loaded. */
  readonly kernel?: boolean;
  /** All are made so, and not as is estimated to be best. */
  readonly manner?: Manner | undefined;
}

/** Programs of one module, which are loaded together. */
export const PROGRAMS_PER_MODULE = 4;
const TRIES = 400;
const PATIENCE = 20;
const EVERY_MS = 60_000;

/** What a worker sends, as JSON. */
type Message = { readonly failed: Failed } | { readonly report: Sent } | { readonly programs: number };
export type Sent = Omit<Report, "counts" | "limits" | "others"> & {
  readonly counts: readonly [string, number][];
  readonly limits: readonly [string, number][];
  readonly others: readonly [string, number][];
};

/** Tries programs; resolves with the number of failures. */
export async function fuzzAccept(options: Options): Promise<number> {
  const { programs, seed, manner, jobs = availableParallelism(), kernel = true } = options;
  const begin = performance.now();
  const modules = Math.max(jobs, Math.ceil(programs / PROGRAMS_PER_MODULE));
  const reports: Sent[] = [];
  const far: number[] = [];
  let failures = 0;
  const heard = told(seed, () => failures++);
  const jobOf = (job: number): Promise<void> => {
    const task: Task = {
      from: job,
      to: modules,
      step: jobs,
      seed,
      programs: PROGRAMS_PER_MODULE,
      cpu: job,
      kernel,
      manner,
      tries: TRIES,
      patience: PATIENCE,
    };
    return new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(import.meta.url), ["--worker", JSON.stringify(task)]);
      child.on("message", (message) => {
        const it = message as Message;
        if ("failed" in it) heard(it.failed);
        else if ("programs" in it) far[job] = it.programs;
        else reports.push(it.report);
      });
      child.on("error", reject);
      child.on("exit", (code) =>
        code === 0 ? resolve() : reject(new Error(`the worker on CPU ${job} ended with ${code}`)),
      );
    });
  };
  // Long runs tell how far they are.
  const progress = setInterval(() => {
    console.error(`accept: ${far.reduce((all, one) => all + one, 0)} programs so far`);
  }, EVERY_MS);
  await Promise.all(Array.from({ length: jobs }, (_, job) => jobOf(job)));
  clearInterval(progress);
  tell(reports, seed, (performance.now() - begin) / 1000, failures);
  return failures;
}

/** Keeps and prints what failed. */
export function told(seed: number, count: () => void): (failed: Failed) => void {
  return ({ module, failure, source }) => {
    const file = join(tmpdir(), `skep-fuzz-accept-${seed}-${module}.bpf.ts`);
    writeFileSync(file, source);
    count();
    console.error(
      `${file}: ${failure.kind} (seed ${seed}, module ${module})\n${failure.message}\n${withoutImport(source)}`,
    );
  };
}

function withoutImport(source: string): string {
  return source.replace(/^import .*\n/, "");
}

export function tell(reports: readonly Sent[], seed: number, seconds: number, failures: number): void {
  const sum = (pick: (report: Sent) => number): number => reports.reduce((all, one) => all + pick(one), 0);
  const merged = (pick: (report: Sent) => readonly [string, number][]): Map<string, number> => {
    const all = new Map<string, number>();
    for (const report of reports) for (const [what, n] of pick(report)) all.set(what, (all.get(what) ?? 0) + n);
    return all;
  };
  const total = sum(({ programs }) => programs);
  const lengths = reports.flatMap(({ instructions }) => instructions).sort((a, b) => a - b);
  const counts = [...merged(({ counts: own }) => own)].sort(([, a], [, b]) => a - b);
  const percent = (n: number): string => `${total === 0 ? 0 : Math.round((n * 100) / total)} %`;
  const rows = counts.map(([what, n]) => `${String(n).padStart(9)} ${what}`);
  const column = Math.max(...rows.map(({ length }) => length)) + 2;
  for (let i = 0; i < rows.length; i += 3)
    console.log(
      rows
        .slice(i, i + 3)
        .map((row) => row.padEnd(column))
        .join("")
        .trimEnd(),
    );
  for (const [what, n] of merged(({ limits }) => limits)) console.log(`${n} modules come to a limit: ${what}`);
  for (const [what, n] of merged(({ others }) => others))
    console.log(`${n} modules were taken in another form only: ${what}`);
  const slowest = reports.map((report) => report.slowest).sort((a, b) => b.ms - a.ms)[0];
  if (slowest !== undefined) console.log(`module ${slowest.module} took longest, ${Math.round(slowest.ms)} ms`);
  console.log(
    `accept: ${total} programs in ${Math.round(seconds)} s (seed ${seed}), ${counts.length} constructs, the rarest ${counts[0]?.[1] ?? 0} times, ` +
      `median ${lengths[lengths.length >> 1] ?? 0} instructions, ${percent(sum(({ loops }) => loops))} with loops, ` +
      `${percent(sum(({ maps }) => maps))} with maps, ${percent(sum(({ subprograms }) => subprograms))} with subprograms, ${failures} failures`,
  );
}

const [, script, flag, json] = process.argv;
if (script === fileURLToPath(import.meta.url) && flag === "--worker") {
  const send = (message: Message): void => void process.send?.(message);
  process.on("disconnect", () => process.exit(1));
  const report = await work(
    JSON.parse(json as string) as Task,
    (failed) => send({ failed }),
    (programs) => send({ programs }),
  );
  const told = { ...report, counts: [...report.counts], limits: [...report.limits], others: [...report.others] };
  // A long report is on its way for a while.
  await new Promise((resolve) => process.send?.({ report: told }, resolve));
  process.removeAllListeners("disconnect");
  process.disconnect();
}
