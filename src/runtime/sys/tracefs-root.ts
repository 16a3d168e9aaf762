import { statSync } from "node:fs";

/** Where tracefs may be mounted, the usual place first. */
export const TRACEFS_ROOTS = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"];

const SIGN = "events/header_page";

/**
 * What stat(2) says of a path: undefined when it is there, an error's code when it is not, or not for this user. access(2),
 * which `existsSync` takes, leaves the capabilities of another user than root out of account.
 */
function absence(path: string): string | undefined {
  try {
    statSync(path);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "";
  }
}

/** Whether a file of tracefs is there and can be reached with this user's capabilities. */
export function isInTracefs(path: string): boolean {
  return absence(path) === undefined;
}

/** Where tracefs is mounted and can be read. */
export function tracefsRoot(): string | undefined {
  return TRACEFS_ROOTS.find((root) => isInTracefs(`${root}/${SIGN}`));
}

/** Why there is no `tracefsRoot()`, and what to do: a sentence that follows what it is needed for. */
export function noTracefs(): string {
  const closed = TRACEFS_ROOTS.find((root) => absence(`${root}/${SIGN}`) === "EACCES");
  return closed === undefined
    ? "tracefs is not mounted: mount -t tracefs nodev /sys/kernel/tracing (as root)."
    : tracefsRefusal(closed);
}

/** What to say of a file of tracefs that this user may not read or write. */
export function tracefsRefusal(path: string): string {
  return `This user may not use ${path}: give node CAP_DAC_OVERRIDE (CAP_DAC_READ_SEARCH is enough to read), or open tracefs to a group (mount -o remount,gid=GROUP,mode=750 /sys/kernel/tracing, as root).`;
}
