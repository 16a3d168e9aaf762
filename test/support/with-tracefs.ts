// Commands that need tracefs, where it is not mounted: they get it in a mount namespace of their own.
import { type Finished, type RunOptions, run, skepPath } from "./cli.ts";

const MOUNTED = '[ -d /sys/kernel/tracing/events ] || mount -t tracefs nodev /sys/kernel/tracing; exec "$@"';

/** Words before a command that give it tracefs. Its process id is that of what is started. */
export const WITH_TRACEFS: readonly string[] = ["unshare", "--mount", "sh", "-c", MOUNTED, "sh"];

/** Runs `skep` with tracefs. */
export function skepWithTracefs(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return run([...WITH_TRACEFS, process.execPath, skepPath, ...args], options);
}
