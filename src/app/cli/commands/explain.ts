import { codesText, explainCode, listCodes, nearCodes } from "../../../tools/run/index.ts";
import { json } from "../../../tools/text/index.ts";
import { isColored } from "../color.ts";
import { print, write } from "../print.ts";
import { readCommand } from "../read-command.ts";

const OPTIONS = {
  help: { type: "boolean", short: "h" },
  json: { type: "boolean" },
  color: { type: "boolean" },
  "no-color": { type: "boolean" },
} as const;

const HELP = `skep explain: what a diagnostic of kernel TypeScript means, why it is so, and what to write

Usage: skep explain CODE…    the page about each code
       skep explain          all codes

      --json               all codes as JSON
      --color, --no-color

The exit code is 0 when there is such a code, 1 when not, 2 for wrong options.

Examples:
  skep explain EB2101
`;

export function run(args: readonly string[]): Promise<number> {
  return Promise.resolve(explain(args));
}

function explain(args: readonly string[]): number {
  const command = readCommand("explain", HELP, OPTIONS, args);
  if (typeof command === "number") return command;
  const { values, words, usage } = command;
  if (values.json === true) {
    if (words.length > 0) return usage("--json prints all codes: name none.");
    print(json({ schema: "skep.codes/1", codes: listCodes() }));
    return 0;
  }
  if (words.length === 0) {
    write(codesText());
    return 0;
  }
  let code = 0;
  for (const [i, word] of words.entries()) {
    const page = explainCode(word, {
      color: isColored(values),
      width: Math.min(Math.max(process.stdout.columns ?? 100, 60), 120),
    });
    if (page !== undefined) write(`${i > 0 ? "\n" : ""}${page}`);
    else {
      const near = nearCodes(word);
      const advice = near.length > 0 ? `Did you mean ${near.join(" or ")}?` : "skep explain lists all codes.";
      process.stderr.write(`skep explain: there is no code "${word}". ${advice}\n`);
      code = 1;
    }
  }
  return code;
}
