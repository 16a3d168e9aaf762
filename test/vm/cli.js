#!/usr/bin/env node
// npm run vm -- KERNEL -- COMMAND…     runs a command under another kernel, in a machine that is gone afterwards
import { constants } from "node:os";
import { parseArgs } from "node:util";
import { knownKernels } from "./fetch.js";
import { VmError } from "./home.js";
import { runInVm } from "./machine.js";
import { describe, exitCode } from "./report.js";

const USAGE = `npm run vm -- [options] KERNEL [-- COMMAND…]

Runs COMMAND under another kernel in a throw-away machine (QEMU). The guest sees this machine's files, read-only under
a layer in memory: nothing it writes stays. KERNEL is 5.10, 6.1, 6.12 …, newest, own (this machine's, or the one that
SKEP_VM_KERNEL and SKEP_VM_MODULES name), or one with lanes: 6.12+preempt+maxcpus.

  --shell               a shell on a terminal of its own (or COMMAND on it); Ctrl-] ends the machine
  --kernel-arg ARG      added to the kernel's command line, e.g. 'lsm=lockdown,yama,apparmor,bpf'; can be repeated
  --cpus N              CPUs that are online (1)
  --max-cpus N          CPUs that are possible
  --memory MB           (1024)
  --nodes N             of memory (NUMA), of equal size; the first has the CPUs (1)
  --disk                an empty file system of 1 GiB at $SKEP_VM_DISK
  --time-out SECONDS    for the command, once it runs (300; a shell has none)
  --console             shows the kernel's console on stderr
  --list                lists the kernels and which are here already
  --help

Ends with the command's exit code; 128 + N when signal N killed it; 124 at the time-out; 125 when the machine did not
run to the end (a panic, for one). Kernels and QEMU are kept in $SKEP_VM_HOME (~/.cache/skep/vm). See docs/vm.md.`;

const OPTIONS = {
  shell: { type: "boolean" },
  "kernel-arg": { type: "string", multiple: true },
  cpus: { type: "string" },
  "max-cpus": { type: "string" },
  memory: { type: "string" },
  nodes: { type: "string" },
  disk: { type: "boolean" },
  "time-out": { type: "string" },
  console: { type: "boolean" },
  list: { type: "boolean" },
  help: { type: "boolean", short: "h" },
};

function number(values, name) {
  if (values[name] === undefined) return undefined;
  const value = Number(values[name]);
  if (!Number.isInteger(value) || value < 1)
    throw new VmError(`--${name} takes a positive whole number, not ${values[name]}.`);
  return value;
}

function readArguments(argv) {
  const end = argv.indexOf("--");
  const [before, command] = end === -1 ? [argv, []] : [argv.slice(0, end), argv.slice(end + 1)];
  let parsed;
  try {
    parsed = parseArgs({ args: before, options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new VmError(error.message);
  }
  return { values: parsed.values, kernels: parsed.positionals, command };
}

async function main(argv) {
  const { values, kernels, command } = readArguments(argv);
  if (values.help) return console.log(USAGE);
  if (values.list) {
    for (const { name, release } of knownKernels()) console.log(`${name.padEnd(8)} ${release ?? "(not fetched yet)"}`);
    return undefined;
  }
  if (kernels.length !== 1) {
    console.error(USAGE);
    process.exitCode = 2;
    return undefined;
  }
  if (command.length === 0 && !values.shell) throw new VmError("No command. Write it after --, or ask for --shell.");

  const abort = new AbortController();
  let cause;
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(name, () => {
      cause ??= name;
      abort.abort();
    });
  }
  // Nobody reads on: the run ends as any program's would.
  process.stdout.on("error", () => {
    cause ??= "SIGPIPE";
    abort.abort();
  });
  process.stderr.on("error", () => {});

  const ending = await runInVm({
    kernel: kernels[0],
    // A person's start-up files can take ten seconds in there; `--shell KERNEL -- bash` reads them.
    command: command.length > 0 ? command : ["bash", "--norc"],
    env: values.shell ? { ...process.env, PS1: `[${kernels[0]}] \\w\\$ ` } : process.env,
    memory: number(values, "memory"),
    cpus: number(values, "cpus"),
    maxCpus: number(values, "max-cpus"),
    nodes: number(values, "nodes"),
    kernelArguments: values["kernel-arg"] ?? [],
    timeout: number(values, "time-out") ?? (values.shell ? 1e6 : undefined),
    disk: values.disk ?? false,
    tty: values.shell ? terminal(abort) : undefined,
    stdout: process.stdout,
    stderr: process.stderr,
    onConsole: values.console ? (text) => process.stderr.write(text) : undefined,
    signal: abort.signal,
  }).finally(() => {
    if (process.stdin.isTTY) process.stdin.setRawMode(false);
    process.stdin.destroy();
  });
  if (ending.kind === "aborted") {
    process.exitCode = 128 + constants.signals[cause];
    return undefined;
  }
  const words = describe(ending);
  if (words !== undefined) console.error(words);
  process.exitCode = exitCode(ending);
  return undefined;
}

/** This process's terminal, given over to the guest: every key goes there, Ctrl-C too. */
function terminal(abort) {
  const { stdin, stdout } = process;
  if (stdin.isTTY) {
    stdin.setRawMode(true);
    stdin.on("data", (keys) => {
      if (keys.includes(0x1d)) abort.abort();
    });
  }
  return { rows: stdout.rows || 24, columns: stdout.columns || 80, input: stdin };
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (error?.name === "AbortError") process.exitCode = 130;
  else if (error instanceof VmError) {
    console.error(`vm: ${error.message}`);
    process.exitCode = 125;
  } else throw error;
}
