import { Assembler, type HelperName, r0, r1, r10 } from "../../../object/asm/index.ts";
import { attemptLoad, type TrialProgram } from "./attempt.ts";

/** What compiled code may make use of, as far as the kernel's types do not tell it. */
export interface CodeFeatures {
  /** Atomic operations that give the value before (ISA v3, Linux 5.12). */
  readonly fetchAtomics: boolean;
  /** Sign extension, signed division, byte swaps, long jumps (ISA v4, Linux 6.6). */
  readonly isaV4: boolean;
  /** Each function of a tracing program has stack of its own (Linux 6.13). */
  readonly privateStack: boolean;
  /** Stack that was never written may be read (privileged, Linux 6.3). */
  readonly uninitialisedStack: boolean;
}

/** One small program for each, loaded and closed at once; false where this user may load none. */
export function probeCode(): CodeFeatures {
  const takes = (code: Assembler, type: TrialProgram["type"] = "tracepoint") =>
    attemptLoad({ type, instructions: code.instructions() }).errno === 0;
  return {
    fetchAtomics: takes(
      new Assembler().mov(r1, 1).store("u64", r10, -8, 0).fetchAdd("u64", r10, -8, r1).mov(r0, 0).exit(),
    ),
    isaV4: takes(new Assembler().mov(r1, 1).movsx8(r0, r1).bswap(r0, 16).ja32("end").label("end").mov(r0, 0).exit()),
    // Two frames that together are more than the 512 bytes there are for all without it.
    privateStack: takes(
      new Assembler()
        .store("u64", r10, -320, 0)
        .callLocal("inner")
        .exit()
        .label("inner")
        .store("u64", r10, -320, 0)
        .mov(r0, 0)
        .exit(),
    ),
    uninitialisedStack: takes(new Assembler().load("u64", r0, r10, -8).mov(r0, 0).exit()),
  };
}

const EPERM = 1;
const EINVAL = 22;

/**
 * Whether tracing programs may call a helper, by one program that calls it with nothing: the verifier says EINVAL of a helper that it
 * does not know, and looks at the arguments of those it knows. Undefined where this user may load none.
 */
export function probeHelper(name: HelperName): boolean | undefined {
  const { errno } = attemptLoad({
    type: "tracepoint",
    instructions: new Assembler().call(name).mov(r0, 0).exit().instructions(),
  });
  return errno === EPERM ? undefined : errno !== EINVAL;
}
