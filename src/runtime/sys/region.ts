import type { Fd } from "./fd.ts";
import { MapFlags, Protection } from "./mapping.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { ClosedError, SystemError } from "./system-error.ts";

const MAP_FIXED = 0x10;

/**
 * One stretch of memory into which pieces of several descriptors are mapped, seen through one ArrayBuffer: what reads it
 * knows one memory only. Closing it detaches the buffer and unmaps all of it; the mappings outlive the descriptors.
 */
export class Region {
  readonly what: string;
  #buffer: ArrayBuffer | undefined;

  /** `length`: a multiple of the page size. Memory that nothing is placed at is ordinary and zero. Throws SystemError. */
  constructor(length: number, what: string) {
    const flags = MapFlags.private | MapFlags.anonymous;
    const result = native().mmap(length, Protection.read | Protection.write, flags, -1, 0);
    if (typeof result === "number")
      throw new SystemError({ errno: -result, syscall: "mmap", doing: `reserve ${length} bytes for ${what}` });
    this.#buffer = result;
    this.what = what;
  }

  get buffer(): ArrayBuffer {
    if (this.#buffer === undefined) throw new ClosedError(this.what);
    return this.#buffer;
  }

  /** Maps a descriptor's first `length` bytes at byte `at`; both are multiples of the page size. Throws SystemError. */
  place(fd: Fd, at: number, length: number, protection: number): void {
    if (at < 0 || at + length > this.buffer.byteLength)
      throw new RangeError(`${length} bytes at ${at} are outside the memory of ${this.what}.`);
    const address = native().addressOf(this.buffer) + at;
    const result = native().syscall(nr.mmap, address, length, protection, MapFlags.shared | MAP_FIXED, fd.number, 0);
    if (result < 0)
      throw new SystemError({ errno: -result, syscall: "mmap", doing: `map ${length} bytes of ${fd.what}` });
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
