import { type Btf, type ObjectSpec, prepareObject, relocationText } from "../../sdk/index.ts";

/** Whether one program fits. */
export interface ProgramCheck {
  readonly name: string;
  readonly fits: boolean;
  /** The error's code and sentence where it does not. */
  readonly code?: string;
  readonly problem?: string;
  /** Types and fields that the kernel lacks and instructions stand for: harmless as long as those are not reached. */
  readonly missing: readonly string[];
}

export interface CheckResult {
  readonly schema: "skep.object-check/1";
  readonly fits: boolean;
  readonly programs: readonly ProgramCheck[];
}

/** The number that stands where a CO-RE relocation came to nothing. */
const POISON = 0xbad2310;
const CALL = 0x85;

/**
 * Fits every program to this kernel's types, or to those given, without loading anything: what cannot be found is told for
 * each program. Needs no rights but to read /sys/kernel/btf.
 */
export function checkObject(spec: ObjectSpec, kernelBtf?: Btf): CheckResult {
  const programs = Object.keys(spec.programs).map((name): ProgramCheck => {
    try {
      const prepared = prepareObject(spec, { programs: [name], ...(kernelBtf !== undefined && { kernelBtf }) });
      const instructions = prepared[name]?.instructions ?? [];
      const missing = instructions.flatMap(({ opcode, imm, relocation }) =>
        opcode === CALL && imm === POISON && relocation !== undefined && spec.btf !== undefined
          ? [relocationText(spec.btf, relocation)]
          : [],
      );
      return { name, fits: true, missing: [...new Set(missing)] };
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (!(error instanceof Error) || typeof code !== "string") throw error;
      return { name, fits: false, code, problem: error.message, missing: [] };
    }
  });
  return { schema: "skep.object-check/1", fits: programs.every(({ fits }) => fits), programs };
}
