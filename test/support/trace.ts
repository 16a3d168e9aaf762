// Runs `skep trace --json` and gives what it printed as objects.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type Finished, type RunOptions, Scratch, skep } from "./cli.ts";

/** A line of type `call` (see the schema in src/tools/trace/view/json-view.ts). */
export interface CallLine {
  readonly type: "call";
  readonly time_us: number;
  readonly pid: number;
  readonly tid: number;
  readonly syscall: string;
  readonly nr: number;
  readonly args: Readonly<Record<string, unknown>>;
  readonly ret: number | null;
  readonly error: string | null;
  readonly ns: number | null;
  readonly unfinished?: true;
  readonly resumed?: true;
  readonly refused?: true;
  readonly compat?: true;
}

export interface Traced extends Finished {
  readonly lines: readonly Readonly<Record<string, unknown>>[];
  readonly calls: readonly CallLine[];
  readonly summary: { readonly calls: number; readonly lost: Readonly<Record<string, number>> };
}

/** Traces a command; the trace goes to a file, so that the command's own output stays apart. */
export async function traced(
  command: readonly string[],
  args: readonly string[] = [],
  options: RunOptions = {},
): Promise<Traced> {
  using scratch = new Scratch();
  const file = scratch.file("trace.json");
  const words = command.length === 0 ? [] : ["--", ...command];
  const finished = await skep(["trace", "--json", "-o", file, ...args, ...words], options);
  let text = "";
  try {
    text = readFileSync(file, "utf8");
  } catch {
    assert.fail(`skep trace wrote no file: ${finished.stderr}`);
  }
  return { ...finished, ...parseTrace(text) };
}

export function parseTrace(text: string): Pick<Traced, "lines" | "calls" | "summary"> {
  const lines = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const calls = lines.filter((line) => line["type"] === "call") as unknown as CallLine[];
  const summary = lines.at(-1) as unknown as Traced["summary"] & { type: string };
  assert.equal(summary.type, "summary", `the last line is ${text.trimEnd().split("\n").at(-1)}`);
  return { lines, calls, summary };
}

/** Fails unless nothing at all was lost. */
export function assertNothingLost({ summary }: Pick<Traced, "summary">): void {
  for (const [cause, count] of Object.entries(summary.lost)) assert.equal(count, 0, `${count} lost: ${cause}`);
}
