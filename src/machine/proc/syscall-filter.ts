import { ARCHES } from "./arch.ts";
import { nearestNames } from "./nearest.ts";
import { classMembers, classNames } from "./syscall-class.ts";
import { syscallNames, syscallNumber } from "./syscall-table.ts";

/** A filter that cannot be understood; the message says which item, why, and what may have been meant. */
export class SyscallFilterError extends Error {
  override readonly name = "SyscallFilterError";
  readonly code = "SKEP_SYSCALL_FILTER";
}

/** Above any number an architecture has given out, below what the kernel's tables can hold. */
const LARGEST_NUMBER = 1023;

/**
 * The numbers of the system calls that a filter names, on one architecture. The filter is strace(1)'s:
 *
 * - items are separated by commas: a name (`openat`), a number (`257`), a class (`%file`), a regular expression that
 *   need not match the whole name (`/^get`, or `/^get/`), `all` or `none`;
 * - `?name` may be missing on this architecture;
 * - `!` before an item takes its calls out. Items apply in order, so later ones win: `%file,!stat` is all of %file but
 *   stat. A filter that begins with `!` begins with all calls; when that is its only `!`, it is for the whole list:
 *   `!futex,poll` is all calls but these two.
 *
 * Throws SyscallFilterError, and nothing else.
 */
export function parseSyscallFilter(text: string, arch: string): Set<number> {
  return parse(text, arch, resolve);
}

/**
 * The same filter for the 32-bit programs of an architecture (`compatArch`), which `parseSyscallFilter` took for the
 * native ones: a name stands for its 32-bit kin, too (`stat` for `stat64`, `mmap` for `mmap2`); numbers, and what does not exist
 * there, for nothing.
 */
export function parseCompatFilter(text: string, arch: string): Set<number> {
  return parse(text, arch, (item) => {
    if (/^\d+$/.test(item)) return [];
    if (/^[%/]|^(all|none)$/.test(item)) {
      try {
        return resolve(item, arch);
      } catch {
        // No call there matches.
        return [];
      }
    }
    return kin(item.replace(/^\?/, ""), arch);
  });
}

/** 32-bit programs' names of a call that are not made of the native one and an ending. */
const KIN: Readonly<Record<string, string>> = {
  __proto__: null as never,
  lseek: "_llseek",
  mmap: "mmap2",
  newfstatat: "fstatat64",
  select: "_newselect",
  stat: "oldstat",
  lstat: "oldlstat",
  fstat: "oldfstat",
  getrlimit: "ugetrlimit",
  umount2: "umount",
  wait4: "waitpid",
  rt_sigaction: "sigaction",
  rt_sigprocmask: "sigprocmask",
  rt_sigreturn: "sigreturn",
  rt_sigsuspend: "sigsuspend",
  rt_sigpending: "sigpending",
  fadvise64: "fadvise64_64",
};

function kin(name: string, arch: string): number[] {
  const names = [name, KIN[name], `${name}64`, `${name}32`, `${name}_time64`];
  return names
    .map((one) => (one === undefined ? undefined : syscallNumber(one, arch)))
    .filter((nr) => nr !== undefined);
}

function parse(text: string, arch: string, numbersOf: (item: string, arch: string) => Iterable<number>): Set<number> {
  const items = text.split(",").map((item) => item.trim());
  const negative = items.map((item) => item.startsWith("!"));
  const negated = negative[0] === true && negative.lastIndexOf(true) === 0;
  const chosen = new Set(negative[0] === true ? allNumbers(arch) : []);
  if (syscallNames(arch).length === 0) {
    throw new SyscallFilterError(
      `The system calls of "${arch}" are not known: there are tables for ${ARCHES.join(", ")}. Trace without a filter.`,
    );
  }
  items.forEach((item, i) => {
    const bare = negative[i] === true ? item.slice(1).trim() : item;
    const numbers = numbersOf(bare, arch);
    const remove = negated || negative[i] === true;
    for (const nr of numbers) {
      if (remove) chosen.delete(nr);
      else chosen.add(nr);
    }
  });
  return chosen;
}

