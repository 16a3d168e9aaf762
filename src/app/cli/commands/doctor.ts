import { parseArgs } from "node:util";
import { runDoctor } from "../../../tools/doctor/index.ts";

/** package.json's version, put in by the build. */
declare const SKEP_VERSION: string;

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  all: { type: "boolean", short: "a" },
  "build-native": { type: "boolean" },
  color: { type: "boolean" },
  "no-color": { type: "boolean" },
} as const;

const HELP = `skep doctor: what this kernel, this user and this machine can do, and how to mend what is missing

Usage: skep doctor [OPTIONS]

Everything is asked of the kernel itself: small programs and maps are made and let go of at once. Nothing is attached,
nothing stays. It needs no rights to run; without them it tells which are missing.

  -a, --all              every helper, with the kinds of program that may call it
      --json             one JSON object (schema skep.doctor/1)
      --build-native     compile Skep's native addon first, with the C compiler of this machine
      --color, --no-color

The exit code is 0 when skep trace can work here, 1 when it cannot, 2 for wrong options.

Examples:
  skep doctor                                           what works here
  skep doctor --json | jq '.attachKinds[] | select(.status != "supported")'
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve(doctor(args));
}

function doctor(args: readonly string[]): number {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    process.stderr.write(`skep doctor: ${(error as Error).message}\n`);
    return 2;
  }
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  return runDoctor({
    json: values.json ?? false,
    all: values.all ?? false,
    buildNative: values["build-native"] ?? false,
    colour: values["no-color"] === true ? false : values.color,
    version: SKEP_VERSION,
  });
}

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false }).values;
}
