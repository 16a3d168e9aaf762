import { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";
import { Waiter } from "./waiter.ts";

/** How a process ended: its exit code, or the number of the signal that killed it. */
export interface ChildEnd {
  readonly code: number | undefined;
  readonly signal: number | undefined;
}

/** A started program. */
export interface Child {
  readonly pid: number;
  /** Gives up waiting for its end, which is then not reported; the program runs on. Nothing happens after its end. */
  release(): void;
}

/**
 * Starts a program with this process's standard streams and reports its end once. For tracers: it is cloned from the
 * calling thread itself, nothing of Node's runs between clone and exec, and it costs a fifth of child_process.spawn,
 * which copies the page tables of the whole of Node. Linux 5.4 (waiting uses a pidfd, clone(2) CLONE_PIDFD).
 *
 * @param file path of the program; PATH is not searched
 * @param argv its arguments, the first being its name
 * @throws SystemError ENOENT, EACCES, ENOEXEC … when it cannot be executed; then nothing was started
 */
export function startChild(
  file: string,
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  onEnd: (end: ChildEnd) => void,
): Child {
  const pidfd = new Int32Array(1);
  const variables: string[] = [];
  for (const name of Object.keys(environment)) {
    const value = environment[name];
    if (value !== undefined) variables.push(`${name}=${value}`);
  }
  const words = strings(argv);
  const env = strings(variables);
  const pid = native().spawn(Buffer.from(`${file}\0`), words.pointers, env.pointers, pidfd);
  if (pid < 0) {
    const hint = HINTS[-pid];
    throw new SystemError({ errno: -pid, syscall: "execve", doing: `run ${file}`, hint });
  }
  const fd = new Fd(pidfd[0] as number, `process ${pid}`);
  const waiter = new Waiter(fd, () => {
    const status = new Int32Array(1);
    const WNOHANG = 1;
    if (native().syscall(nr.wait4, pid, status, WNOHANG, 0) !== pid) return;
    release();
    onEnd(endOf(status[0] as number));
  });
  const release = () => {
    waiter.close();
    fd.close();
  };
  waiter.start();
  return { pid, release };
}

const HINTS: Readonly<Record<number, string>> = {
  7: "Its arguments and environment together are longer than the kernel allows.",
  8: "It is no program this machine can run: a script needs a first line such as #!/bin/sh.",
};

/** Text as C has it: an array of pointers, ended by a null pointer, to strings that stay where they are. */
function strings(list: readonly string[]): { readonly pointers: BigUint64Array; readonly bytes: Buffer } {
  const bytes = Buffer.from(`${list.join("\0")}\0`, "utf8");
  const base = BigInt(native().addressOf(bytes));
  const pointers = new BigUint64Array(list.length + 1);
  for (let i = 0, at = 0; i < list.length; i++) {
    pointers[i] = base + BigInt(at);
    at = bytes.indexOf(0, at) + 1;
  }
  return { pointers, bytes };
}

/** The status of wait(2). */
function endOf(status: number): ChildEnd {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff, signal: undefined } : { code: undefined, signal };
}
