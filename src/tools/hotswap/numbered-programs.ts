import {
  Assembler,
  isKernelBefore,
  MapFlag,
  type ObjectSpec,
  type ProgramSpec,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r7,
  r8,
  r10,
  struct,
  tracefsRoot,
  u32,
  u64,
} from "../../sdk/index.ts";

/** As many numbered calls as the programs have room for, and as many versions of themselves. */
export const MOST_CALLS = 1 << 21;
export const MOST_VERSIONS = 4096;

/** What is noted of a call: a begin counts in the low byte, an end in the next. */
export const BEGIN = 1;
export const END = 1 << 8;

/** The calls that programs have seen, by their number. */
const seen = { type: "array", value: u32, maxEntries: MOST_CALLS, flags: MapFlag.mmapable } as const;
/** What each version saw: how often, and when first (nanoseconds of CLOCK_MONOTONIC). */
const versions = { type: "array", value: struct({ count: u64, first: u64 }), maxEntries: MOST_VERSIONS } as const;
/** Which call a thread is in. */
const under_way = { type: "hash", key: u32, value: u32, maxEntries: 64 } as const;
/** The process that is watched. */
const target = { type: "array", value: u32, maxEntries: 1 } as const;

/** System calls whose first argument carries a number, above so many bits. */
const CALLS = {
  getpgid: { number: process.arch === "arm64" ? 155 : 121, shift: 0 },
  umask: { number: process.arch === "arm64" ? 166 : 95, shift: 9 },
} as const;

/** Where struct pt_regs has a call's first argument. */
const ARGUMENT = process.arch === "arm64" ? 0 : 112;

/**
 * Programs that note when numbered calls of one process begin and end, as the `version`th of them; a call's number is carried
 * from its begin to its end in a map. On raw tracepoints, which need no tracefs and have BPF links on all kernels; since
 * Linux 7 those of system calls can be preempted, and the kernel then skips a program for other threads: there perf's are used.
 */
export function pairSpec(version: number, call: keyof typeof CALLS) {
  const perf = tracefsRoot() !== undefined && !isKernelBefore("7.0");
  const { number, shift } = CALLS[call];
  const begin = new Assembler();
  if (perf) {
    // struct trace_event_raw_sys_enter: the first argument at 16.
    begin.load("u32", r6, r1, 16);
  } else {
    begin.load("u64", r3, r1, 8).jne(r3, number, "out").load("u64", r3, r1, 0).add(r3, ARGUMENT);
    begin.mov(r1, r10).add(r1, -8).mov(r2, 4).call("probe_read_kernel").load("u32", r6, r10, -8);
  }
  begin.rsh32(r6, shift).store("u32", r10, -8, r6);
  onlyTarget(begin);
  begin.store("u32", r10, -4, r7).mov(r2, r10).add(r2, -4).mov(r3, r10).add(r3, -8).mov(r4, 0);
  begin.loadMap(r1, "under_way").call("map_update_elem").load("u32", r7, r10, -8);
  noteCall(begin, BEGIN, version);
  const end = new Assembler();
  onlyTarget(end);
  lookUp(end, "under_way");
  end.load("u32", r8, r0, 0).mov(r2, r10).add(r2, -4).loadMap(r1, "under_way").call("map_delete_elem").mov(r7, r8);
  noteCall(end, END, version);
  const program = (a: Assembler, at: "enter" | "exit"): ProgramSpec => ({
    type: perf ? "tracepoint" : "raw_tracepoint",
    license: "GPL",
    attachTo: perf ? `syscalls/sys_${at}_${call}` : `sys_${at}`,
    instructions: ending(a, 0),
  });
  return {
    maps: { seen, versions, under_way, target },
    programs: { begin: program(begin, "enter"), end: program(end, "exit") },
  } as const satisfies ObjectSpec;
}

/** The maps of programs that only note when calls begin. */
export const noteMaps = { seen, versions } as const;

/** Notes the call whose number is in r7, as seen by `version`. Leaves no register as it was. */
export function noteCall(a: Assembler, what: number, version: number): void {
  lookUp(a, "seen");
  a.mov(r1, what).atomicAdd("u32", r0, 0, r1).mov(r7, version);
  lookUp(a, "versions");
  a.mov(r8, r0).mov(r1, 1).atomicAdd("u64", r8, 0, r1).load("u64", r1, r8, 8).jne(r1, 0, "out");
  a.call("ktime_get_ns").store("u64", r8, 8, r0);
}

/** The end of a program, with the place where it goes to when there is nothing to note. */
export function ending(a: Assembler, result: number): ProgramSpec["instructions"] {
  return a.label("out").mov(r0, result).exit().instructions();
}

/** Puts the address of the value whose key is in r7 into r0; goes to "out" when there is none. */
function lookUp(a: Assembler, map: string): void {
  a.store("u32", r10, -4, r7).mov(r2, r10).add(r2, -4).loadMap(r1, map).call("map_lookup_elem").jeq(r0, 0, "out");
}

/** Goes to "out" unless the current process is the one that is watched. Its thread's number is in r7 then. */
function onlyTarget(a: Assembler): void {
  a.mov(r7, 0);
  lookUp(a, "target");
  a.load("u32", r6, r0, 0).call("get_current_pid_tgid").mov(r7, r0).rsh(r7, 32).jne(r7, r6, "out").mov32(r7, r0);
}
