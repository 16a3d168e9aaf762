import { parseArgs } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type OptionTable, readPlainOptions } from "./options.ts";

const TABLE = {
  json: { type: "boolean" },
  summary: { type: "boolean", short: "c" },
  output: { type: "string", short: "o" },
  pid: { type: "string", short: "p", multiple: true },
  "no-color": { type: "boolean" },
} as const satisfies OptionTable;

/** What parseArgs makes of the same words: the options before the command, and the command. */
function throughParseArgs(args: readonly string[]) {
  const { tokens } = parseArgs({
    args: [...args],
    options: TABLE,
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  let end = args.length;
  let command: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option") continue;
    end = token.index;
    command = args.slice(token.kind === "option-terminator" ? token.index + 1 : token.index);
    break;
  }
  return { values: { ...parseArgs({ args: args.slice(0, end), options: TABLE }).values }, command };
}

describe("plain options", () => {
  it("are read as parseArgs reads them, or left to it", () => {
    const word = fc.constantFrom(
      ...["--json", "-c", "--summary", "-o", "--output", "-p", "--pid", "--no-color", "--", "-", "file", "", "12"],
      ...["--output=x", "-cp", "--tea", "-x", "-ofile", "--no-json", "-o=x"],
    );
    let plain = 0;
    fc.assert(
      fc.property(fc.array(word, { maxLength: 7 }), (args) => {
        const quick = readPlainOptions(args, TABLE);
        if (quick === undefined) return;
        plain++;
        expect({ values: { ...quick.values }, command: quick.command }).toEqual(throughParseArgs(args));
      }),
      { numRuns: 5000 },
    );
    expect(plain).toBeGreaterThan(500);
  });

  it("that parseArgs would refuse are left to it", () => {
    for (const args of [["--tea"], ["-o"], ["-o", "-c"], ["-x"], ["--json=1"], ["--output", "--json"]])
      expect(readPlainOptions(args, TABLE)).toBeUndefined();
  });
});
