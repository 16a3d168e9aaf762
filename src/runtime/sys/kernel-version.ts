import { release } from "node:os";

/** Whether a kernel is older than a version such as `5.18`. Vendors bring features to older kernels: advice only. */
export function isKernelBefore(version: string, kernel: string = release()): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [ownMajor = 0, ownMinor = 0] = kernel.split(/[.-]/).map(Number);
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
}

/** "Maps of type arena need Linux 6.9; this is 6.1.0." when the running kernel is older than `since`, otherwise undefined. */
export function kernelSince(what: string, since: string): string | undefined {
  return isKernelBefore(since) ? `${what} need Linux ${since}; this is ${release()}.` : undefined;
}
