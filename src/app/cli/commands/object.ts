import { readFileSync } from "node:fs";
import { Btf, openObject } from "../../../sdk/index.ts";
import {
  checkObject,
  describeObject,
  formatCheck,
  formatDescription,
  formatLoad,
  loadAndReport,
} from "../../../tools/object/index.ts";
import { json, listing } from "../../../tools/text/index.ts";
import { orJsonError } from "../json-error.ts";
import { print } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  program: { type: "string", short: "p", multiple: true },
  code: { type: "string", short: "d" },
  btf: { type: "string" },
  pin: { type: "string" },
} as const;

const HELP = `skep object: what an eBPF object file holds, and whether it fits this kernel

Usage: skep object show  [OPTIONS] FILE    programs, maps, variables, and what it wants of the kernel
       skep object check [OPTIONS] FILE    fit it to this kernel's types, without loading anything
       skep object load  [OPTIONS] FILE    load it, say what the kernel took, and let it go

  -d, --code PROGRAM     show: the program's instructions, with the source lines they come from
  -p, --program NAME     check, load: only this program; can be repeated, and names optional ones (SEC("?…"))
      --btf FILE         check: another kernel's types (its /sys/kernel/btf/vmlinux)
      --pin FOLDER       load: pins the maps in a folder of a bpffs, where they stay
      --json             one JSON object

The exit code is 0 when all is well, 1 when the object cannot be used here (the sentence says why), 2 for wrong options.

Examples:
  skep object show opensnoop.bpf.o
  skep object check --btf vmlinux-5.10 opensnoop.bpf.o
  skep object load -p on_open opensnoop.bpf.o
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve(object(args));
}

function object(args: readonly string[]): number {
  const command = readCommand("object", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words, usage } = command;
  const [verb, file, ...more] = words;
  if (verb === undefined || !["show", "check", "load"].includes(verb))
    return usage(
      `Say what to do: show, check or load${verb === undefined ? "" : `, not "${verb}"`}. skep object --help tells more.`,
    );
  if (file === undefined || more.length > 0) return usage("Name one object file.");
  return orJsonError(values.json, () => {
    const spec = openObject(file);
    if (verb === "show") {
      if (values.code !== undefined) {
        const program = Object.hasOwn(spec.programs, values.code) ? spec.programs[values.code] : undefined;
        if (program === undefined)
          return usage(`${file} has no program "${values.code}" (it has: ${Object.keys(spec.programs).join(", ")}).`);
        print(listing(program.instructions));
        return 0;
      }
      const description = describeObject(spec);
      print(values.json === true ? json(description) : formatDescription(description));
      return 0;
    }
    if (verb === "check") {
      const chosen = values.program === undefined ? spec : { ...spec, programs: pick(spec.programs, values.program) };
      const result = checkObject(chosen, values.btf === undefined ? undefined : Btf.parse(readFileSync(values.btf)));
      print(values.json === true ? json(result) : formatCheck(result));
      return result.fits ? 0 : 1;
    }
    const report = loadAndReport(spec, {
      ...(values.program !== undefined && { programs: values.program }),
      ...(values.pin !== undefined && { pin: values.pin }),
    });
    print(values.json === true ? json(report) : formatLoad(report));
    return 0;
  });
}

function pick<T>(all: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.flatMap((name) => (Object.hasOwn(all, name) ? [[name, all[name] as T]] : [])));
}
