import { statfsSync, unlinkSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { BpfAttr } from "./bpf.ts";
import { descriptorKind } from "./descriptor-kind.ts";
import { Fd } from "./fd.ts";
import { objectInfo } from "./object-info.ts";
import { SystemError } from "./system-error.ts";

const EPERM = 1;
const ENOENT = 2;
const EACCES = 13;
const EEXIST = 17;
const EINVAL = 22;
/** linux/magic.h */
const BPF_FS_MAGIC = 0xcafe4a11;

/** Whether a folder is in a bpffs; undefined where that cannot be told, because it is not there or not readable. */
export function isBpffs(folder: string): boolean | undefined {
  try {
    return statfsSync(folder).type >>> 0 === BPF_FS_MAGIC;
  } catch {
    return undefined;
  }
}

/** The kernel's own answer for a place that is in no bpffs would be EPERM or EINVAL, which says nothing. */
function noBpffs(path: string): string | undefined {
  if (isBpffs(dirname(path)) !== false) return undefined;
  return `${resolve(dirname(path))} is in no bpffs: mount one (mount -t bpf bpf /sys/fs/bpf) and pin there.`;
}

/** Rights to a bpffs are those of its files and folders. */
function noRight(errno: number, path: string): string | undefined {
  if (errno !== EACCES) return undefined;
  return `A bpffs has rights as other file systems: this user has none to ${path}. Give the folder to the user (chown), or mount a bpffs with mode= or uid= (Linux 6.9); capabilities for eBPF do not help, CAP_DAC_OVERRIDE does.`;
}

/** Which object a descriptor is of: kind and id; undefined where the kernel does not tell (links before Linux 5.8). */
function identityOf(fd: Fd): string | undefined {
  try {
    // The kind's number and the id stand first for all of them.
    return `${descriptorKind(fd) ?? ""} ${objectInfo(fd, new Uint8Array(8)).getUint32(4, true)}`;
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/**
 * The paths at which this process has pinned one map, program or link, or opened it from. A pin keeps the object alive in
 * the kernel when no process holds it any more, until its file is removed.
 */
export class Pins {
  /** Which object it was, by path. Most are pinned nowhere. */
  #pinned: Map<string, string | undefined> | undefined;

  get #paths(): Map<string, string | undefined> {
    this.#pinned ??= new Map();
    return this.#pinned;
  }

  /** A pin that is there already: what was opened from it. */
  add(fd: Fd, path: string): void {
    this.#paths.set(resolve(path), identityOf(fd));
  }

  get paths(): readonly string[] {
    return this.#pinned === undefined ? [] : [...this.#pinned.keys()];
  }

  /** Pins (BPF_OBJ_PIN, Linux 4.4); `what` names the object in the error. Throws SystemError. */
  pin(fd: Fd, path: string, what: string): void {
    const result = new BpfAttr().cString(0, path).u32(8, fd.number).call("BPF_OBJ_PIN");
    if (result < 0) {
      const misplaced = result === -EPERM || result === -EINVAL ? noBpffs(path) : undefined;
      const dots =
        result === -EPERM && /\.[^/]*$/.test(path)
          ? "A bpffs takes no dots in names; otherwise the right to pin is missing (CAP_BPF)."
          : undefined;
      const hint =
        misplaced ??
        dots ??
        noRight(-result, dirname(path)) ??
        (result === -EEXIST ? "Something is pinned at this path already." : undefined);
      throw new SystemError({
        errno: -result,
        syscall: "bpf(BPF_OBJ_PIN)",
        doing: `pin ${what} at ${path}`,
        hint,
        ...(hint === undefined && { needs: ["CAP_BPF"] as const }),
      });
    }
    this.add(fd, path);
  }

  /**
   * Removes the files, also when the object is closed. A pin that is gone, or that somebody replaced by another object, is
   * left alone. Throws Node's own errors of unlink(2).
   */
  unpin(): void {
    for (const [path, identity] of this.#pinned ?? []) {
      if (isStill(path, identity)) unlinkSync(path);
      this.#paths.delete(path);
    }
  }
}

function isStill(path: string, identity: string | undefined): boolean {
  try {
    using fd = openPin(path, "object");
    return identityOf(fd) === identity;
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOENT) return false;
    throw error;
  }
}

/**
 * A descriptor of what is pinned at a path (BPF_OBJ_GET); `what` it should be, in a word. Which kind it is has still to be
 * looked at (`expectKind`). Throws SystemError ENOENT when nothing is pinned there.
 */
export function openPin(path: string, what: string): Fd {
  const result = new BpfAttr().cString(0, path).u32(8, 0).call("BPF_OBJ_GET");
  if (result < 0) {
    const hint =
      result === -ENOENT
        ? `Nothing is pinned at this path${isBpffs(dirname(path)) === false ? ", and it is in no bpffs" : ""}.`
        : (noBpffs(path) ?? noRight(-result, path));
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_OBJ_GET)",
      doing: `open ${path}`,
      hint,
      ...(hint === undefined && { needs: ["CAP_BPF"] as const }),
    });
  }
  return new Fd(result, `${what} pinned at ${path}`);
}
