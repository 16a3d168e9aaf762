// The enumerators of the running kernel's own BTF, read just far enough to check our tables against them.
import { readFileSync } from "node:fs";

const ENUM = 6;
/** Bytes after the 12 of `struct btf_type`, by kind: [fixed, for each element] (Documentation/bpf/btf.rst). */
const TAIL: Readonly<Record<number, readonly [number, number]>> = {
  1: [4, 0],
  3: [12, 0],
  4: [0, 12],
  5: [0, 12],
  6: [0, 8],
  13: [0, 8],
  14: [4, 0],
  15: [0, 12],
  17: [4, 0],
  19: [0, 12],
};

/** The enumerators of `enum NAME`, or of all enums without a name when it is ""; undefined without BTF. */
export function kernelEnum(name: string): ReadonlyMap<string, number> | undefined {
  let btf: Buffer;
  try {
    btf = readFileSync("/sys/kernel/btf/vmlinux");
  } catch {
    return undefined;
  }
  const header = btf.readUInt32LE(4);
  const types = header + btf.readUInt32LE(8);
  const end = types + btf.readUInt32LE(12);
  const strings = header + btf.readUInt32LE(16);
  const text = (offset: number) => btf.toString("latin1", strings + offset, btf.indexOf(0, strings + offset));
  const found = new Map<string, number>();
  for (let at = types; at < end; ) {
    const info = btf.readUInt32LE(at + 4);
    const kind = (info >>> 24) & 0x1f;
    const count = info & 0xffff;
    const [fixed, each] = TAIL[kind] ?? [0, 0];
    if (kind === ENUM && text(btf.readUInt32LE(at)) === name) {
      for (let i = 0; i < count; i++) {
        found.set(text(btf.readUInt32LE(at + 12 + 8 * i)), btf.readInt32LE(at + 16 + 8 * i));
      }
    }
    at += 12 + fixed + each * count;
  }
  return found;
}
