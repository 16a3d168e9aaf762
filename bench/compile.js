// npm run bench -- compile: a one-liner from its source to its first event, beside bpftrace; the compiler's passes.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PROGRAMS } from "./codegen/programs.js";
import { runProgram } from "./harness/program.js";
import { median, show } from "./harness/stats.js";

export const peers = ["debian12", "newest"];

const path = (file) => fileURLToPath(new URL(file, import.meta.url));
const skep = path("../bin/skep.js");
/** Starts per run: the run's number is their median. */
const STARTS = 5;
/** Compilations of one process, of which the later half counts. */
const TURNS = 400;
/** The same in both languages: each system call of the command, as it happens. */
const ONE_LINER = 'tp("raw_syscalls:sys_enter", pid() === cpid && print(ctx.id))';
const BPFTRACE = 'tracepoint:raw_syscalls:sys_enter /pid == cpid/ { printf("%d\\n", args->id); }';
const EVENT = /^\d+$/m;
const TIME = "/usr/bin/time";

/** @param {import("./harness/bench.js").Bench} bench */
export default async function compile(bench) {
  await bench.part("warm", () => warm(bench));
  await bench.part("run", () => run(bench));
  await bench.part("passes", () => passes(bench));
}

async function warm(bench) {
  const one = () => runProgram(process.execPath, [path("compile/one-liner.js"), `${TURNS}`]);
  await bench.measure({
    name: "a one-liner from its source to loaded, in a process that has done it before",
    note: `each run: a process that does it ${TURNS} times; the median of the later half`,
    rounds: 5,
    metrics: {
      warm: { title: "ms" },
      compile: { title: "ms compiling" },
      load: { title: "ms loading" },
      first: { title: "ms, first" },
    },
    columns: [{ id: "skep", title: "Skep", run: one }],
    goals: [{ metric: "warm", column: "skep", atMost: 2 }],
  });
}

async function run(bench) {
  const command = (...options) => [process.execPath, [skep, "run", ...options, "-e", ONE_LINER, "--", "/bin/true"]];
  const [cold, cached] = [command("--no-cache"), command()];
  // V8's compiled code is kept by the first run, and so is what the compiler made: measured is every later one.
  await start(...cold);
  await start(...cached);
  const column = (id, title, [file, args], marks, peer) => ({
    id,
    title,
    ...(peer !== undefined && { peer }),
    run: async () => {
      const all = [];
      for (let i = 0; i < STARTS; i++) {
        const bare = (await start(process.execPath, ["-e", "0"])).end;
        const it = await start(file, args, marks);
        all.push({ ...it, added: it.attached === undefined ? undefined : it.attached - bare });
      }
      const of = (key) => (all[0][key] === undefined ? undefined : median(all.map((one) => one[key])));
      const memory = peakMemory(file, args);
      return Object.fromEntries(
        Object.entries({ event: of("event"), end: of("end"), added: of("added"), memory }).filter(
          ([, value]) => value !== undefined,
        ),
      );
    },
  });
  const bpftrace = (id, name) =>
    column(
      id,
      `bpftrace ${bench.peer(name)?.versions.bpftrace}`,
      bench.peer(name)?.direct("/usr/bin/bpftrace", ["-c", "/bin/true", "-e", BPFTRACE]) ?? ["bpftrace", []],
      { event: EVENT },
      name,
    );
  await bench.measure({
    name: "the system calls of a command, printed by a one-liner",
    note: `each run: the median of ${STARTS} starts, each right after a \`node -e 0\` from start to end; memory: the process's greatest`,
    rounds: 5,
    metrics: {
      event: { title: "ms to the first event" },
      end: { title: "ms to the end" },
      added: { title: "ms to attached, more than node -e 0" },
      memory: { title: "MB" },
    },
    columns: [
      column("node", "node -e 0, start to end", [process.execPath, ["-e", "0"]], {}),
      column("skep", "skep run -e, compiled anew", cold, { event: EVENT, attached: "attached" }),
      column("skep-cached", "skep run -e, from its cache", cached, { event: EVENT, attached: "attached" }),
      bpftrace("bpftrace", "debian12"),
      bpftrace("bpftrace-new", "newest"),
    ],
    goals: [
      { metric: "added", column: "skep", atMost: 30 },
      { metric: "event", column: "skep", of: "bpftrace-new", atMost: 0.5 },
      { metric: "event", column: "skep", of: "bpftrace", atMost: 1.3 },
      { metric: "event", column: "skep-cached", of: "bpftrace", atMost: 1 },
      { metric: "end", column: "skep", of: "bpftrace", atMost: 0.4 },
      { metric: "end", column: "skep", of: "bpftrace-new", atMost: 0.4 },
      ...(existsSync(TIME) ? [{ metric: "memory", column: "skep", of: "bpftrace-new", atMost: 0.4 }] : []),
    ],
  });
}

async function passes(bench) {
  const results = {};
  results["one-liner"] = await runProgram(process.execPath, [path("compile/one-liner.js"), `${TURNS}`]);
  for (const { name } of PROGRAMS) {
    const args = [path("compile/passes.js"), path(`codegen/${name}.bpf.ts`), `${TURNS / 4}`];
    results[name] = await runProgram(process.execPath, args).catch((error) => ({ failed: error.message }));
  }
  const names = results["one-liner"].passes.map(({ pass }) => pass);
  const total = (passesOf, key) => passesOf.reduce((sum, pass) => sum + pass[key], 0);
  const row = (title, passesOf, key) => [
    title,
    ...names.map((name) => show(passesOf.find(({ pass }) => pass === name)?.[key] ?? 0)),
    show(total(passesOf, key)),
  ];
  const rows = [["ms, warm", ...names, "all"]];
  const failures = [];
  for (const [name, { passes: own, failed }] of Object.entries(results)) {
    if (failed === undefined) rows.push(row(name, own, "warm"));
    else failures.push(`${name} failed: ${failed}`);
  }
  rows.push(row("one-liner, first time", results["one-liner"].passes, "first"));
  bench.count({ name: "the compiler's passes", rows, failures, goals: [], raw: results });
}

/** Kilobytes that the process had at most, as megabytes; undefined without time(1). */
function peakMemory(file, args) {
  if (!existsSync(TIME)) return undefined;
  const { stderr } = spawnSync(TIME, ["-f", "%M", file, ...args], { encoding: "utf8" });
  return Number(stderr.trim().split("\n").at(-1)) / 1024;
}

/**
 * Milliseconds from before the process was started until its output had each of the marks in it, and until it ended.
 * @param {string} file @param {readonly string[]} args @param {Record<string, string | RegExp>} [marks]
 * @returns {Promise<Record<string, number>>}
 */
function start(file, args, marks = {}) {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    const times = {};
    const look = (chunk) => {
      text += chunk;
      for (const [name, mark] of Object.entries(marks))
        if (times[name] === undefined && (typeof mark === "string" ? text.includes(mark) : mark.test(text)))
          times[name] = performance.now() - begin;
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("error", reject);
    child.on("exit", () => {
      times.end = performance.now() - begin;
    });
    child.on("close", (code) => {
      const missing = Object.keys(marks).filter((name) => times[name] === undefined);
      if (code === 0 && missing.length === 0) resolve(times);
      else
        reject(
          new Error(
            `${file} ${args.join(" ")} ended with ${code ?? "a signal"}, without ${missing.join(", ")}: ${text.slice(-500)}`,
          ),
        );
    });
  });
}
