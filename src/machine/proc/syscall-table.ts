import type { Arch } from "./arch.ts";
import { ARM } from "./table-arm.ts";
import { ARM64 } from "./table-arm64.ts";
import { IA32 } from "./table-ia32.ts";
import { X64 } from "./table-x64.ts";

// Split at first use, for one architecture: a command that needs no names pays for none.
const TEXTS: Readonly<Record<Arch, string>> = { x64: X64, arm64: ARM64, ia32: IA32, arm: ARM };
const tables = new Map<string, readonly (string | undefined)[]>();
const NONE: readonly (string | undefined)[] = [];

/**
 * The name of a system call, e.g. `openat` for 257 on x64. Undefined for a number that the architecture has not given
 * out (as of Linux 7.3) and for architectures without a table.
 */
export function syscallName(nr: number, arch: string): string | undefined {
  return syscallNames(arch)[nr];
}

/** The number of a system call, e.g. 257 for `openat` on x64; undefined when the architecture does not have it. */
export function syscallNumber(name: string, arch: string): number | undefined {
  const nr = syscallNames(arch).indexOf(name);
  return nr < 0 ? undefined : nr;
}

/** All names by number, with `undefined` in the gaps; empty for an architecture without a table. */
export function syscallNames(arch: string): readonly (string | undefined)[] {
  const known = tables.get(arch);
  if (known !== undefined) return known;
  if (!Object.hasOwn(TEXTS, arch)) return NONE;
  const names: (string | undefined)[] = [];
  const words = TEXTS[arch as Arch].trim().split(/\s+/);
  // Without an iterator, whose hundreds of steps are made before the first event is shown.
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const first = word.charCodeAt(0);
    if (first >= 0x30 && first <= 0x39) {
      // Filled rather than left sparse: callers index and iterate this array.
      while (names.length < Number(word)) names.push(undefined);
    } else names.push(word);
  }
  tables.set(arch, names);
  return names;
}
