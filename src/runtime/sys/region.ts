import type { Fd } from "./fd.ts";
import { MapFlags, MappedMemory, Protection } from "./mapping.ts";
import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";
import { SystemError } from "./system-error.ts";

const MAP_FIXED = 0x10;

/**
 * One stretch of memory into which pieces of several descriptors are mapped, seen through one ArrayBuffer: what reads it
 * knows one memory only. The mappings outlive the descriptors.
 */
export class Region extends MappedMemory {
  /** `length`: a multiple of the page size. Memory that nothing is placed at is ordinary and zero. Throws SystemError. */
  constructor(length: number, what: string) {
    const flags = MapFlags.private | MapFlags.anonymous;
    const memory = native().mmap(length, Protection.read | Protection.write, flags, -1, 0);
    super(memory, what, `reserve ${length} bytes for ${what}`);
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
}
