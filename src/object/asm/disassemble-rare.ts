import type { DisassembleOptions } from "./disassemble.ts";
import type { Instruction } from "./instruction.ts";

/** What bin/skep.js gives to a command's chunk. */
interface Chunk {
  load(name: string): { disassemble(instructions: readonly Instruction[], options?: DisassembleOptions): string };
}

/**
 * Stands for disassemble.ts in the bundle of a command whose start counts: the same, with the names of all helpers, from a chunk
 * of its own, which errors alone need.
 */
export function disassemble(instructions: readonly Instruction[], options: DisassembleOptions = {}): string {
  return (module as unknown as Chunk).load("trace-rare").disassemble(instructions, options);
}
