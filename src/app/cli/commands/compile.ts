import { readFileSync } from "node:fs";
import { Btf } from "../../../sdk/index.ts";
import { compile } from "../../../tools/object/index.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  output: { type: "string", short: "o" },
  include: { type: "string", short: "I", multiple: true },
  define: { type: "string", short: "D", multiple: true },
  btf: { type: "string" },
  cpu: { type: "string" },
} as const;

const CPUS = ["v1", "v2", "v3", "v4"] as const;

const HELP = `skep compile: an eBPF object of a C source, with clang

Usage: skep compile [OPTIONS] FILE.c

  -o, --output FILE    the object; beside the source, x.bpf.c → x.bpf.o, when left out
  -I, --include DIR    a folder of headers; can be repeated
  -D, --define NAME[=VALUE]
      --btf FILE       vmlinux.h is made of these types; of the running kernel's when left out
      --cpu v1…v4      the instruction set; v3 (Linux 5.1) when left out

Types and line info are in the object, DWARF is not. A source that includes vmlinux.h gets one made of the kernel's types.
bpf/bpf_helpers.h and the like are libbpf's (apt install libbpf-dev).

The exit code is 0 when the object is there, 1 when clang does not take the source, 2 for wrong options.

Example:
  skep compile opensnoop.bpf.c && skep gen opensnoop.bpf.o
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve(compileCommand(args));
}

function compileCommand(args: readonly string[]): number {
  const command = readCommand("compile", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words, usage } = command;
  const [file, ...more] = words;
  if (file === undefined || more.length > 0) return usage("Name one source file. skep compile --help tells more.");
  const cpu = CPUS.find((one) => one === (values.cpu ?? "v3"));
  if (cpu === undefined) return usage(`--cpu is ${CPUS.join(", ")}, not "${values.cpu}".`);
  const { object, warnings } = compile(file, {
    cpu,
    ...(values.output !== undefined && { output: values.output }),
    ...(values.include !== undefined && { include: values.include }),
    ...(values.define !== undefined && { define: values.define }),
    ...(values.btf !== undefined && { btf: Btf.parse(readFileSync(values.btf)) }),
  });
  if (warnings !== "") process.stderr.write(warnings);
  process.stderr.write(`${object}\n`);
  return 0;
}
