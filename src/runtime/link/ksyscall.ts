import { kernelHasSymbols } from "../sys/index.ts";
import type { Attachable } from "./create-link.ts";
import { attachKprobe, attachKretprobe, type KprobeOptions } from "./kprobe.ts";
import type { Link } from "./link.ts";
import { TracepointError } from "./tracefs.ts";

/** How the functions of system calls begin where they take their arguments in `struct pt_regs` (ARCH_HAS_SYSCALL_WRAPPER). */
const PREFIXES: Readonly<Record<string, string>> = { x64: "__x64_", arm64: "__arm64_" };

/** What `attachKsyscall` gives the program, and by which way it attaches. */
export type KsyscallOptions = Omit<KprobeOptions, "offset">;

/**
 * Attaches a program of type `kprobe` to the kernel's function for a system call by its name (`openat`), whatever prefix that has
 * here (`__x64_sys_openat`). With a prefix its one argument is a pointer to the registers of the call: `BPF_KSYSCALL` of libbpf
 * and `LINUX_HAS_SYSCALL_WRAPPER` see to that. It runs for every process. Throws TracepointError where the kernel has no such
 * call, KallsymsError, SystemError. The caller closes the link.
 */
export function attachKsyscall(program: Attachable, call: string, options: KsyscallOptions = {}): Link {
  return attachKprobe(program, syscallFunction(call), options);
}

/** `attachKsyscall` at the call's end. */
export function attachKretsyscall(program: Attachable, call: string, options: KsyscallOptions = {}): Link {
  return attachKretprobe(program, syscallFunction(call), options);
}

/** The kernel's function for a system call. Throws TracepointError, KallsymsError. */
export function syscallFunction(call: string): string {
  const candidates = [`${PREFIXES[process.arch] ?? ""}sys_${call}`, `sys_${call}`, `__se_sys_${call}`];
  const there = kernelHasSymbols(new Set(candidates));
  const found = candidates.find((name) => there.has(name));
  if (found !== undefined) return found;
  throw new TracepointError(
    `This kernel has no function for a system call "${call}" (${[...new Set(candidates)].join(", ")}): give the name without sys_, as in openat; some calls have another one in the kernel (newfstat for fstat).`,
  );
}
