import { Assembler, type HelperName, r0, r1, r10 } from "../../../object/asm/index.ts";
import { ProgramFlag, type ProgramTypeName } from "../../../object/spec/index.ts";
import { attemptLoad } from "./attempt.ts";

/** What compiled code may make use of, as far as the kernel's types do not tell it. */
const CODE = {
  /** Atomic operations that give the value before (ISA v3, Linux 5.12). */
  fetchAtomics: () =>
    new Assembler().mov(r1, 1).store("u64", r10, -8, 0).fetchAdd("u64", r10, -8, r1).mov(r0, 0).exit(),
  /** Sign extension, signed division, byte swaps, long jumps (ISA v4, Linux 6.6). */
  isaV4: () => new Assembler().mov(r1, 1).movsx8(r0, r1).bswap(r0, 16).ja32("end").label("end").mov(r0, 0).exit(),
};

/** Whether the kernel takes such code, by one small program that is closed at once; false where this user may load none. */
export function probeCode(feature: keyof typeof CODE): boolean {
  return attemptLoad({ type: "tracepoint", instructions: CODE[feature]().instructions() }).errno === 0;
}

const EPERM = 1;
const EINVAL = 22;

/** Types whose programs load without being told what they attach to. */
const PLAIN: ReadonlySet<ProgramTypeName> = new Set<ProgramTypeName>([
  "tracepoint",
  "raw_tracepoint",
  "kprobe",
  "perf_event",
  "xdp",
  "syscall",
]);

/**
 * Whether programs of a type may call a helper, by one program that calls it with nothing: the verifier says EINVAL of a helper that it
 * does not know, and looks at the arguments of those it knows. Undefined where this user may load none, or none of this type by
 * itself.
 */
export function probeHelper(name: HelperName, type: ProgramTypeName): boolean | undefined {
  if (!PLAIN.has(type)) return undefined;
  const { errno } = attemptLoad({
    type,
    ...(type === "syscall" && { flags: ProgramFlag.sleepable }),
    instructions: new Assembler().call(name).mov(r0, 0).exit().instructions(),
  });
  return errno === EPERM ? undefined : errno !== EINVAL;
}
