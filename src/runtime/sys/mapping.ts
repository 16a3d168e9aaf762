import type { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { ClosedError, SystemError } from "./system-error.ts";

/** mmap(2) protection bits. */
export const Protection = { read: 1, write: 2 } as const;
/** mmap(2) flags. */
export const MapFlags = { shared: 1, private: 2, anonymous: 0x20, populate: 0x8000 } as const;

/**
 * Memory that was mapped. Closing it detaches the ArrayBuffer first, so typed arrays left over read as empty instead of
 * touching memory that is gone.
 */
export abstract class MappedMemory {
  readonly what: string;
  #buffer: ArrayBuffer | undefined;

  /** `doing`: for the error when `buffer` is −errno. Throws SystemError. */
  protected constructor(buffer: ArrayBuffer | number, what: string, doing: string) {
    if (typeof buffer === "number") throw new SystemError({ errno: -buffer, syscall: "mmap", doing });
    this.#buffer = buffer;
    this.what = what;
  }

  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) throw new ClosedError(this.what);
    return this.#buffer;
  }

  close(): void {
    const buffer = this.#buffer;
    if (buffer === undefined) return;
    this.#buffer = undefined;
    native().munmap(buffer);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A piece of memory mapped from a descriptor. The mapping outlives the descriptor. */
export class Mapping extends MappedMemory {
  /** `address`: where it is wished to be, in user memory; only an arena must have a certain one. */
  constructor(fd: Fd, length: number, protection: number, offset: number, what: string, address = 0) {
    super(native().mmap(length, protection, MapFlags.shared, fd.number, offset, address), what, `map ${what}`);
  }
}
