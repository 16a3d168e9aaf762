// Runs examples as their users do.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { join } from "node:path";
import { root, run } from "./cli.ts";

/** The command that runs the compiled examples/NAME.ts. */
export const exampleCommand = (name: string, ...args: readonly string[]): string[] => [
  process.execPath,
  join(root, "dist-test", "examples", `${name}.js`),
  ...args,
];

/** Runs a command that has to end well; what it prints, and as which process. */
export async function printedBy(
  command: readonly string[],
): Promise<{ readonly stdout: string; readonly pid: number }> {
  let pid = 0;
  const started = (child: ChildProcess) => {
    pid = child.pid ?? 0;
  };
  const { code, stdout, stderr } = await run(command, { started });
  assert.equal(code, 0, stderr);
  return { stdout, pid };
}

/** The same without the process. */
export async function printed(command: readonly string[]): Promise<string> {
  return (await printedBy(command)).stdout;
}

/** Words before a command that runs in a network namespace of its own, with loopback up. */
export const inOwnNetwork = (command: readonly string[]): string[] => [
  ...["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$0" "$@"'],
  ...command,
];

/** Objects with registers of x86-64 in them. */
export const forX64: { readonly unless: string | undefined } = {
  unless: process.arch === "x64" ? undefined : "the example's object is for x86-64",
};

/** Asserts that the books of a reader, as they are printed, add up: so many came, and none was lost. */
export function assertBooks(stdout: string, delivered: number): void {
  for (const entry of [`delivered: ${delivered}`, "dropped: 0", "undecoded: 0", "pendingBytes: 0"])
    assert.match(stdout, new RegExp(`\\b${entry},?\n`));
}
