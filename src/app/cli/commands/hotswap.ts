import { formatHotswap, hotswap } from "../../../tools/hotswap/index.ts";
import { write } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  rate: { type: "string", short: "r" },
  seconds: { type: "string", short: "s" },
  every: { type: "string", short: "e" },
  json: { type: "boolean" },
} as const;

const HELP = `skep hotswap: programs that are replaced under load, and what became of each event

Usage: skep hotswap [OPTIONS]

  -r, --rate N      calls a second; 100000 when left out
  -s, --seconds N   for so long; 5 when left out
  -e, --every MS    milliseconds from one replacement to the next; 20 when left out
      --json        the report as JSON, times in nanoseconds

A process makes numbered system calls. Two programs note when each begins and ends; again and again they are replaced by
other ones that go on with the same maps. At the end every call is looked at: whether a begin or an end was missed, was seen
by two programs, or has lost its other half. No other process is looked at.

The exit code is 0 when nothing was missed or seen twice, 1 otherwise, 2 for wrong options.
`;

export async function run(args: readonly string[]): Promise<number> {
  const command = readCommand("hotswap", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words, usage } = command;
  if (words.length > 0) return usage(`"${words[0]}" is no option. skep hotswap --help tells more.`);
  const read = (name: "rate" | "seconds" | "every", otherwise: number) =>
    values[name] === undefined ? otherwise : Number(values[name]);
  const options = { rate: read("rate", 100_000), seconds: read("seconds", 5), every: read("every", 20) };
  for (const [name, value] of Object.entries(options))
    if (!(value > 0) || !Number.isFinite(value)) return usage(`--${name} is a number above 0.`);
  const report = await hotswap(options);
  write(values.json === true ? `${JSON.stringify(report)}\n` : formatHotswap(report));
  return report.missed + report.doubled + report.broken === 0 ? 0 : 1;
}
