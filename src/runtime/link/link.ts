import type { Fd } from "../sys/index.ts";

/**
 * An attachment of a program. Closing it detaches; a process that ends closes all it has. Closing twice does nothing.
 */
export class Link {
  /** What is attached to what, for people. */
  readonly description: string;
  readonly #fds: readonly Fd[];

  constructor(description: string, fds: readonly Fd[]) {
    this.description = description;
    this.#fds = fds;
  }

  close(): void {
    for (const fd of this.#fds) fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
