// npm run bench -- start: from the start of the process to the first event it prints, beside strace and bpftrace.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { median } from "./harness/stats.js";

export const peers = ["debian12", "newest"];

const skep = fileURLToPath(new URL("../bin/skep.js", import.meta.url));
/** Starts per run: the run's number is their median. */
const STARTS = 7;
const BPFTRACE = 'tracepoint:raw_syscalls:sys_enter /pid == cpid/ { printf("%d\\n", args->id); }';

/** @param {import("./harness/bench.js").Bench} bench */
export default async function start(bench) {
  const node = [process.execPath, ["-e", "0"]];
  // V8's compiled code is kept by the first run (docs/architecture.md): measured is every later one.
  await firstOutput(process.execPath, [skep, "trace", "-o", "-", "--", "/bin/true"], "execve");
  const column = (id, title, [command, args], wanted, peer) => ({
    id,
    title,
    ...(peer !== undefined && { peer }),
    run: async () => {
      const all = [];
      const added = [];
      for (let i = 0; i < STARTS; i++) {
        const floor = await firstOutput(...node);
        const ms = await firstOutput(command, args, wanted);
        all.push(ms);
        added.push(ms - floor);
      }
      return { ms: median(all), added: median(added) };
    },
  });
  const direct = (name, program, args) => bench.peer(name)?.direct(program, args) ?? [program, args];
  const strace = (id, name) =>
    column(
      id,
      `strace ${bench.peer(name)?.versions.strace} -f`,
      direct(name, "/usr/bin/strace", ["-f", "/bin/true"]),
      "execve",
      name,
    );
  const bpftrace = (id, name) =>
    column(
      id,
      `bpftrace ${bench.peer(name)?.versions.bpftrace}, sys_enter of a command`,
      direct(name, "/usr/bin/bpftrace", ["-c", "/bin/true", "-e", BPFTRACE]),
      /^\d+$/m,
      name,
    );
  await bench.measure({
    name: "from the start of the process to its first event",
    note: `each run: the median of ${STARTS} starts, each right after a \`node -e 0\` from start to end`,
    rounds: 7,
    metrics: { ms: { title: "ms" }, added: { title: "ms more than node -e 0" } },
    columns: [
      column("node", "node -e 0, start to end", node),
      column(
        "skep",
        "skep trace -- /bin/true",
        [process.execPath, [skep, "trace", "-o", "-", "--", "/bin/true"]],
        "execve",
      ),
      column("skep-c", "skep --version, to compare", [process.execPath, [skep, "--version"]], "."),
      bpftrace("bpftrace", "debian12"),
      bpftrace("bpftrace-new", "newest"),
      strace("strace", "debian12"),
      strace("strace-new", "newest"),
    ],
    goals: [
      { metric: "added", column: "skep", atMost: 10 },
      { metric: "ms", column: "skep", of: "bpftrace", atMost: 1 },
      { metric: "ms", column: "skep", of: "bpftrace-new", atMost: 1 },
    ],
  });
}

/**
 * Milliseconds from before the process was started until its output had `wanted` in it, or until it ended when nothing
 * is wanted. The process is waited for in any case.
 * @param {string} command @param {readonly string[]} args @param {string | RegExp} [wanted]
 */
function firstOutput(command, args, wanted) {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    let ms;
    const look = (chunk) => {
      text += chunk;
      if (
        ms === undefined &&
        wanted !== undefined &&
        (typeof wanted === "string" ? text.includes(wanted) : wanted.test(text))
      )
        ms = performance.now() - begin;
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("error", reject);
    child.on("exit", () => {
      if (wanted === undefined) ms = performance.now() - begin;
    });
    child.on("close", (code) => {
      if (code === 0 && ms !== undefined) resolve(ms);
      else
        reject(new Error(`${command} ${args.join(" ")} ended with ${code}, and printed no event: ${text.slice(-500)}`));
    });
  });
}
