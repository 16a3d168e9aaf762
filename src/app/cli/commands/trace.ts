import { parseCalls, parseCompatCalls, runTrace, type TraceTarget } from "../../../tools/trace/index.ts";
import { readPlainOptions } from "../options.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  pid: { type: "string", short: "p", multiple: true },
  cgroup: { type: "string" },
  expression: { type: "string", short: "e", multiple: true },
  failed: { type: "boolean", short: "Z" },
  "min-us": { type: "string" },
  summary: { type: "boolean", short: "c" },
  "summary-after": { type: "boolean", short: "C" },
  hist: { type: "boolean" },
  json: { type: "boolean" },
  output: { type: "string", short: "o" },
  buffer: { type: "string" },
  color: { type: "boolean" },
  "no-color": { type: "boolean" },
} as const;

const HELP = `skep trace: the system calls of a command, of processes or of a cgroup

Usage: skep trace [OPTIONS] [--] COMMAND [ARGUMENTS]
       skep trace [OPTIONS] -p PID [-p PID …]
       skep trace [OPTIONS] --cgroup FOLDER

What is shown (all of it filtered in the kernel):
  -e, --expression LIST  calls by name, by class, or not: openat,connect  %file  %net  %process  %memory  !futex
  -Z, --failed           only calls that fail
      --min-us N         only calls that take at least N microseconds

How it is shown:
  -c, --summary          a table of calls, errors and times at the end; costs several times less
  -C, --summary-after    every call, and the table after them
      --hist             with -c or -C: a histogram of the times of each call
      --json             one JSON object a line (schema skep.trace/1)
  -o, --output FILE      where the trace goes; - is stdout. Without it: stderr beside a command, else stdout
      --buffer SIZE      room between kernel and reader, e.g. 256M (4M; 64M for a file)
      --color, --no-color

The exit code is the command's. Whatever was lost is counted and shown. Needs root, or CAP_BPF and CAP_PERFMON.

Examples:
  skep trace -- ls -l                     every call, with paths, flags and errors
  skep trace -c -- git status             which calls cost the time
  skep trace -e %file --failed -- make    files that were looked for in vain
  skep trace -e connect --json -p 1234    connections of a running process, for other programs
`;

/** Wrong options: exit code 2. */
class UsageError extends Error {
  readonly code = "SKEP_USAGE";
}

export async function run(args: readonly string[]): Promise<number> {
  try {
    return await trace(args);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (
      error instanceof UsageError ||
      (typeof code === "string" && (code.startsWith("ERR_PARSE_ARGS") || code === "SKEP_SYSCALL_FILTER"))
    ) {
      process.stderr.write(`skep trace: ${(error as Error).message}\n`);
      return 2;
    }
    const exit = (error as { exitCode?: unknown }).exitCode;
    if (typeof exit === "number") {
      process.stderr.write(`skep: ${(error as Error).message}\n`);
      return exit;
    }
    throw error;
  }
}

async function trace(args: readonly string[]): Promise<number> {
  const { values, command } = readPlainOptions(args, OPTIONS) ?? readOptions(args);
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  const filter = values.expression?.join(",");
  return await runTrace({
    target: targetOf(values.pid, values.cgroup, command),
    command,
    calls: filter === undefined ? undefined : parseCalls(filter),
    compatCalls: filter === undefined ? undefined : parseCompatCalls(filter),
    failedOnly: values.failed ?? false,
    minNs: values["min-us"] === undefined ? 0 : microseconds(values["min-us"]),
    summary: summaryOf(values.summary, values["summary-after"], values.hist),
    histograms: values.hist ?? false,
    json: values.json ?? false,
    output: values.output,
    colour: values["no-color"] === true ? false : values.color,
    ringBytes: values.buffer === undefined ? undefined : ringSize(values.buffer),
  });
}

/** What `readPlainOptions` leaves to Node, whose module for it is loaded then. */
function readOptions(args: readonly string[]) {
  const { parseArgs } = process.getBuiltinModule("node:util");
  const { own, command } = splitCommand(args);
  return { values: parseArgs({ args: own, options: OPTIONS, allowPositionals: false }).values, command };
}

/** The command begins at the first word that is not an option or an option's value, or after `--`. */
function splitCommand(args: readonly string[]): { own: string[]; command: string[] } {
  const { parseArgs } = process.getBuiltinModule("node:util");
  const { tokens } = parseArgs({
    args: [...args],
    options: OPTIONS,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  for (const token of tokens) {
    if (token.kind === "option-terminator")
      return { own: args.slice(0, token.index), command: args.slice(token.index + 1) };
    if (token.kind === "positional") return { own: args.slice(0, token.index), command: args.slice(token.index) };
  }
  return { own: [...args], command: [] };
}

function summaryOf(only = false, after = false, histograms = false): "none" | "only" | "after" {
  if (only && after) throw new UsageError("Give -c for the table alone, or -C for the calls and the table: not both.");
  if (histograms && !only && !after) throw new UsageError("--hist belongs to the table: give -c or -C with it.");
  return only ? "only" : after ? "after" : "none";
}

function targetOf(
  pids: readonly string[] | undefined,
  cgroup: string | undefined,
  command: readonly string[],
): TraceTarget {
  const ways = [pids !== undefined, cgroup !== undefined, command.length > 0].filter(Boolean).length;
  if (ways === 0)
    throw new UsageError("Say what to trace: a command, -p PID, or --cgroup FOLDER. skep trace --help tells more.");
  if (ways > 1) throw new UsageError("Give a command, or -p, or --cgroup: only one of them.");
  if (cgroup !== undefined) return { kind: "cgroup", path: cgroup };
  if (pids === undefined) return { kind: "command" };
  return { kind: "pids", pids: pids.flatMap((list) => list.split(/[\s,]+/).filter(Boolean)).map(processId) };
}

function processId(text: string): number {
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 0) throw new UsageError(`"${text}" is not a process id.`);
  return pid;
}

function microseconds(text: string): number {
  const us = Number(text);
  if (text === "" || !(us >= 0) || us > 1e12)
    throw new UsageError(`--min-us wants a number of microseconds, not "${text}".`);
  return Math.round(us * 1000);
}

/** A size such as 512K, 64M or 1G, as the kernel wants it: a power of two, at least a page. */
function ringSize(text: string): number {
  const match = /^(\d+)([KMG]?)i?B?$/i.exec(text);
  if (match === null) throw new UsageError(`--buffer wants a size such as 512K or 64M, not "${text}".`);
  const unit = { "": 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 }[(match[2] as string).toUpperCase()] as number;
  const bytes = 2 ** Math.ceil(Math.log2(Math.max(Number(match[1]) * unit, 65_536)));
  if (bytes > 1 << 30) throw new UsageError("--buffer can be at most 1G.");
  return bytes;
}
