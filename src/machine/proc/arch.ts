/**
 * Instruction sets with a table of system calls, named as Node's `process.arch` names them. `ia32` and `arm` are what
 * 32-bit programs call on `x64` and `arm64` kernels.
 */
export type Arch = "x64" | "arm64" | "ia32" | "arm";

/** What 32-bit programs call on a kernel of this architecture; undefined where there are none. */
export function compatArch(arch: string): Arch | undefined {
  return arch === "x64" ? "ia32" : arch === "arm64" ? "arm" : undefined;
}

export const ARCHES: readonly Arch[] = ["x64", "arm64", "ia32", "arm"];
