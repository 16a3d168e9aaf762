// What an image of the trace programs is made for: the build compiles the programs once for each set of these, with what
// `optionsSource()` writes in the place of this file. So it stands for the usual ones.

/** Whose calls are followed: those of the command that Skep starts; of processes by their ids; else of a cgroup. */
export const COMMAND: boolean = true as const;
export const PIDS: boolean = false as const;
/** Filters and ids of a pid namespace are told by parameters; else there are none. */
export const GENERAL: boolean = false as const;
/** Calls are seen through perf's tracepoints (Linux 7). */
export const THROUGH_PERF: boolean = false as const;
/** The kernel has BPF_CMPXCHG (Linux 5.12). */
export const COMPARE_EXCHANGE: boolean = true as const;

/** How a CPU's system calls look: `SyscallAbi` of machine.ts, offsets in `struct pt_regs` as words from `from` on. */
export const ABI = {
  from: 32,
  words: 14,
  args: [10, 9, 8, 3, 5, 4],
  number: 11,
  savedFirst: 0,
  execve: 59,
  execveat: 322,
  compat: {
    inside: true,
    word: 13,
    offset: 136,
    mask: 0xffff,
    value: 0x23,
    args: [1, 7, 8, 9, 10, 0],
    execve: 11,
    execveat: 358,
  },
} as const;
