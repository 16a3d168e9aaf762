// npm run bench -- trace: what tracing adds to each system call, beside strace and bpftrace doing the same.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const peers = ["debian12", "newest"];

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
const MILLION = 1_000_000;
/** strace stops the program twice a call: a million of them takes minutes. Set to 1000000 by who has the time. */
const STRACE_CALLS = Number(process.env["SKEP_BENCH_STRACE_CALLS"] ?? 50_000);
/** What `skep trace -c` does: enter, exit, and a histogram of the time between for each call. */
const BPFTRACE = `
tracepoint:raw_syscalls:sys_enter /pid == cpid/ { @start[tid] = nsecs; }
tracepoint:raw_syscalls:sys_exit /@start[tid]/ { @ns[args->id] = hist(nsecs - @start[tid]); delete(@start[tid]); }`;

/** @param {import("./harness/bench.js").Bench} bench */
export default async function trace(bench) {
  const scratch = join(bench.cache, "trace");
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(scratch, { recursive: true });
  const calls = join(scratch, "calls");
  execFileSync("cc", ["-O2", "-o", calls, path("trace/calls.c")]);
  const files = { result: join(scratch, "ns"), output: join(scratch, "output") };
  try {
    for (const kind of ["getppid", "read"]) {
      await bench.part(kind, () => bench.measure(measure(bench, kind, calls, files)));
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function measure(bench, kind, calls, files) {
  const workload = (count) => [calls, kind, `${count}`, files.result];

  /** Runs the workload alone and then traced, side by side in time. `wrap` gives the command that traces it. */
  const column = (id, title, count, wrap, { peer, look, env } = {}) => ({
    id,
    title: count === MILLION ? title : `${title} (${count} calls)`,
    ...(peer !== undefined && { peer }),
    run: () => {
      run(workload(MILLION));
      const bare = Number(readFileSync(files.result, "utf8"));
      const said = run(wrap(workload(count)), env);
      const traced = Number(readFileSync(files.result, "utf8"));
      return { added: traced - bare, traced, bare, ...look?.(said) };
    },
  });
  const skep = (...args) => [process.execPath, path("../bin/skep.js"), "trace", ...args, "--"];
  const tracer = (name, program, args) => (command) => {
    const [file, words] = bench.peer(name).direct(program, args(command));
    return [file, ...words];
  };
  const strace = (id, name, args, what, apart = false) =>
    column(
      id,
      `strace ${bench.peer(name)?.versions.strace} ${what}${apart ? ", on another CPU" : ""}`,
      STRACE_CALLS,
      (command) => {
        const trace = tracer(name, "/usr/bin/strace", (words) => [...args, ...words]);
        return apart ? ["taskset", "-c", "0", ...trace(["taskset", "-c", "1", ...command])] : trace(command);
      },
      { peer: name },
    );
  const bpftrace = (id, name) =>
    column(
      id,
      `bpftrace ${bench.peer(name)?.versions.bpftrace}, enter + exit + histogram`,
      MILLION,
      tracer(name, "/usr/bin/bpftrace", (command) => ["-c", command.join(" "), "-e", BPFTRACE]),
      { peer: name },
    );
  return {
    name: `${kind}: what tracing adds to a call`,
    note: `strace costs five times as much where the scheduler puts it on another CPU than the program: both are measured\nprograms that do nothing on the same tracepoints show the least that is possible\n${MILLION} calls of ${kind === "read" ? "read(2), one byte of /dev/zero" : "getppid(2)"}; each run measures the program alone, then traced`,
    rounds: 5,
    metrics: {
      added: { title: "ns added/call" },
      traced: { title: "ns/call traced" },
      bare: { title: "ns/call alone" },
      lost: { title: "calls lost" },
    },
    base: "strace-c",
    columns: [
      column("skep-c", "skep trace -c", MILLION, (command) => [...skep("-c", "-o", files.output), ...command], {
        look: () => checkSummary(files.output, kind),
      }),
      column("skep", "skep trace -o FILE", MILLION, (command) => [...skep("-o", files.output), ...command], {
        look: lostCalls,
      }),
      column("nothing", "two programs that do nothing", MILLION, (command) => [
        process.execPath,
        path("trace/nothing.js"),
        ...command,
      ]),
      bpftrace("bpftrace", "debian12"),
      bpftrace("bpftrace-new", "newest"),
      strace("strace-c", "debian12", ["-f", "-c", "-o", files.output], "-f -c"),
      ...(cpus().length > 1
        ? [strace("strace-c-apart", "debian12", ["-f", "-c", "-o", files.output], "-f -c", true)]
        : []),
      strace("strace", "debian12", ["-f", "-o", files.output], "-f -o FILE"),
      strace("strace-c-new", "newest", ["-f", "-c", "-o", files.output], "-f -c"),
      ...(cpus().length > 1
        ? [strace("strace-c-new-apart", "newest", ["-f", "-c", "-o", files.output], "-f -c", true)]
        : []),
      strace("strace-new", "newest", ["-f", "-o", files.output], "-f -o FILE"),
    ],
    goals: [
      ...["strace-c", "strace-c-apart", "strace-c-new", "strace-c-new-apart"]
        .filter((id) => cpus().length > 1 || !id.endsWith("apart"))
        .map((of) => ({ metric: "added", column: "skep-c", of, atMost: 1 / 150 })),
      { metric: "added", column: "skep-c", of: "bpftrace", atMost: 0.8 },
      { metric: "added", column: "skep-c", of: "bpftrace-new", atMost: 0.8 },
      { metric: "lost", column: "skep", atMost: 0 },
    ],
  };
}

function run([file, ...args], env = process.env) {
  const { status, signal, error, stderr } = spawnSync(file, args, { encoding: "utf8", env, maxBuffer: 1 << 28 });
  if (status !== 0)
    throw error ?? new Error(`${file} ${args.join(" ")} ended with ${signal ?? status}: ${stderr.trim()}`);
  return stderr;
}

/** The table must have every call, or the column measured something else. */
function checkSummary(file, kind) {
  const text = readFileSync(file, "utf8");
  const counted = Number(new RegExp(`^${kind} +(\\d+)`, "m").exec(text)?.[1] ?? 0);
  if (counted < MILLION) throw new Error(`skep trace -c counted ${counted} of ${MILLION} calls`);
  return { lost: 0 };
}

/** What skep itself says was lost. */
function lostCalls(said) {
  if (/nothing lost/.test(said)) return { lost: 0 };
  const lost = /LOST (\d+) calls/.exec(said);
  if (lost === null) throw new Error(`skep trace said: ${said.trim()}`);
  return { lost: Number(lost[1]) };
}
