// Runs compiled test children in namespaces of their own: where file systems are mounted that the machine may not have, or in
// another network, seen by nobody else.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { type Finished, run } from "./cli.ts";

type Mounted = "bpf" | "tracefs";

/** A command in a mount namespace of its own, with a bpffs or a tracefs at a path. */
export function withMount(type: Mounted, at: string, ...command: readonly string[]): string[] {
  const script = `{ mountpoint -q "$0" || mount -t ${type} none "$0"; } && exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", script, at, ...command];
}

/** The command that runs test/kernel/children/NAME.ts. */
export function childCommand(name: string, ...args: readonly string[]): string[] {
  const child = fileURLToPath(new URL(`../children/${name}.js`, import.meta.url));
  return [process.execPath, "--enable-source-maps", child, ...args];
}

/** Runs test/kernel/children/NAME.ts with a bpffs or a tracefs at a path. */
export function runWithMount(name: string, type: Mounted, at: string, ...args: readonly string[]): Promise<Finished> {
  return run(withMount(type, at, ...childCommand(name, ...args)));
}

/** Runs test/kernel/children/NAME.ts in a network namespace of its own; gives what it printed. */
export async function runInNetwork(name: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(["unshare", "--net", ...childCommand(name, ...args)]);
  assert.equal(code, 0, stderr);
  return stdout;
}
