import { Assembler, type Instruction, r0, r1, r10 } from "../../../object/asm/index.ts";
import { BpfAttr, Fd, judge, missingCapabilities, type ProbeResult } from "../../sys/index.ts";
import { attemptLoad } from "./attempt.ts";

const MANY = 4097;

/** What the verifier and the instruction set can do: one small program each. */
const PROGRAMS: readonly (readonly [name: string, since: string, code: (a: Assembler) => Assembler])[] = [
  ["bpf-to-bpf calls", "4.16", (a) => a.callLocal("f").exit().label("f").mov(r0, 0).exit()],
  [
    "more than 4096 instructions",
    "5.2",
    (a) => {
      for (let i = 0; i < MANY; i++) a.mov(r0, 0);
      return a.exit();
    },
  ],
  ["32-bit jumps (cpu v3)", "5.1", (a) => a.mov(r0, 0).jeq32(r0, 0, "end").label("end").exit()],
  ["bounded loops", "5.3", (a) => a.mov(r0, 10).label("loop").sub(r0, 1).jne(r0, 0, "loop").exit()],
  [
    "atomics with fetch (cmpxchg)",
    "5.12",
    (a) => a.mov(r0, 0).mov(r1, 1).store("u64", r10, -8, 0).cmpxchg("u64", r10, -8, r1).mov(r0, 0).exit(),
  ],
  [
    "sign extension, bswap, long jumps (cpu v4)",
    "6.6",
    (a) => a.mov(r1, 1).movsx8(r0, r1).bswap(r0, 16).ja32("end").label("end").mov(r0, 0).exit(),
  ],
  ["may_goto loops", "6.9", (a) => a.mov(r0, 0).label("loop").mayGoto("end").ja("loop").label("end").exit()],
  [
    "load-acquire, store-release",
    "6.15",
    (a) =>
      a.store("u64", r10, -8, 0).loadAcquire("u64", r0, r10, -8).storeRelease("u64", r10, -8, r0).mov(r0, 0).exit(),
  ],
];

const ARRAY = 2;
const MMAPABLE = 1 << 10;
const BAD_FD = 0xffff_ffff;
const EBADF = 9;
const STRANGER =
  "Without CAP_BPF and CAP_PERFMON the verifier takes only simple programs: whether others can have it is not known.";

/** bpf(2) commands that are asked with a descriptor that does not exist: EBADF comes from a kernel that knows them. */
const COMMANDS = [
  ["reading maps in batches", "5.6", "BPF_MAP_LOOKUP_BATCH", 36],
  ["BPF links", "5.7", "BPF_LINK_CREATE", 0],
] as const;

/** Features of the verifier, the instruction set and bpf(2) itself. Programs are loaded, never attached or run. */
export function probeVerifier(): ProbeResult[] {
  const unprivileged = missingCapabilities(["CAP_BPF", "CAP_PERFMON"]).length > 0;
  const results = PROGRAMS.map(([name, since, write]): ProbeResult => {
    const instructions: readonly Instruction[] = write(new Assembler()).instructions();
    const result = judge(name, attemptLoad({ type: "socket_filter", instructions }).errno, since, ["CAP_BPF"]);
    // Where anyone may load socket filters (unprivileged_bpf_disabled 0) the verifier allows a stranger much less.
    return result.status === "unsupported" && unprivileged
      ? { ...result, status: "unknown", reason: STRANGER }
      : result;
  });
  const array = new BpfAttr().u32(0, ARRAY).u32(4, 4).u32(8, 8).u32(12, 1).u32(16, MMAPABLE).call("BPF_MAP_CREATE");
  if (array >= 0) new Fd(array, "trial map").close();
  results.push(judge("arrays mapped into memory", Math.max(0, -array), "5.5", ["CAP_BPF"]));
  for (const [name, since, command, fdAt] of COMMANDS) {
    const result = new BpfAttr().u32(fdAt, BAD_FD).call(command);
    results.push(judge(name, result === -EBADF ? 0 : -result, since, ["CAP_BPF"]));
  }
  return results;
}
