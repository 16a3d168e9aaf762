import { readFileSync, writeFileSync } from "node:fs";
import { dumpProgram, type Program } from "../../../sdk/index.ts";
import {
  formatDump,
  formatMachineCode,
  formatProfile,
  formatProgram,
  formatPrograms,
  hexText,
  openAll,
  openOne,
  PROGRAMS,
  profilePrograms,
  readSelection,
  runProgram,
  Snapshot,
} from "../../../tools/inspect/index.ts";
import { json } from "../../../tools/text/index.ts";
import { flat } from "../flat.ts";
import { orJsonError } from "../json-error.ts";
import { numberOption } from "../number-option.ts";
import { print, tellNewer, untilInterrupted } from "../print.ts";
import { type CommandWords, readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  jited: { type: "boolean" },
  duration: { type: "string", short: "d" },
  data: { type: "string" },
  context: { type: "string" },
  out: { type: "string", short: "o" },
  repeat: { type: "string", short: "r" },
  cpu: { type: "string" },
} as const;

const HELP = `skep prog: the eBPF programs that are loaded

Usage: skep prog list [--json]                     all programs, what they are attached to, and who holds them
       skep prog show PROGRAM                      all that the kernel tells of one
       skep prog dump PROGRAM [--jited]            its instructions after the verifier, with source lines; or machine code
       skep prog profile [PROGRAM] [-d SECONDS]    how often programs run, and how long
       skep prog run PROGRAM [--data FILE] …       run one by hand
       skep prog pin PROGRAM PATH                  keep one under a path of a bpffs

PROGRAM is an id (7), a name, or a path where it is pinned; or, when that is unclear: id 7, name x, tag 0123456789abcdef,
pinned /sys/fs/bpf/x.

      --jited            dump: the machine code, in hexadecimal
  -d, --duration S       profile: seconds; 1 when left out, or until Ctrl-C
      --data FILE        run: the packet (- is standard input); 64 zeros when left out and no context is given
      --context FILE     run: the context structure; of raw tracepoints the arguments
  -r, --repeat N         run: how often
      --cpu N            run: the CPU, for raw tracepoints
  -o, --out FILE         run: where the packet goes as the program left it
      --json             one JSON object

It needs CAP_SYS_ADMIN. The exit code is 0 when all is well, 1 when not (the sentence says why), 2 for wrong options, 3 for
missing rights.

Examples:
  skep prog list
  skep prog dump name on_open
  skep prog profile -d 5
`;

type Command = CommandWords<typeof OPTIONS>;

export function run(args: readonly string[]): Promise<number> {
  const command = readCommand("prog", HELP, OPTIONS, args);
  if (typeof command === "number") return Promise.resolve(command);
  return orJsonError(command.values.json, () => prog(command));
}

async function prog(command: Command): Promise<number> {
  const { words, values, usage } = command;
  const [verb = "", ...rest] = words;
  switch (verb) {
    case "list":
      if (rest.length > 0) return usage("list takes no words: show tells of one program.");
      return list(values.json === true);
    case "show":
      return show(command, rest);
    case "dump":
      return withOne(rest, usage, (program) => dump(program, values.jited === true, values.json === true));
    case "profile":
      return await profile(command, rest);
    case "run":
      return runOne(command, rest);
    case "pin": {
      const path = rest.at(-1);
      if (path === undefined || rest.length < 2) return usage("Say which program, and the path to pin it at.");
      return withOne(rest.slice(0, -1), usage, (program) => {
        program.pin(path);
        if (values.json === true) print(json({ schema: "skep.pin/1", id: program.details().id, path }));
        return 0;
      });
    }
    default:
      return usage(
        `Say what to do: list, show, dump, profile, run or pin${verb === "" ? "" : `, not "${verb}"`}. skep prog --help tells more.`,
      );
  }
}

function list(asJson: boolean): number {
  const snapshot = new Snapshot();
  const reports = snapshot.programs();
  if (asJson) print(json({ schema: "skep.programs/1", programs: reports.map(flat), notShown: snapshot.newer }));
  else {
    print(formatPrograms(reports));
    tellNewer("prog", snapshot.newer);
  }
  return 0;
}

