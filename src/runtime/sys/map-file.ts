import { closeSync, fstatSync, openSync } from "node:fs";
import { MapFlags, Protection } from "./mapping.ts";
import { native } from "./native.ts";

/**
 * A file's contents without a copy of them, or undefined where it cannot be mapped. The memory is read-only: writing to it
 * ends the process, so it must not be handed out. Unmapped when it is collected. Throws Node's own errors of open(2).
 */
export function mapFile(path: string): Uint8Array | undefined {
  const fd = openSync(path, "r");
  try {
    const { size } = fstatSync(fd);
    if (size === 0) return undefined;
    const result = native().mmap(size, Protection.read, MapFlags.private, fd, 0);
    return typeof result === "number" ? undefined : new Uint8Array(result);
  } finally {
    closeSync(fd);
  }
}