function resolve(item: string, arch: string): Iterable<number> {
  if (item === "") {
    throw new SyscallFilterError(
      "The filter has an empty item: write names between the commas, such as openat,connect or %file,!stat.",
    );
  }
  if (item.startsWith("?")) return item.length === 1 ? resolve("", arch) : optional(item.slice(1), arch);
  if (item === "all") return allNumbers(arch);
  if (item === "none") return [];
  if (item.startsWith("%")) return ofClass(item, arch);
  if (item.startsWith("/")) return matching(item, arch);
  if (/^\d+$/.test(item)) return [byNumber(item)];
  const nr = syscallNumber(item, arch);
  if (nr !== undefined) return [nr];
  throw new SyscallFilterError(unknownName(item, arch));
}

function optional(item: string, arch: string): Iterable<number> {
  if (/^[\w]+$/.test(item)) {
    const nr = syscallNumber(item, arch);
    if (nr === undefined && !/^(all|none|\d+)$/.test(item)) return [];
  }
  return resolve(item, arch);
}

function allNumbers(arch: string): number[] {
  return numbersWhere(arch, () => true);
}

function numbersWhere(arch: string, test: (name: string) => boolean): number[] {
  const numbers: number[] = [];
  syscallNames(arch).forEach((name, nr) => {
    if (name !== undefined && test(name)) numbers.push(nr);
  });
  return numbers;
}

function ofClass(item: string, arch: string): number[] {
  const members = classMembers(item.slice(1));
  if (members !== undefined) return numbersWhere(arch, (name) => members.has(name));
  const near = nearestNames(item.slice(1), classNames()).map((name) => `%${name}`);
  throw new SyscallFilterError(
    `There is no class "${item}". ${didYouMean(near)}The classes are ${classNames()
      .map((name) => `%${name}`)
      .join(" ")}.`,
  );
}

function matching(item: string, arch: string): number[] {
  const source = item.length > 2 && item.endsWith("/") ? item.slice(1, -1) : item.slice(1);
  if (source === "" || source === "/")
    throw new SyscallFilterError(`"${item}" is an empty regular expression: write one such as /^get/.`);
  let pattern: RegExp;
  try {
    pattern = new RegExp(source);
  } catch (error) {
    throw new SyscallFilterError(
      `"${item}" is not a regular expression (${(error as Error).message}). A comma always ends an item, inside it too.`,
    );
  }
  const numbers = numbersWhere(arch, (name) => pattern.test(name));
  if (numbers.length === 0) throw new SyscallFilterError(`No system call of ${arch} matches "${item}".`);
  return numbers;
}

function byNumber(item: string): number {
  const nr = Number(item);
  if (nr > LARGEST_NUMBER)
    throw new SyscallFilterError(`${item} is not the number of a system call: they end below ${LARGEST_NUMBER + 1}.`);
  return nr;
}

function unknownName(item: string, arch: string): string {
  if (classMembers(item) !== undefined) return `There is no system call "${item}"; the class is written %${item}.`;
  const near = nearestNames(item, names(arch));
  const others = ARCHES.filter((other) => other !== arch && syscallNumber(item, other) !== undefined);
  if (others.length > 0) {
    return `The system call "${item}" does not exist on ${arch} (it does on ${others.join(", ")}). ${didYouMean(near)}Write ?${item} to ignore it where it does not exist.`;
  }
  return `There is no system call "${item}". ${didYouMean(near) || "skep trace --help shows what a filter can say."}`.trimEnd();
}

function didYouMean(near: readonly string[]): string {
  return near.length === 0 ? "" : `Did you mean ${near.join(" or ")}? `;
}

function names(arch: string): string[] {
  return syscallNames(arch).filter((name) => name !== undefined);
}