function show({ values, usage }: Command, words: readonly string[]): number {
  const [selection, rest] = readSelection(words);
  if (rest.length > 0) return usage(`What is "${rest.join(" ")}"? Name one program.`);
  const found = openAll(PROGRAMS, selection);
  try {
    const snapshot = new Snapshot();
    const reports = found.map((program) => snapshot.program(program));
    if (values.json === true) for (const report of reports) print(json({ schema: "skep.program/1", ...flat(report) }));
    else print(reports.map(formatProgram).join("\n\n"));
  } finally {
    for (const program of found) program.close();
  }
  return 0;
}

function withOne(words: readonly string[], usage: Command["usage"], body: (program: Program) => number): number {
  const [selection, rest] = readSelection(words);
  if (rest.length > 0) return usage(`What is "${rest.join(" ")}"? Name one program.`);
  using program = openOne(PROGRAMS, selection);
  return body(program);
}

function dump(program: Program, jited: boolean, asJson: boolean): number {
  const read = dumpProgram(program);
  const id = program.details().id;
  if (asJson) {
    print(
      json(
        jited
          ? { schema: "skep.program-code/1", id, functions: read.functions }
          : { schema: "skep.program-dump/1", id, instructions: read.instructions },
      ),
    );
    return 0;
  }
  const text = jited ? formatMachineCode(read) : formatDump(read);
  if (text === "") {
    process.stderr.write(
      `skep prog: The kernel does not show ${jited ? "the machine code (kernel.kptr_restrict, or it has none)" : "the instructions"} of program ${id}.\n`,
    );
    return 1;
  }
  print(text);
  return 0;
}

async function profile({ values, usage }: Command, words: readonly string[]): Promise<number> {
  const seconds = numberOption("duration", values.duration, 1, 0.01);
  if (typeof seconds === "string") return usage(seconds);
  const durationMs = seconds * 1000;
  const [selection, rest] = words.length === 0 ? [undefined, []] : readSelection(words);
  if (rest.length > 0) return usage(`What is "${rest.join(" ")}"? Name one program, or none for all.`);
  const programs = selection === undefined ? undefined : openAll(PROGRAMS, selection);
  try {
    const signal = untilInterrupted();
    const report = await profilePrograms({ durationMs, signal, ...(programs !== undefined && { programs }) });
    print(values.json === true ? json({ schema: "skep.program-profile/1", ...report }) : formatProfile(report));
  } finally {
    for (const program of programs ?? []) program.close();
  }
  return 0;
}

/** By how much a packet may grow. */
const ROOM = 4096;

function runOne({ values, usage }: Command, words: readonly string[]): number {
  const repeat = numberOption("repeat", values.repeat, 1, 1);
  const cpu = numberOption("cpu", values.cpu, -1, 0);
  if (typeof repeat === "string") return usage(repeat);
  if (typeof cpu === "string") return usage(cpu);
  return withOne(words, usage, (program) => {
    const context = values.context === undefined ? undefined : read(values.context);
    const data = values.data === undefined ? undefined : read(values.data);
    const result = runProgram(program, {
      ...(data !== undefined && { data }),
      ...(context !== undefined && { context }),
      ...(repeat > 1 && { repeat }),
      ...(cpu >= 0 && { cpu }),
      ...(values.out !== undefined && { dataOutSize: (data?.length ?? 0) + ROOM }),
    });
    const { retval, durationNs, dataOut } = result;
    if (values.out !== undefined && values.out !== "-" && dataOut !== undefined) writeFileSync(values.out, dataOut);
    if (values.json === true) {
      print(json({ schema: "skep.program-run/1", id: program.details().id, retval, durationNs, dataOut }));
      return 0;
    }
    print(
      `returned ${retval} (0x${retval.toString(16)})${repeat > 1 ? `, ${durationNs} ns a run, ${repeat} runs` : ""}`,
    );
    if (values.out === "-" && dataOut !== undefined) print(hexText(dataOut));
    return 0;
  });
}

function read(file: string): Uint8Array {
  return new Uint8Array(readFileSync(file === "-" ? 0 : file));
}
