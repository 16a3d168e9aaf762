import {
  compileFile,
  compileText,
  DUMPS,
  type Dump,
  diagnosticsText,
  disText,
  timingsText,
} from "../../../tools/run/index.ts";
import { isColored } from "../color.ts";
import { print, write } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  program: { type: "string", short: "p", multiple: true },
  execute: { type: "string", short: "e" },
  dump: { type: "string" },
  timings: { type: "boolean" },
  color: { type: "boolean" },
  "no-color": { type: "boolean" },
} as const;

const HELP = `skep dis: the instructions that kernel TypeScript becomes, under the lines that they come from

Usage: skep dis [OPTIONS] FILE.bpf.ts
       skep dis [OPTIONS] -e 'ONE-LINER'

  -e, --execute TEXT   a one-liner, as skep run takes it
  -p, --program NAME   only this program; can be repeated
      --dump LIST      what the compiler's passes made: ${DUMPS.join(", ")}
      --timings        how long each pass took
      --color, --no-color

Nothing is loaded. The exit code is 0 when it compiles, 1 when not, 2 for wrong options.

Examples:
  skep dis -p onOpen opensnoop.bpf.ts
  skep dis --dump ssa,ranges --timings -e 'tp("syscalls:sys_enter_openat", count[comm()]++)'
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve().then(() => dis(args));
}

function dis(args: readonly string[]): number {
  const command = readCommand("dis", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words, usage } = command;
  const [file, ...more] = words;
  const { execute } = values;
  if (execute === undefined ? file === undefined || more.length > 0 : file !== undefined)
    return usage("Name one file, or give a one-liner with -e. skep dis --help tells more.");
  const dumps = values.dump?.split(",") ?? [];
  const unknown = dumps.find((name) => !isDump(name));
  if (unknown !== undefined) return usage(`There is no dump "${unknown}": there are ${DUMPS.join(", ")}.`);
  const options = { dumps: dumps.filter(isDump) };
  const compilation = execute === undefined ? compileFile(file as string, options) : compileText(execute, options);
  const color = isColored(values, process.stderr);
  process.stderr.write(diagnosticsText(compilation, color));
  for (const name of options.dumps) {
    const text = compilation.dumps[name];
    if (text !== undefined) write(`── ${name}\n${text.trimEnd()}\n\n`);
  }
  if (compilation.plan !== undefined && dumps.length === 0) {
    const { programs } = compilation.plan.spec;
    const wrong = values.program?.find((name) => !Object.hasOwn(programs, name));
    if (wrong !== undefined)
      return usage(`There is no program "${wrong}" (there is ${Object.keys(programs).join(", ") || "none"}).`);
    print(disText(programs, values.program));
  }
  if (values.timings === true) print(`\n${timingsText(compilation.timings)}`);
  return compilation.hasErrors ? 1 : 0;
}

function isDump(name: string): name is Dump {
  return (DUMPS as readonly string[]).includes(name);
}
