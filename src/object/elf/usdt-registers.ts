import { ElfMachine } from "./elf-tables.ts";

/** A register as the kernel keeps it at a probe. */
export interface SavedRegister {
  /** Bytes into `struct pt_regs` (asm/ptrace.h) of its lowest byte. */
  readonly offset: number;
  /** Bytes that the name stands for: 4 of `%eax`, 2 of `%ax`. */
  readonly size: 1 | 2 | 4 | 8;
}

/** In the order of x86-64's `struct pt_regs`, 8 bytes each: the names of 8, 4, 2 and 1 bytes. */
const X64 = `r15 r15d r15w r15b, r14 r14d r14w r14b, r13 r13d r13w r13b, r12 r12d r12w r12b, rbp ebp bp bpl, rbx ebx bx bl,
r11 r11d r11w r11b, r10 r10d r10w r10b, r9 r9d r9w r9b, r8 r8d r8w r8b, rax eax ax al, rcx ecx cx cl, rdx edx dx dl,
rsi esi si sil, rdi edi di dil, orig_rax, rip eip, cs, eflags, rsp esp sp spl`;

/** The second bytes of four registers have names, too. */
const HIGH_BYTES = { ah: "al", bh: "bl", ch: "cl", dh: "dl" } as const;

function x64Registers(): ReadonlyMap<string, SavedRegister> {
  const registers = new Map<string, SavedRegister>();
  for (const [i, names] of X64.split(",").entries()) {
    for (const [width, name] of names.trim().split(" ").entries())
      registers.set(name, { offset: i * 8, size: ([8, 4, 2, 1] as const)[width as 0 | 1 | 2 | 3] });
  }
  for (const kept of ["orig_rax", "cs", "eflags"]) registers.delete(kept);
  for (const [high, low] of Object.entries(HIGH_BYTES))
    registers.set(high, { offset: (registers.get(low)?.offset ?? 0) + 1, size: 1 });
  return registers;
}

/** arm64's `struct user_pt_regs` begins the kernel's: x0 to x30, then the stack pointer. */
function arm64Registers(): ReadonlyMap<string, SavedRegister> {
  const registers = new Map<string, SavedRegister>();
  for (let i = 0; i <= 30; i++) {
    registers.set(`x${i}`, { offset: i * 8, size: 8 });
    registers.set(`w${i}`, { offset: i * 8, size: 4 });
  }
  registers.set("sp", { offset: 31 * 8, size: 8 });
  return registers;
}

const REGISTERS: Readonly<Record<number, () => ReadonlyMap<string, SavedRegister>>> = {
  // Programs of 32 bits on a kernel of 64, which keeps the registers of both alike.
  [ElfMachine.i386]: x64Registers,
  [ElfMachine.x64]: x64Registers,
  [ElfMachine.arm64]: arm64Registers,
};
const known = new Map<number, ReadonlyMap<string, SavedRegister>>();

/** The registers of a machine by name; undefined for one whose registers are not known. */
export function registersOf(machine: number): ReadonlyMap<string, SavedRegister> | undefined {
  const make = REGISTERS[machine];
  if (make !== undefined && !known.has(machine)) known.set(machine, make());
  return known.get(machine);
}
