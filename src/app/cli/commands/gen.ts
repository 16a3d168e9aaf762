import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { openObject } from "../../../sdk/index.ts";
import { generateTypes, interfaceName, isTaken } from "../../../tools/object/index.ts";
import { write } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  output: { type: "string", short: "o" },
  name: { type: "string", short: "n" },
} as const;

const HELP = `skep gen: the TypeScript types of an eBPF object file

Usage: skep gen [OPTIONS] FILE.o

  -o, --output FILE    where to; beside the object, x.bpf.o → x.bpf.d.ts, when left out; - is standard output
  -n, --name NAME      what the interface of the whole is called; from the file's name when left out

The file declares the types of the object's maps, programs, variables, structs and enums:

  import { loadObject } from "skep";
  import type { Opensnoop } from "./opensnoop.bpf.d.ts";
  using object = loadObject<Opensnoop>("opensnoop.bpf.o", { variables: { targ_pid: 1234 } });
  for (const [key, value] of object.maps.start) …
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve(gen(args));
}

function gen(args: readonly string[]): number {
  const command = readCommand("gen", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words, usage } = command;
  const [file, ...more] = words;
  if (file === undefined || more.length > 0) return usage("Name one object file. skep gen --help tells more.");
  const { name = interfaceName(file), output = `${file.replace(/\.o$/, "")}.d.ts` } = values;
  if (!/^[A-Za-z_$][\w$]*$/.test(name) || isTaken(name)) return usage(`"${name}" is no name of an interface.`);
  const text = generateTypes(openObject(file), name, basename(file));
  if (output === "-") write(text);
  else {
    writeFileSync(output, text);
    process.stderr.write(`${output}: interface ${name}\n`);
  }
  return 0;
}
