import { readFileSync } from "node:fs";

const AT_PAGESZ = 6;
let size: number | undefined;

/** Bytes of a memory page: 4096 on x86-64; arm64 kernels may have 16 or 64 KiB, told by the auxiliary vector (getauxval(3)). */
export function pageSize(): number {
  if (size === undefined) {
    size = 4096;
    if (process.arch !== "x64") {
      const auxv = readFileSync("/proc/self/auxv");
      for (let at = 0; at + 16 <= auxv.length; at += 16) {
        if (auxv.readBigUInt64LE(at) === BigInt(AT_PAGESZ)) size = Number(auxv.readBigUInt64LE(at + 8));
      }
    }
  }
  return size;
}
