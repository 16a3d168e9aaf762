/** What a program did that no eBPF program may do, or what the machine was not told. */
export type FaultCode =
  /** An access beyond the end, or before the beginning, of what its pointer points into. */
  | "OUT_OF_BOUNDS"
  /** An access through a null pointer: a result that was not checked. */
  | "NULL"
  /** An access to an address where there is nothing, or no longer anything. */
  | "UNMAPPED"
  /** A load or store straight at a user address, which only helpers can read. */
  | "USER_MEMORY"
  /** A store to memory that programs may only read. */
  | "READ_ONLY"
  /** An atomic operation, or an access to the stack, at an address that is no multiple of its size. */
  | "MISALIGNED"
  /** A read of stack, or of a ring record, that was never written. */
  | "UNINITIALISED"
  /** An opcode that is none, a jump that leaves the program, a map that the object does not have. */
  | "BAD_INSTRUCTION"
  /** A helper that the machine does not have. */
  | "UNKNOWN_HELPER"
  /** A kernel function that the machine does not have. */
  | "UNKNOWN_KFUNC"
  /** A helper was given what the verifier would not let through. */
  | "BAD_ARGUMENT"
  /** Calls nested deeper than the kernel allows. */
  | "CALL_DEPTH"
  /** More instructions than `maxInstructions`. */
  | "ENDLESS"
  /** The program ended with a ring record, a lock or an iterator still in its hands. */
  | "UNRELEASED"
  /** A relocation that found nothing in the kernel's types was reached. */
  | "POISON";

/** The place of a fault. */
export interface FaultPlace {
  /** The program's name in the object. */
  readonly program: string;
  /** Index in `ProgramSpec.instructions`; counts instructions, not slots. */
  readonly instruction: number;
  /** The instruction as `disassemble` writes it. */
  readonly text: string;
  /** `file:line:column` of the source, where the program carries line information. */
  readonly source?: string;
}

/**
 * A program did what the kernel would not let it do, or met what the machine has not been given. `instruction` is the
 * index in the program's instructions, `source` its place in the source text where that is known.
 */
export class MachineFault extends Error {
  override readonly name = "MachineFault";
  readonly code: FaultCode;
  readonly program: string;
  readonly instruction: number;
  readonly source: string | undefined;

  constructor(code: FaultCode, sentence: string, place: FaultPlace) {
    const { program, instruction, text, source } = place;
    const from = source === undefined ? "" : `, ${source}`;
    super(`Program "${program}", instruction ${instruction} (${text}${from}): ${sentence}`);
    this.code = code;
    this.program = program;
    this.instruction = instruction;
    this.source = source;
  }
}

/** The machine, its world or a map was asked for something that it cannot be or do; nothing has changed. */
export class MachineError extends Error {
  override readonly name = "MachineError";
  readonly code = "SKEP_MACHINE";
}
