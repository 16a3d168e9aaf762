import type { Handler } from "./cpu.ts";

/** How often a loop of the kernel turns, and one call of a function may pass its `may_goto` (BPF_MAX_LOOPS). */
export const MOST_TURNS = 8 * 1024 * 1024;

/** Ends the function that runs. */
export const exit: Handler = (cpu, pc) => {
  cpu.pc = pc;
  return cpu.leave();
};

/** Calls a function of the program, which begins at `cpu.arg[pc]`. */
export const callFunction: Handler = (cpu, pc) => cpu.enter(pc, cpu.arg[pc] as number);

/** Calls a helper or a kernel function, by its place in the image. */
export const callHelper: Handler = (cpu, pc) => {
  cpu.pc = pc;
  cpu.helper(cpu.arg[pc] as number)(cpu);
  if (cpu.tail >= 0) {
    const { tail } = cpu;
    cpu.tail = -1;
    return tail;
  }
  cpu.clobber();
  return pc + 1;
};

/**
 * A call through a register, which the kernel does not take and other machines do: of a function by its address, or of a
 * helper by its number.
 */
export const callRegister: Handler = (cpu, pc) => {
  cpu.pc = pc;
  const d = cpu.dst[pc] as number;
  const region = cpu.space.find(cpu.regs[d + 1] as number, cpu.regs[d] as number);
  if (region?.kind === "function") return cpu.enter(pc, region.owner as number);
  if (cpu.regs[d + 1] !== 0) cpu.fault("BAD_INSTRUCTION", "It calls what is neither a function nor a helper's number.");
  cpu.helperById((cpu.regs[d] as number) >>> 0)(cpu);
  cpu.clobber();
  return pc + 1;
};

/** Goes on, and jumps only when the function has come here too often. */
export const mayGoto: Handler = (cpu, pc) => (cpu.turn() < MOST_TURNS ? pc + 1 : (cpu.arg[pc] as number));

/** What stands behind the last instruction. */
export const trap: Handler = (cpu, pc) =>
  cpu.fault("BAD_INSTRUCTION", "The program runs beyond its last instruction, without an exit.", pc);

/** An instruction that writes r10. */
export const writesFramePointer: Handler = (cpu, pc) =>
  cpu.fault("BAD_INSTRUCTION", "It writes r10, the frame pointer, which programs may only read.", pc);
