// Runs compiled test children where file systems are mounted that the machine may not have, seen by nobody else.

import { fileURLToPath } from "node:url";
import { run } from "./cli.ts";

/** Runs test/kernel/children/NAME.ts in a mount namespace of its own, with a bpffs or a tracefs at a path. */
export async function runWithMount(
  name: string,
  type: "bpf" | "tracefs",
  at: string,
  ...args: readonly string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const script = `{ mountpoint -q "$0" || mount -t ${type} none "$0"; } && exec "$@"`;
  const child = fileURLToPath(new URL(`../kernel/children/${name}.js`, import.meta.url));
  return await run([
    "unshare",
    "--mount",
    "sh",
    "-c",
    script,
    at,
    process.execPath,
    "--enable-source-maps",
    child,
    ...args,
  ]);
}
