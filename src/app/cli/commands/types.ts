import { relative } from "node:path";
import { areKernelTypes, generateKernelTypes, writeKernelTypes } from "../../../tools/types/index.ts";
import { print, write } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  output: { type: "string", short: "o" },
  check: { type: "boolean" },
} as const;

const OUTPUT = "kernel.gen.d.ts";

const HELP = `skep types: declare what kernel TypeScript names of the kernel, for TypeScript and editors

Usage: skep types [OPTIONS] [FILE.bpf.ts | FOLDER]…

Reads the *.bpf.ts files (of the working folder when none is named) and writes one file with the tracepoints, functions,
hooks, iterators and structs that they name, as this kernel has them. Commit it, and write it anew when the code names more.

  -o, --output FILE   where to (default ${OUTPUT}; - prints it)
      --check         write nothing; tell whether the file is as it would be written

The exit code is 0, 1 when the kernel lacks something that is named or the file is out of date, 2 for wrong options.

Examples:
  skep types
  skep types src -o src/${OUTPUT}
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve(types(args));
}

function types(args: readonly string[]): number {
  const command = readCommand("types", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words } = command;
  const { text, files, missing } = generateKernelTypes(words.length > 0 ? words : ["."]);
  for (const { what, name, file, line, column } of missing)
    process.stderr.write(`${relative(".", file)}:${line}:${column} - this kernel has no ${what} ${name}\n`);
  const code = missing.length > 0 ? 1 : 0;
  const output = values.output ?? OUTPUT;
  if (output === "-") {
    write(text);
    return code;
  }
  if (values.check === true) {
    if (areKernelTypes(output, text)) return code;
    process.stderr.write(`skep types: ${output} is out of date. Run skep types without --check.\n`);
    return 1;
  }
  const what = writeKernelTypes(output, text);
  print(
    `${output}: ${what === "written" ? "written" : "as it was"} (${files.length} file${files.length === 1 ? "" : "s"} of kernel code)`,
  );
  return code;
}
