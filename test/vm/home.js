// The folder where kernels and tools are kept between runs, and the lock that lets one process at a time fill it.
import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** `$SKEP_VM_HOME`, or skep/vm in the user's cache folder. */
export const home =
  process.env.SKEP_VM_HOME || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "skep", "vm");

export const toolsFolder = join(home, "tools");
export const kernelFolder = (name) => join(home, "kernels", name);
/** Where a server of files mounts this machine's tree, in a mount namespace of its own: always empty to everybody else. */
export const treeFolder = join(home, "tree");

/** An error in words for a person: printed without a stack. */
export class VmError extends Error {
  name = "VmError";
}

/**
 * Runs one of this folder's scripts while holding the lock, and returns what it printed. The lock is the kernel's (flock),
 * so that a killed process leaves nothing locked.
 */
export function runLocked(script, args, signal) {
  mkdirSync(home, { recursive: true });
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    const lock = ["flock", "--no-fork", join(home, "lock")];
    const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...lock, process.execPath, script, ...args], {
      stdio: ["ignore", "pipe", "inherit"],
      // A group of its own, to end it with everything that it started.
      detached: true,
    });
    const abort = () => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    };
    signal?.addEventListener("abort", abort);
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
    child.on("error", (error) => reject(new VmError(`setpriv (of util-linux) could not be started: ${error.message}`)));
    child.on("close", (code) => {
      signal?.removeEventListener("abort", abort);
      if (code === 0) resolve(output);
      else if (signal?.aborted) reject(signal.reason);
      // It has said why itself.
      else reject(new VmError("What the virtual machine needs could not be fetched."));
    });
  });
}
