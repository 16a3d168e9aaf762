// Programs that note each numbered call of the fixture `numbered`: which of them saw it, and how often. With them a hot
// update is shown to miss no event and to see none twice.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import {
  Assembler,
  type BpfMap,
  isKernelBefore,
  MapFlag,
  MappedArray,
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
  u32,
  u64,
} from "../../src/sdk/index.ts";
import { environment } from "./cli.ts";
import { fixture } from "./fixture.ts";

/** Calls seen, by their number, in a byte each for begin and end; and what each version of the programs counted. */
export const MOST_CALLS = 1 << 21;
const VERSIONS = 4096;

const seen = { type: "array", value: u32, maxEntries: MOST_CALLS, flags: MapFlag.mmapable } as const;
/** How many calls each version saw. */
const versions = { type: "array", value: u64, maxEntries: VERSIONS } as const;
/** Which call a thread is in. */
const under_way = { type: "hash", key: u32, value: u32, maxEntries: 64 } as const;
/** The process that is watched. */
const target = { type: "array", value: u32, maxEntries: 1 } as const;

export const BEGIN = 1;
export const END = 1 << 8;

/** `key` in r7 becomes the address of its value in r0; goes to "out" when it has none. */
function lookUp(a: Assembler, map: string): void {
  a.store("u32", r10, -4, r7).mov(r2, r10).add(r2, -4).loadMap(r1, map).call("map_lookup_elem").jeq(r0, 0, "out");
}

/** Goes to "out" unless the current process is the one that is watched. Its thread's number is in r7 then. */
function onlyTarget(a: Assembler): void {
  a.mov(r7, 0);
  lookUp(a, "target");
  a.load("u32", r6, r0, 0).call("get_current_pid_tgid").mov(r7, r0).rsh(r7, 32).jne(r7, r6, "out").mov32(r7, r0);
}

/** Notes the call whose number is in r7. */
function note(a: Assembler, what: number, version: number): void {
  lookUp(a, "seen");
  a.mov(r1, what).atomicAdd("u32", r0, 0, r1).mov(r7, version);
  lookUp(a, "versions");
  a.mov(r1, 1).atomicAdd("u64", r0, 0, r1);
}

function ends(a: Assembler, result: number) {
  return a.mov(r0, result).exit().label("out").mov(r0, result).exit().instructions();
}

/** getpgid(2), and where struct pt_regs has a call's first argument. */
const [GETPGID, ARGUMENT] = process.arch === "arm64" ? [155, 0] : [121, 112];
/**
 * Raw tracepoints need no tracefs, and have BPF links on all kernels. Since Linux 7 those of system calls can be preempted, and
 * the kernel then skips the program for other threads: there the others are used.
 */
const TRACEFS = existsSync("/sys/kernel/tracing/events") && !isKernelBefore("6.16");

/** Programs that see getpgid(2) begin and end, as the `version`th of them. The number is kept from begin to end. */
export function pairSpec(version: number) {
  const begin = new Assembler();
  if (TRACEFS) {
    // struct trace_event_raw_sys_enter: the first argument at 16.
    begin.load("u32", r6, r1, 16).store("u32", r10, -8, r6);
  } else {
    begin.load("u64", r3, r1, 8).jne(r3, GETPGID, "out").load("u64", r3, r1, 0).add(r3, ARGUMENT);
    begin.mov(r1, r10).add(r1, -8).mov(r2, 4).call("probe_read_kernel");
  }
  onlyTarget(begin);
  begin.store("u32", r10, -4, r7).mov(r2, r10).add(r2, -4).mov(r3, r10).add(r3, -8).mov(r4, 0);
  begin.loadMap(r1, "under_way").call("map_update_elem").load("u32", r7, r10, -8);
  note(begin, BEGIN, version);
  const end = new Assembler();
  onlyTarget(end);
  lookUp(end, "under_way");
  end.load("u32", r8, r0, 0).mov(r2, r10).add(r2, -4).loadMap(r1, "under_way").call("map_delete_elem").mov(r7, r8);
  note(end, END, version);
  const program = (a: Assembler, at: "enter" | "exit"): ProgramSpec => ({
    type: TRACEFS ? "tracepoint" : "raw_tracepoint",
    license: "GPL",
    attachTo: TRACEFS ? `syscalls/sys_${at}_getpgid` : `sys_${at}`,
    instructions: ends(a, 0),
  });
  return {
    maps: { seen, versions, under_way, target },
    programs: { begin: program(begin, "enter"), end: program(end, "exit") },
  } as const satisfies ObjectSpec;
}

/** A program of a cgroup that sees connect(2), as the `version`th of them. */
export function connectSpec(version: number) {
  const a = new Assembler();
  // struct bpf_sock_addr: user_ip4 at 4, in the network's order.
  a.load("u32", r6, r1, 4).toBe(r6, 32).mov(r7, r6).and32(r7, 0xff_ffff);
  note(a, BEGIN, version);
  const connect: ProgramSpec = {
    type: "cgroup_sock_addr",
    expectedAttachType: "cgroup_inet4_connect",
    license: "GPL",
    instructions: ends(a, 1),
  };
  return { maps: { seen, versions }, programs: { connect } } as const satisfies ObjectSpec;
}

/** The fixture, waiting to begin. */
export class NumberedCalls {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #output: Buffer[] = [];

  constructor(kind: "getpgid" | "connect", count: number, perSecond: number) {
    const args = [kind, String(count), String(perSecond)];
    this.#child = spawn(fixture("numbered"), args, { stdio: ["pipe", "pipe", "inherit"], env: environment() });
    this.#child.stdout?.on("data", (chunk: Buffer) => this.#output.push(chunk));
    this.pid = this.#child.pid as number;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  begin(): void {
    this.#child.stdin?.end();
  }

  /** Waits for its end; how many seconds the calls took. */
  async end(): Promise<number> {
    if (!this.ended) await once(this.#child, "close");
    return Number(Buffer.concat(this.#output));
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** The numbers of calls that were not noted just as `expected`. */
export function unexpected(map: BpfMap, count: number, expected: number): readonly string[] {
  const mapped = new MappedArray(map, u32);
  try {
    const wrong: string[] = [];
    for (let number = 1; number <= count && wrong.length < 20; number++) {
      const noted = mapped.get(number) ?? 0;
      if (noted !== expected) wrong.push(`${number}: begin ${noted & 0xff}, end ${noted >> 8}`);
    }
    return wrong;
  } finally {
    mapped.close();
  }
}
