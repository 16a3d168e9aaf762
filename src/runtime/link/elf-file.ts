import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ElfError, type ReadFile } from "../../object/elf/index.ts";

/**
 * Opens a program or library for as long as `body` reads parts of it. Throws Node's own error for a file that cannot be read,
 * and ElfError with the file's name where `body` finds it to be no such.
 */
export function withElfFile<T>(path: string, body: (read: ReadFile, fd: number) => T): T {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    // What a damaged file says of its tables may be anything: no more than the file has.
    return body((at, length) => readPart(fd, at, Math.max(0, Math.min(length, size - at))), fd);
  } catch (error) {
    if (error instanceof ElfError) throw new ElfError(`${path} cannot be read: ${error.message}`, { cause: error });
    throw error;
  } finally {
    closeSync(fd);
  }
}

function readPart(fd: number, at: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, at + done);
    if (count === 0) return bytes.subarray(0, done);
    done += count;
  }
  return bytes;
}
