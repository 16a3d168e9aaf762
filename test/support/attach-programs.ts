// Programs for tests of attachments. Each counts in map `counts`, and only what this process does.
import {
  Assembler,
  type AttachTypeName,
  array,
  type ObjectSpec,
  type ProgramSpec,
  type ProgramTypeName,
  r0,
  r1,
  r2,
  r6,
  r7,
  r10,
  u64,
} from "../../src/sdk/index.ts";

/** `counts[0][0]` is what the program counted, `counts[0][1]` what the test tells the program. */
export const countsMap = { type: "array", value: array(u64, 2), maxEntries: 1 } as const;

export interface Counting {
  readonly type: ProgramTypeName;
  readonly expectedAttachType?: AttachTypeName;
  readonly attachTo?: string;
  readonly attachBtfId?: number;
  readonly flags?: number;
  /** The name of its section, which says what it attaches to. */
  readonly section?: string;
  /** How much is counted each time; 1 when left out. */
  readonly step?: number;
  /** Only when this process is the current one; false for programs that have no current process. */
  readonly own?: boolean;
  /** What is returned when it counted; 0 when left out. */
  readonly result?: number;
  /** What is returned when it did not count; 0 when left out. */
  readonly otherwise?: number;
  /** More conditions: jumps to "out" where they do not hold. The context is in r6. */
  readonly when?: (a: Assembler) => void;
}

/** A program that counts what happens to this process. */
export function counting(options: Counting): ProgramSpec {
  const {
    type,
    expectedAttachType,
    attachTo,
    attachBtfId,
    flags,
    section,
    step = 1,
    own = true,
    result = 0,
    otherwise = 0,
    when,
  } = options;
  const a = new Assembler();
  a.mov(r6, r1);
  if (own) a.call("get_current_pid_tgid").rsh(r0, 32).jne(r0, process.pid, "out");
  when?.(a);
  a.loadMapValue(r1, "counts", 0).mov(r2, step).atomicAdd("u64", r1, 0, r2).mov(r0, result).exit();
  // Nothing goes there where there are no conditions, and the verifier refuses what is never reached.
  if (own || when !== undefined) a.label("out").mov(r0, otherwise).exit();
  return {
    type,
    license: "GPL",
    instructions: a.instructions(),
    ...(expectedAttachType !== undefined && { expectedAttachType }),
    ...(attachTo !== undefined && { attachTo }),
    ...(attachBtfId !== undefined && { attachBtfId }),
    ...(flags !== undefined && { flags }),
    ...(section !== undefined && { section }),
  };
}

/** An object with the map `counts` and the program `p`. */
export function countingObject(options: Counting) {
  return { maps: { counts: countsMap }, programs: { p: counting(options) } } as const satisfies ObjectSpec;
}

/** The system call getpgid(2) as the kernel calls its function. */
export const GETPGID_FUNCTION = process.arch === "arm64" ? "__arm64_sys_getpgid" : "__x64_sys_getpgid";

/** At `sys_enter`, with the context in r6: goes to "out" unless the call is getpgid(2). Uses r7. */
export function isGetpgid(a: Assembler): void {
  a.load("u64", r7, r6, 8).jne(r7, process.arch === "arm64" ? 155 : 121, "out");
}

/** Goes to "out" unless `counts[0][1]`, the test's word, is not 0. Uses r0, r1, r2 and the stack at −4. */
export function onlyWhenTold(a: Assembler): void {
  a.store("u32", r10, -4, 0).mov(r2, r10).add(r2, -4).loadMap(r1, "counts").call("map_lookup_elem");
  a.jeq(r0, 0, "out").load("u64", r1, r0, 8).jeq(r1, 0, "out");
}
