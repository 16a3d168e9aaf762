import { type CapabilityName, explainPermission } from "./capability.ts";

const EPERM = 1;

/** What SystemError is made of. */
export interface SystemErrorOptions {
  /** Positive errno. */
  readonly errno: number;
  /** What was called, e.g. `bpf(BPF_MAP_CREATE)`. */
  readonly syscall: string;
  /** What it was called for, in words: `create map "counts"`. */
  readonly doing?: string | undefined;
  /** Why it happens and what to do; for EPERM it is found out from the capabilities named in `needs`. */
  readonly hint?: string | undefined;
  readonly needs?: readonly CapabilityName[] | undefined;
  readonly cause?: unknown;
}

/** A system call that failed. `code` is the errno's name (`EPERM`), as in Node's own errors. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly hint: string | undefined;

  constructor(options: SystemErrorOptions) {
    const code = errnoName(options.errno);
    const hint =
      options.errno === EPERM && options.needs !== undefined ? explainPermission(options.needs) : options.hint;
    const doing = options.doing === undefined ? "" : `Cannot ${options.doing}: `;
    super(`${doing}${options.syscall} failed with ${code}${errnoMessage(options.errno)}.${hint ? ` ${hint}` : ""}`, {
      cause: options.cause,
    });
    this.code = code;
    this.errno = options.errno;
    this.syscall = options.syscall;
    this.hint = hint;
  }
}

/** An object used after it was closed. */
export class ClosedError extends Error {
  override readonly name = "ClosedError";
  readonly code = "SKEP_CLOSED";
  constructor(what: string) {
    super(
      `${what} is closed: it cannot be used any more. Keep it open (or its \`using\` scope alive) for as long as it is needed.`,
    );
  }
}

// ENOTSUPP is the kernel's own (include/linux/errno.h); bpf(2) lets it out, libc has no name for it.
const ENOTSUPP = 524;
let names: Map<number, string> | undefined;

/** `ENOENT` for 2; `errno 4711` for a number no one has named. */
export function errnoName(errno: number): string {
  if (names === undefined) {
    names = new Map([[ENOTSUPP, "ENOTSUPP"]]);
    // Loaded only now: it takes Node a fifth of a millisecond.
    const { errno: numbers } = process.getBuiltinModule("node:os").constants;
    // Aliases (EWOULDBLOCK, EOPNOTSUPP) share a number: the first name in the table is the usual one but for ENOTSUP.
    for (const [name, number] of Object.entries(numbers)) {
      if (name === "EOPNOTSUPP" || !names.has(number)) names.set(number, name);
    }
  }
  return names.get(errno) ?? `errno ${errno}`;
}

const MESSAGES: Readonly<Record<string, string>> = {
  E2BIG: "argument list too long",
  EACCES: "permission denied",
  EAGAIN: "resource temporarily unavailable",
  EBADF: "bad file descriptor",
  EBUSY: "device or resource busy",
  EEXIST: "already exists",
  EFAULT: "bad address",
  EINTR: "interrupted",
  EINVAL: "invalid argument",
  EMFILE: "too many open files in this process",
  ENFILE: "too many open files in the system",
  ENODEV: "no such device",
  ENOENT: "no such file, entry or key",
  ENOEXEC: "not an executable format",
  ENOMEM: "out of memory",
  ENOSPC: "no space left",
  ENOSYS: "the kernel does not have this system call",
  ENOTSUPP: "not supported by this kernel",
  EOPNOTSUPP: "not supported",
  EPERM: "operation not permitted",
  ESRCH: "no such process",
};

/** In brackets, what is known besides the name. */
function errnoMessage(errno: number): string {
  const name = errnoName(errno);
  const words = MESSAGES[name] ?? `errno ${errno}`;
  return words === name ? "" : ` (${words})`;
}
