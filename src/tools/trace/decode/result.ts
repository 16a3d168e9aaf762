import { errnoMessage, errnoName } from "../../../machine/proc/index.ts";
import type { DecodedCall } from "./model.ts";
import { octal } from "./types/basic.ts";
import { openFlags } from "./types/file.ts";
import { int } from "./words.ts";

/** Results of the kernel's own that say how an interrupted call goes on (linux/errno.h); never seen by the program. */
const RESTARTS: Readonly<Record<number, string>> = {
  512: "? ERESTARTSYS (to be restarted if SA_RESTART is set)",
  513: "? ERESTARTNOINTR (to be restarted)",
  514: "? ERESTARTNOHAND (to be restarted if no handler)",
  516: "? ERESTART_RESTARTBLOCK (interrupted by a signal)",
};

const ADDRESSES = new Set(["mmap", "mremap", "brk", "shmat"]);

/** What a call returned: a number, an address, a descriptor with its file, or an error by name and meaning. */
export function resultText(call: DecodedCall): string {
  const { ret, name } = call;
  if (call.unfinished) return "?";
  if (ret < 0 && ret >= -4095) return RESTARTS[-ret] ?? `-1 ${errnoName(-ret)} (${errnoMessage(-ret)})`;
  if (ADDRESSES.has(name)) return `0x${ret.toString(16)}`;
  const opened = call.files.opened(call);
  if (opened !== undefined) return `${ret}<${opened.file.label}>`;
  if (name === "umask") return octal(ret);
  if (name === "fcntl" && int(call, 1) === 3) return `0x${ret.toString(16)} (flags ${openFlags(ret)})`;
  if (name === "fcntl" && int(call, 1) === 1) return ret === 1 ? "0x1 (flags FD_CLOEXEC)" : `0x${ret.toString(16)}`;
  if ((name === "poll" || name === "ppoll" || name === "select" || name === "pselect6") && ret === 0)
    return "0 (timeout)";
  return String(ret);
}

/** A call that its interruption hides from the program: the kernel makes it again. */
export function isRestart(ret: number): boolean {
  return RESTARTS[-ret] !== undefined;
}
