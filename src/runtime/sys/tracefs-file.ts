import { readdirSync, readFileSync } from "node:fs";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { tracefsRoot } from "./tracefs-root.ts";

const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;

/** Undefined before it was asked for; null where this user or kernel gives none. */
let detached: string | null | undefined;

/**
 * A tracefs of this process alone, where none is mounted: a mount that stands in no folder, so that the machine stays as it is
 * (fsopen(2), fsmount(2); Linux 5.2, CAP_SYS_ADMIN). It is kept until the process ends, because giving it back makes the kernel
 * wait for all CPUs; its descriptor is closed on exec and is nobody's to close.
 */
function detachedRoot(): string | null {
  if (detached !== undefined) return detached;
  detached = null;
  const context = native().syscall(nr.fsopen, Buffer.from("tracefs\0"), FSOPEN_CLOEXEC);
  if (context < 0) return null;
  try {
    if (native().syscall(nr.fsconfig, context, FSCONFIG_CMD_CREATE, 0, 0, 0) < 0) return null;
    const mount = native().syscall(nr.fsmount, context, FSMOUNT_CLOEXEC, 0);
    if (mount >= 0) detached = `/proc/self/fd/${mount}`;
  } finally {
    native().syscall(nr.close, context);
  }
  return detached;
}

/**
 * The text of a file below tracefs (`events/sched/sched_switch/id`), whether tracefs is mounted or not. Undefined where tracefs
 * cannot be had, or this user may not read the file: `noTracefs()` and `tracefsRefusal(path)` say what to do. Throws what
 * `readFileSync` does, ENOENT for a file that there is not.
 */
export function readTracefs(path: string): string | undefined {
  const root = tracefsRoot() ?? detachedRoot();
  if (root === null) return undefined;
  try {
    return readFileSync(`${root}/${path}`, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") return undefined;
    throw error;
  }
}

/** The names of folders in a folder of tracefs (`events`), as `readTracefs` has files. Throws what `readdirSync` does. */
export function foldersInTracefs(path: string): readonly string[] | undefined {
  const root = tracefsRoot() ?? detachedRoot();
  if (root === null) return undefined;
  try {
    return readdirSync(`${root}/${path}`, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [entry.name] : [],
    );
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") return undefined;
    throw error;
  }
}
