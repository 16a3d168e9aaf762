// Runs compiled test children where file systems are mounted that the machine may not have, seen by nobody else.

import { fileURLToPath } from "node:url";
import { type Finished, run } from "./cli.ts";

type Mounted = "bpf" | "tracefs";

/** A command in a mount namespace of its own, with a bpffs or a tracefs at a path. */
export function withMount(type: Mounted, at: string, ...command: readonly string[]): string[] {
  const script = `{ mountpoint -q "$0" || mount -t ${type} none "$0"; } && exec "$@"`;
  return ["unshare", "--mount", "sh", "-c", script, at, ...command];
}

/** Runs test/kernel/children/NAME.ts with a bpffs or a tracefs at a path. */
export function runWithMount(name: string, type: Mounted, at: string, ...args: readonly string[]): Promise<Finished> {
  const child = fileURLToPath(new URL(`../kernel/children/${name}.js`, import.meta.url));
  return run(withMount(type, at, process.execPath, "--enable-source-maps", child, ...args));
}
