import { checkFiles, checkJson, checkText, readTarget, writeTarget } from "../../../tools/run/index.ts";
import { isColored } from "../color.ts";
import { print, write } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  target: { type: "string", short: "t", multiple: true },
  release: { type: "string" },
  "record-target": { type: "string" },
  json: { type: "boolean" },
  color: { type: "boolean" },
  "no-color": { type: "boolean" },
} as const;

const HELP = `skep check: whether kernel TypeScript compiles for this kernel, and what is wrong with it

Usage: skep check [OPTIONS] FILE.bpf.ts…
       skep check --record-target FILE

  -t, --target FILE        for the kernel that FILE tells of, not for this one: a recorded one, or the types of one
                           (its /sys/kernel/btf/vmlinux) with --release; can be repeated
      --release VERSION    of the kernel whose types are given: 6.1
      --record-target FILE writes what there is to know of this kernel, for --target elsewhere (as root)
      --json               one JSON object (schema skep.check/1)
      --color, --no-color

Nothing is loaded. It needs no rights where the kernel's types can be read (/sys/kernel/btf/vmlinux); the fields of
tracepoints are in tracefs, which most systems let root read only.

The exit code is 0 when there are no errors, 1 when there are, 2 for wrong options.

Examples:
  skep check opensnoop.bpf.ts
  skep check --record-target kernels/6.1.target
  skep check -t kernels/6.1.target -t kernels/6.12.target src/*.bpf.ts
  skep check --json src/*.bpf.ts
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve().then(() => check(args));
}

function check(args: readonly string[]): number {
  const command = readCommand("check", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words, usage } = command;
  const recorded = values["record-target"];
  if (recorded !== undefined) {
    if (words.length > 0) return usage("--record-target takes no other file: it writes one.");
    const { tracepoints, bytes } = writeTarget(recorded);
    print(`${recorded}: ${tracepoints} tracepoints, ${Math.ceil(bytes / 1024)} KiB`);
    return 0;
  }
  if (words.length === 0) return usage("Name a file: skep check FILE.bpf.ts. skep check --help tells more.");
  const { target: targets = [], release } = values;
  const compilations =
    targets.length === 0 ? checkFiles(words) : targets.flatMap((path) => checkFiles(words, readTarget(path, release)));
  if (values.json === true) print(checkJson(compilations));
  else write(checkText(compilations, isColored(values)));
  return compilations.some(({ hasErrors }) => hasErrors) ? 1 : 0;
}
