import { checkFiles, checkJson, checkText } from "../../../tools/run/index.ts";
import { isColored } from "../color.ts";
import { print, write } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  color: { type: "boolean" },
  "no-color": { type: "boolean" },
} as const;

const HELP = `skep check: whether kernel TypeScript compiles for this kernel, and what is wrong with it

Usage: skep check [OPTIONS] FILE.bpf.ts…

      --json               one JSON object (schema skep.check/1)
      --color, --no-color

Nothing is loaded. It needs no rights where the kernel's types can be read (/sys/kernel/btf/vmlinux); the fields of
tracepoints are in tracefs, which most systems let root read only.

The exit code is 0 when there are no errors, 1 when there are, 2 for wrong options.

Examples:
  skep check opensnoop.bpf.ts
  skep check --json src/*.bpf.ts
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve().then(() => check(args));
}

function check(args: readonly string[]): number {
  const command = readCommand("check", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words, usage } = command;
  if (words.length === 0) return usage("Name a file: skep check FILE.bpf.ts. skep check --help tells more.");
  const compilations = checkFiles(words);
  if (values.json === true) print(checkJson(compilations));
  else write(checkText(compilations, isColored(values)));
  return compilations.some(({ hasErrors }) => hasErrors) ? 1 : 0;
}
