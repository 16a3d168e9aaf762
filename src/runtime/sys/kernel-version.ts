import { native } from "./native.ts";
import { nr } from "./syscall-number.ts";

/** `struct new_utsname` (linux/utsname.h): six texts in 65 bytes each, of which this is the third. */
const UTSNAME_SIZE = 6 * 65;
const RELEASE = 2 * 65;

/** The running kernel's release, `6.12.5-arch1-1` (uname(2)). `os.release()` would be it as well, and take Node a fifth of a millisecond. */
export function kernelRelease(): string {
  const bytes = new Uint8Array(UTSNAME_SIZE);
  native().syscall(nr.uname, bytes);
  return Buffer.from(bytes.buffer, RELEASE, bytes.indexOf(0, RELEASE) - RELEASE).toString("latin1");
}

/** Whether a kernel is older than a version such as `5.18`. Vendors bring features to older kernels: advice only. */
export function isKernelBefore(version: string, kernel: string = kernelRelease()): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [ownMajor = 0, ownMinor = 0] = kernel.split(/[.-]/).map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

/** "Maps of type arena need Linux 6.9; this is 6.1.0." when the running kernel is older than `since`, otherwise undefined. */
export function kernelSince(what: string, since: string): string | undefined {
  const release = kernelRelease();
  return isKernelBefore(since, release) ? `${what} need Linux ${since}; this is ${release}.` : undefined;
}
