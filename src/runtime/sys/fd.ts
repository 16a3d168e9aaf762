import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { ClosedError, SystemError } from "./system-error.ts";

/** An open file descriptor as tests see it: what it is and where it was made. */
export interface OpenFd {
  readonly fd: number;
  readonly what: string;
  readonly stack: string;
}

let tracked: Map<Fd, OpenFd> | undefined;

/**
 * Turns on the book of open descriptors (off by default: it takes a stack trace for each). Tests use it to fail on a
 * leak and to say where the leaked descriptor was made.
 */
export function trackFds(): void {
  tracked ??= new Map();
}

/** Descriptors made since `trackFds()` and not closed yet. */
export function openFds(): readonly OpenFd[] {
  return tracked === undefined ? [] : [...tracked.values()];
}

/**
 * A file descriptor with one owner. Whoever made it closes it, with `close()` or `using`; closing again does nothing,
 * using it afterwards throws a ClosedError. There is no finalizer: nothing is detached behind anybody's back.
 */
export class Fd {
  readonly what: string;
  #fd: number;

  constructor(fd: number, what: string) {
    this.#fd = fd;
    this.what = what;
    tracked?.set(this, { fd, what, stack: new Error(`${what} (fd ${fd}) was made here`).stack ?? "" });
  }

  /** The number. */
  get number(): number {
    if (this.#fd < 0) throw new ClosedError(this.what);
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd < 0;
  }

  close(): void {
    if (this.#fd < 0) return;
    const fd = this.#fd;
    this.#fd = -1;
    tracked?.delete(this);
    native().syscall(nr.close, fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** A second descriptor of the same open file, closed on exec (fcntl(2), F_DUPFD_CLOEXEC). */
  duplicate(): Fd {
    const F_DUPFD_CLOEXEC = 1030;
    const result = native().syscall(nr.fcntl, this.number, F_DUPFD_CLOEXEC, 0);
    if (result < 0)
      throw new SystemError({ errno: -result, syscall: "fcntl(F_DUPFD_CLOEXEC)", doing: `duplicate ${this.what}` });
    return new Fd(result, this.what);
  }
}
