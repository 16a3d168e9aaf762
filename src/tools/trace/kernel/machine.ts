/** Where a CPU architecture keeps a system call's arguments in `struct pt_regs`, and which calls start programs. */
export interface SyscallAbi {
  /** First byte of the part of pt_regs that is copied, and its length. */
  readonly from: number;
  readonly length: number;
  /** Offsets of the six arguments within the copied part. */
  readonly args: readonly number[];
  /** How a 32-bit caller shows: `(u32 at offset) & mask === value`; and where its arguments are. */
  readonly compat: {
    readonly offset: number;
    readonly mask: number;
    readonly value: number;
    readonly args: readonly number[];
    /** Numbers of the same calls in that instruction set. */
    readonly execve: number;
    readonly execveat: number;
  };
  /** Where the copied part has the number of the call in flight. */
  readonly number: number;
  /** Where pt_regs keeps the first argument once the register has the result; undefined when it stays where it was. */
  readonly savedFirst?: number;
  readonly execve: number;
  readonly execveat: number;
}

// arch/x86/include/asm/ptrace.h: bp 32, bx 40, r11 48, r10 56, r9 64, r8 72, ax 80, cx 88, dx 96, si 104, di 112,
// orig_ax 120, ip 128, cs 136. __USER32_CS is 0x23 (arch/x86/include/asm/segment.h).
const X64: SyscallAbi = {
  from: 32,
  length: 112,
  args: [80, 72, 64, 24, 40, 32],
  compat: { offset: 104, mask: 0xffff, value: 0x23, args: [8, 56, 64, 72, 80, 0], execve: 11, execveat: 358 },
  number: 88,
  execve: 59,
  execveat: 322,
};

// arch/arm64/include/asm/ptrace.h: regs[31], sp 248, pc 256, pstate 264. PSR_MODE32_BIT is 0x10. The whole of it would
// not fit the stack beside the capture buffer, so a 32-bit caller is told by the pstate word read on its own.
const ARM64: SyscallAbi = {
  from: 0,
  length: 72,
  args: [0, 8, 16, 24, 32, 40],
  compat: { offset: 264, mask: 0x10, value: 0x10, args: [0, 8, 16, 24, 32, 40], execve: 11, execveat: 387 },
  // regs[8] (x8) still holds the number.
  number: 64,
  // orig_x0, behind pstate.
  savedFirst: 272,
  execve: 221,
  execveat: 281,
};

/** The machine's own architecture. Throws for one whose system calls are not known here. */
export function traceArch(arch: string = process.arch): "x64" | "arm64" {
  if (arch === "x64" || arch === "arm64") return arch;
  throw new Error(`skep trace knows the system call conventions of x64 and arm64, not of ${arch}.`);
}

export function abiOf(arch: "x64" | "arm64"): SyscallAbi {
  return arch === "x64" ? X64 : ARM64;
}
