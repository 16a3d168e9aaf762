import type { Fd } from "./fd.ts";
import { native, PollEvent, type PollHandle } from "./native.ts";
import { SystemError } from "./system-error.ts";

/**
 * Waits in Node's event loop until a descriptor is readable, or writable. Level-triggered: while it stays readable, the callback is
 * called once per turn. Keeps the file open until closed, whatever becomes of the descriptor it was made with.
 */
export class Waiter {
  readonly #fd: Fd;
  readonly #callback: () => void;
  readonly #events: number;
  #handle: PollHandle | undefined;
  #referenced = true;
  #closed = false;

  constructor(fd: Fd, callback: () => void, until: "readable" | "writable" = "readable") {
    this.#fd = fd;
    this.#callback = callback;
    this.#events = until === "readable" ? PollEvent.READABLE : PollEvent.WRITABLE;
  }

  start(): void {
    if (this.#closed) return;
    this.#handle ??= this.#open();
    const result = this.#handle.start(this.#events);
    if (result < 0) throw new SystemError({ errno: -result, syscall: "epoll_ctl", doing: `wait for ${this.#fd.what}` });
  }

  stop(): void {
    this.#handle?.stop();
  }

  ref(): void {
    this.#referenced = true;
    this.#handle?.ref();
  }

  unref(): void {
    this.#referenced = false;
    this.#handle?.unref();
  }

  close(): void {
    this.#closed = true;
    this.#handle?.close();
    this.#handle = undefined;
  }

  #open(): PollHandle {
    const handle = native().poll(this.#fd.number, this.#callback);
    if (typeof handle === "number") {
      throw new SystemError({ errno: -handle, syscall: "epoll_ctl", doing: `wait for ${this.#fd.what}` });
    }
    if (!this.#referenced) handle.unref();
    return handle;
  }
}
