import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import type { ChildEnd } from "../../sdk/index.ts";
import { CommandError, findCommand, startCommand } from "../trace/command.ts";

/** A command that was started and has done nothing yet, so that its process id is known before programs are loaded. */
export interface HeldCommand {
  readonly pid: number;
  /** Settles when it does nothing any more: till then it is on its way there. Throws CommandError. */
  readonly stopped: () => Promise<void>;
  /** Lets it go on: now it becomes the command. */
  readonly release: () => void;
  /** Fulfilled when it has ended. */
  readonly ended: Promise<ChildEnd>;
  /** Ends it if it is still held, and stops waiting for it. */
  readonly abandon: () => void;
}

/** A shell that stops itself and, once it is woken, becomes the command: the process stays the same. */
const SHELL = "/bin/sh";
const SCRIPT = 'kill -STOP $$; exec "$0" "$@"';
const STOPPED_WITHIN_MS = 2000;

/** Starts a command that will hold. Throws CommandError. */
export function holdCommand(words: readonly string[]): HeldCommand {
  const [name = "", ...args] = words;
  const file = findCommand(name);
  let tell: (end: ChildEnd) => void = () => {};
  const ended = new Promise<ChildEnd>((resolve) => {
    tell = resolve;
  });
  let held = true;
  const child = startCommand(SHELL, ["sh", "-c", SCRIPT, file, ...args], tell);
  const abandon = () => {
    child.release();
    if (held) kill(child.pid, "SIGKILL");
    held = false;
  };
  const stopped = async () => {
    for (let waited = 0; !isStopped(child.pid); waited++) {
      if (waited >= STOPPED_WITHIN_MS) throw new CommandError(`Cannot run ${name}: ${SHELL} did not hold it.`, 126);
      await wait(1);
    }
  };
  const release = () => {
    held = false;
    kill(child.pid, "SIGCONT");
  };
  return { pid: child.pid, stopped, release, ended, abandon };
}

function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2, stat.lastIndexOf(")") + 3) === "T";
  } catch {
    return false;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
