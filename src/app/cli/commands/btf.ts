import { readFileSync } from "node:fs";
import { Btf, kernelBtf, moduleBtf, openObject } from "../../../sdk/index.ts";
import { findTypes, formatTypes, header, rawLines } from "../../../tools/btf/index.ts";
import { print, write } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  file: { type: "string", short: "f" },
  module: { type: "string", short: "m" },
  base: { type: "string", short: "b" },
  format: { type: "string" },
} as const;

const HELP = `skep btf: the types of the kernel, of a module or of an object file

Usage: skep btf find [OPTIONS] NAME[.FIELD…]…   a type with the places of its fields, or one field
       skep btf dump [OPTIONS]                   all types: as C (vmlinux.h), or one by one

  -f, --file FILE      types of a file: BTF itself (/sys/kernel/btf/vmlinux, BTFHub's), or an object (x.bpf.o)
  -b, --base FILE      what the file's types go on from, when they are a module's
  -m, --module NAME    types of a loaded module
      --format c|raw   dump: c (default) is a header to compile with, raw a line for each type, as bpftool has it
      --json           find: one JSON object a type

The exit code is 0 when all was found, 1 when not, 2 for wrong options.

Examples:
  skep btf find task_struct.pid
  skep btf find 'union bpf_attr'
  skep btf dump > vmlinux.h
  skep btf dump -f x.bpf.o --format raw
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve(btf(args));
}

function btf(args: readonly string[]): number {
  const command = readCommand("btf", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words, usage } = command;
  const [verb, ...names] = words;
  if (verb !== "find" && verb !== "dump")
    return usage(
      `Say what to do: find or dump${verb === undefined ? "" : `, not "${verb}"`}. skep btf --help tells more.`,
    );
  if (values.file !== undefined && values.module !== undefined) return usage("A file or a module, not both.");
  if (verb === "dump") {
    const { format = "c" } = values;
    if (format !== "c" && format !== "raw") return usage(`--format is c or raw, not "${format}".`);
    if (names.length > 0) return usage("dump takes no names: it prints all types.");
    const types = open(values);
    write(format === "c" ? header(types) : `${[...rawLines(types)].join("\n")}\n`);
    return 0;
  }
  if (names.length === 0) return usage("Name what to find: a type, or a field such as task_struct.pid.");
  const types = open(values);
  let code = 0;
  for (const [i, name] of names.entries()) {
    try {
      const found = findTypes(types, name);
      if (values.json === true) for (const one of found) print(JSON.stringify(one));
      else print(`${i > 0 ? "\n" : ""}${formatTypes(found)}`);
    } catch (error) {
      if ((error as { code?: unknown }).code !== "SKEP_BTF_NOT_FOUND") throw error;
      process.stderr.write(`skep btf: ${(error as Error).message}\n`);
      code = 1;
    }
  }
  return code;
}

function open({ file, module, base }: { file?: string; module?: string; base?: string }): Btf {
  if (module !== undefined) return moduleBtf(module);
  if (file === undefined) return kernelBtf();
  const bytes = readFileSync(file);
  // An ELF file begins with 0x7f: the types are a section of it.
  if (bytes[0] !== 0x7f) return Btf.parse(bytes, base === undefined ? {} : { base: Btf.parse(readFileSync(base)) });
  const { btf: types } = openObject(file);
  if (types === undefined)
    throw Object.assign(new Error(`${file} has no types: compile it with -g.`), { code: "SKEP_BTF" });
  return types;
}
