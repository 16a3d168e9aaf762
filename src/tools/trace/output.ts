import { closeSync, fstatSync, openSync, writeSync } from "node:fs";

const FLUSH_BYTES = 1 << 16;

/** The trace cannot be written where it should go. */
export class OutputError extends Error {
  override readonly name = "OutputError";
  readonly code: string;
  constructor(where: string, cause: NodeJS.ErrnoException) {
    super(
      `Cannot write the trace to ${where}: ${cause.message}. The tracing stopped; the traced program was left alone.`,
      { cause },
    );
    this.code = cause.code ?? "SKEP_OUTPUT";
  }
}

/**
 * Where lines go: a descriptor, written in large pieces and at once, because what is not written when the process dies
 * is lost. When the other end of a pipe is gone (`| head`) it turns deaf instead of failing.
 */
export class Output {
  readonly where: string;
  readonly #fd: number;
  readonly #owned: boolean;
  readonly #onClosed: () => void;
  #text = "";
  #scheduled = false;
  #fresh = true;
  #closed = false;

  private constructor(fd: number, where: string, owned: boolean, onClosed: () => void) {
    this.#fd = fd;
    this.where = where;
    this.#owned = owned;
    this.#onClosed = onClosed;
  }

  /** `path`, `-` for stdout, or undefined for stderr. */
  static open(path: string | undefined, onClosed: () => void): Output {
    if (path === undefined) return new Output(2, "stderr", false, onClosed);
    if (path === "-") return new Output(1, "stdout", false, onClosed);
    try {
      return new Output(openSync(path, "w"), path, true, onClosed);
    } catch (error) {
      throw new OutputError(path, error as NodeJS.ErrnoException);
    }
  }

  /** Whether nobody reads any more. */
  get closed(): boolean {
    return this.#closed;
  }

  get isTerminal(): boolean {
    if (this.#owned) return false;
    const major = deviceOf(this.#fd);
    if (major === undefined || major === MEMORY) return false;
    if (major >= PSEUDO_TERMINALS.first && major <= PSEUDO_TERMINALS.last) return true;
    // Consoles and serial lines. To ask process.stdout loads half of Node's streams, which takes longer than the kernel's part.
    return (this.#fd === 1 ? process.stdout : process.stderr).isTTY === true;
  }

  /** Adds text; it is written at the end of this turn of the event loop, or sooner when there is much. */
  write(text: string): void {
    if (this.#closed) return;
    this.#text += text;
    if (this.#text.length >= FLUSH_BYTES || this.#fresh) {
      // The first line at once: it shows that the tracing works.
      this.#fresh = false;
      this.flush();
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => this.flush());
    }
  }

  flush(): void {
    this.#scheduled = false;
    if (this.#text === "" || this.#closed) return;
    const bytes = Buffer.from(this.#text, "utf8");
    this.#text = "";
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.#fd, bytes, at);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EAGAIN") {
          // Someone made the pipe non-blocking; its reader needs a moment.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
          continue;
        }
        this.#closed = true;
        if (code !== "EPIPE") throw new OutputError(this.where, error as NodeJS.ErrnoException);
        this.#onClosed();
        return;
      }
    }
  }

  close(): void {
    this.flush();
    if (this.#owned && !this.#closed) closeSync(this.#fd);
    this.#closed = true;
  }
}

/** Major numbers of devices, from the kernel's devices.txt: /dev/null and its kin, and the terminals of ssh, screens and windows. */
const MEMORY = 1;
const PSEUDO_TERMINALS = { first: 136, last: 143 };

/** The major number of a character device; undefined for anything else. */
function deviceOf(fd: number): number | undefined {
  try {
    const stat = fstatSync(fd);
    return stat.isCharacterDevice() ? (stat.rdev >> 8) & 0xfff : undefined;
  } catch {
    return undefined;
  }
}
