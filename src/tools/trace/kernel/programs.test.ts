// The trace programs in the testing machine: what they do is the same for every architecture, where they find it is not.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { argumentsContext, Machine, World } from "../../../language/interp/index.ts";
import { bytes, type MapSpec, type ObjectSpec } from "../../../sdk/index.ts";
import { encodePlans } from "../plan.ts";
import { compileImage } from "./compile-images.ts";
import type { ImageKind } from "./image.ts";
import {
  bucketOf,
  CallRecord,
  CaptureRecord,
  Header,
  LifeRecord,
  RecordFlag,
  RecordKind,
  STATS_SIZE,
  Stats,
} from "./layout.ts";
import { traceMaps } from "./spec.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const sources = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith(".bpf.ts"))
    .map((file) => [file, readFileSync(`${folder}/${file}`, "utf8")]),
);

/** Where `struct pt_regs` has what the programs look at (arch/x86/include/asm/ptrace.h, arch/arm64/include/asm/ptrace.h). */
const MACHINES = {
  x64: {
    size: 168,
    args: [112, 104, 96, 56, 72, 64],
    number: 120,
    fixed: [[136, 0x33]],
    calls: { execve: 59, openat: 257, read: 0, getpid: 39 },
  },
  arm64: {
    size: 288,
    args: [0, 8, 16, 24, 32, 40],
    number: 64,
    fixed: [],
    calls: { execve: 221, openat: 56, read: 63, getpid: 172 },
  },
} as const;
type Arch = keyof typeof MACHINES;

const SKEP = 0xffff_0000_0001_0000n;
const CHILD = 0xffff_0000_0002_0000n;

/** Programs of one kind, with a world in which they run. */
class Traced {
  readonly world = new World({ pid: 100, tid: 101 });
  readonly machine: Machine;
  readonly arch: Arch;
  #registers: bigint;

  constructor(kind: Partial<ImageKind> & Pick<ImageKind, "arch">, params: Readonly<Record<string, unknown>> = {}) {
    const whole = {
      target: "command",
      mode: "calls",
      throughPerf: false,
      general: false,
      compareExchange: true,
    } as const;
    const { spec } = compileImage({ ...whole, ...kind }, sources);
    const known = traceMaps({ maxThreads: 64, ringBytes: 1 << 16 }, true);
    const maps: Record<string, MapSpec> = { ...(spec as ObjectSpec).maps };
    for (const [name, map] of Object.entries(known)) if (Object.hasOwn(maps, name)) maps[name] = map;
    // The statistics as one CPU's bytes.
    if (maps["stats"] !== undefined) maps["stats"] = { ...maps["stats"], value: bytes(STATS_SIZE) } as MapSpec;
    this.arch = kind.arch;
    this.machine = new Machine({ ...(spec as ObjectSpec), maps }, { world: this.world, cpus: 1 });
    for (const [name, value] of Object.entries(params)) this.machine.setVariable(name, value);
    this.#registers = this.world.kernel(new Uint8Array(MACHINES[kind.arch].size));
    if (maps["syscalls"] !== undefined)
      this.machine
        .map("syscalls")
        .set(0, encodePlans(kind.arch, { shown: undefined, files: new Set() }, { shown: new Set(), files: new Set() }));
  }

  /** Skep forks, its child is to be the command. */
  begin(): void {
    this.world.task = SKEP;
    this.machine.run("who", argumentsContext(0, 0));
    this.machine.run("fork", argumentsContext(SKEP, CHILD));
    Object.assign(this.world, { task: CHILD, pid: 200, tid: 200 });
  }

  #set(number: number, args: readonly (bigint | number)[]): void {
    const { size, args: places, number: at, fixed } = MACHINES[this.arch];
    const view = new DataView(new ArrayBuffer(size));
    for (const [i, arg] of args.entries()) view.setBigUint64(places[i] as number, BigInt(arg), true);
    view.setBigUint64(at, BigInt(number), true);
    for (const [place, value] of fixed) view.setBigUint64(place, BigInt(value), true);
    this.world.write(this.#registers, new Uint8Array(view.buffer));
  }

  enter(number: number, ...args: readonly (bigint | number)[]): void {
    this.#set(number, args);
    this.machine.run("enter", argumentsContext(this.#registers, number));
  }

  exit(result: number | bigint): void {
    this.world.now += 1000n;
    this.machine.run("exit", argumentsContext(this.#registers, BigInt.asUintN(64, BigInt(result))));
  }

  call(number: number, result: number, ...args: readonly (bigint | number)[]): void {
    this.enter(number, ...args);
    this.exit(result);
  }

  /** What came into the ring, in the reader's terms. */
  records(): Record<string, unknown>[] {
    const name = Object.fromEntries(Object.entries(RecordKind).map(([key, value]) => [value, key]));
    return this.machine
      .ring<Uint8Array>("events")
      .records()
      .map((record) => {
        const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
        const kind = name[record[0] as number] as keyof typeof RecordKind;
        const flags = record[Header.flags];
        const ids = [view.getUint32(Header.tid, true), view.getUint32(Header.tgid, true)];
        switch (kind) {
          case "call":
          case "unfinished": {
            const nr = view.getUint16(Header.code, true) | (view.getUint16(Header.codeHigh, true) << 16);
            const arg = (i: number) => view.getBigUint64(CallRecord.args + 8 * i, true);
            const ret = Number(view.getBigInt64(CallRecord.ret, true));
            const ns = Number(view.getBigUint64(CallRecord.duration, true));
            return { kind, flags, nr, ret, ns, args: [arg(0), arg(1), arg(2)], ids };
          }
          case "capture": {
            const length = view.getUint32(CaptureRecord.length, true);
            const data = Buffer.from(record.subarray(CaptureRecord.data)).toString("latin1");
            return { kind, flags, arg: record[Header.code], part: record[Header.code + 1], length, data };
          }
          case "exit":
          case "signal":
            return { kind, signal: view.getUint16(Header.code, true), time: view.getBigUint64(LifeRecord.time, true) };
          default:
            return { kind, ids };
        }
      });
  }
}

describe.each(Object.keys(MACHINES) as Arch[])("the trace programs on %s", (arch) => {
  const { calls } = MACHINES[arch];

  it("follow the command from its exec on, with what its arguments point to", () => {
    const traced = new Traced({ arch });
    traced.call(calls.getpid, 1);
    traced.begin();
    // Between fork and exec the child does Skep's own work.
    traced.call(calls.getpid, 200);
    expect(traced.records()).toEqual([]);
    const { world } = traced;
    const path = world.user("/bin/true");
    const argv = new BigUint64Array([world.user("true"), world.user("x".repeat(300)), 0n]);
    traced.call(calls.execve, 0, path, world.user(new Uint8Array(argv.buffer)), 0);
    expect(traced.records()).toMatchObject([
      { kind: "birth", ids: [200, 200] },
      { kind: "capture", arg: 0, data: "/bin/true\0", length: 10 },
      { kind: "capture", arg: 1, part: 0, data: "true\0" },
      { kind: "capture", arg: 1, part: 1, flags: RecordFlag.truncated, length: 256 },
      { kind: "call", nr: calls.execve, ret: 0, ns: 1000, args: [path, expect.anything(), 0n], ids: [200, 200] },
    ]);
  });

  it("read what a call wrote at its end, no more than it gave, and say what is not there", () => {
    const traced = new Traced({ arch });
    traced.begin();
    const { world } = traced;
    traced.call(calls.execve, -2, 0);
    traced.records();
    const buffer = world.user("hello, world");
    traced.call(calls.read, 5, 3, buffer, 100);
    expect(traced.records()).toMatchObject([
      { kind: "capture", arg: 1, data: "hello", length: 5 },
      { kind: "call", nr: calls.read, ret: 5, args: [3n, buffer, 100n] },
    ]);
    // Not resident at entry, and still not at exit.
    const gone = world.user("/etc/gone", { resident: false });
    traced.call(calls.openat, -2, -100, gone, 0);
    expect(traced.records()).toMatchObject([
      { kind: "capture", arg: 1, flags: RecordFlag.fault, data: "" },
      { kind: "call", nr: calls.openat, ret: -2 },
    ]);
    // Longer than a short record: one of its own size.
    const long = `/${"a".repeat(600)}`;
    traced.call(calls.openat, 3, -100, world.user(long), 0);
    expect(traced.records()).toMatchObject([
      { kind: "capture", arg: 1, length: 602, data: expect.stringContaining(`${long}\0`) },
      { kind: "call", ret: 3 },
    ]);
  });

  it("tell of a call that a seccomp filter answered: only its end is seen", () => {
    const traced = new Traced({ arch });
    traced.begin();
    traced.call(calls.execve, 0, 0);
    traced.call(calls.getpid, 200);
    traced.records();
    // The registers are as the caller left them; arm64 keeps the first argument apart, behind pstate.
    traced.enter(calls.getpid);
    traced.exit(200);
    traced.records();
    traced.exit(-1);
    expect(traced.records()).toMatchObject([
      { kind: "call", nr: calls.getpid, flags: RecordFlag.refused, ret: -1, ns: 0 },
    ]);
  });

  it("report the ends of threads, calls that are not over, and signals by their names", () => {
    const traced = new Traced({ arch });
    traced.begin();
    traced.call(calls.execve, 0, 0);
    traced.enter(calls.read, 0, 0, 0);
    traced.records();
    const signal = (number: number, result: number) =>
      traced.machine.run("signal_sent", argumentsContext(number, 0, CHILD, 1, result));
    signal(17, 0);
    signal(15, 0);
    signal(10, 1);
    traced.machine.run("signal", argumentsContext(9, 0, 0));
    traced.machine.run("signal", argumentsContext(9, 0, 0));
    traced.machine.run("thread_exit", argumentsContext(CHILD));
    expect(traced.records()).toMatchObject([
      { kind: "signal", signal: 15 },
      { kind: "unfinished", nr: calls.read, ret: 0 },
      { kind: "exit", signal: 0 },
    ]);
    expect([...traced.machine.map("threads").entries()]).toEqual([]);
  });

  it("leave out what the filters say, by parameters", () => {
    const failed = new Traced({ arch, general: true }, { failedOnly: true });
    failed.begin();
    failed.call(calls.execve, 0, 0);
    for (const result of [5, -2, -5000]) failed.call(calls.getpid, result);
    expect(failed.records().flatMap(({ kind, ret }) => (kind === "call" ? [ret] : []))).toEqual([-2]);
    const slow = new Traced({ arch, general: true }, { minNs: 1500n });
    slow.begin();
    slow.call(calls.execve, 0, 0);
    slow.enter(calls.getpid);
    slow.world.now += 600n;
    slow.exit(7);
    expect(slow.records().flatMap(({ kind, ns }) => (kind === "call" ? [ns] : []))).toEqual([1600]);
  });

  it("take up processes by their ids, as a pid namespace has them, and cgroups", () => {
    const pids = new Traced({ arch, target: "pids", general: true }, { nsDevice: 4n, nsInode: 5n });
    pids.world.namespaced = { dev: 4n, ino: 5n, pid: 7, tid: 8 };
    pids.world.task = CHILD;
    pids.call(calls.getpid, 1);
    expect(pids.records()).toEqual([]);
    pids.machine.map<number, number>("roots").set(7, 1);
    pids.exit(1);
    pids.call(calls.getpid, 2);
    expect(pids.records()).toMatchObject([
      { kind: "call", flags: RecordFlag.resumed, ids: [8, 7], ret: 1 },
      { kind: "call", flags: 0, ids: [8, 7], ret: 2 },
    ]);
    const cgroup = new Traced({ arch, target: "cgroup" });
    cgroup.world.task = CHILD;
    cgroup.call(calls.getpid, 1);
    cgroup.world.underCgroup = (index) => index === 0;
    cgroup.call(calls.getpid, 2);
    expect(cgroup.records()).toMatchObject([
      { kind: "birth", ids: [101, 100] },
      { kind: "call", ret: 2 },
    ]);
  });

  it.each([true, false])("count with -c (compare-and-exchange: %s)", (compareExchange) => {
    const traced = new Traced({ arch, mode: "summary", compareExchange });
    traced.begin();
    traced.call(calls.execve, 0, 0);
    for (const [result, ns] of [
      [1, 100n],
      [-2, 4000n],
      [3, 0n],
    ] as const) {
      traced.enter(calls.getpid);
      traced.world.now += ns;
      traced.exit(result);
    }
    traced.exit(-1);
    traced.enter(calls.read, 0, 0, 0);
    traced.machine.run("thread_exit", argumentsContext(CHILD));
    const row = (nr: number) => {
      const [value] = traced.machine.map<number, Uint8Array[]>("stats").get(nr) as Uint8Array[];
      const view = new DataView((value as Uint8Array).slice().buffer);
      const at = (offset: number) => Number(view.getBigUint64(offset, true));
      let count = 0;
      for (let i = Stats.histogram; i < STATS_SIZE; i += 8) count += at(i);
      return {
        count,
        errors: at(Stats.errors),
        total: at(Stats.total),
        max: at(Stats.max),
        refused: at(Stats.refused),
        unfinished: at(Stats.unfinished),
      };
    };
    expect(row(calls.getpid)).toEqual({ count: 3, errors: 2, total: 7100, max: 5000, refused: 1, unfinished: 0 });
    expect(row(calls.read)).toEqual({ count: 0, errors: 0, total: 0, max: 0, refused: 0, unfinished: 1 });
  });
});

it("-c puts each duration into the bucket that the reader knows", () => {
  const traced = new Traced({ arch: "x64", mode: "summary" });
  const { calls } = MACHINES.x64;
  traced.begin();
  traced.call(calls.execve, 0, 0);
  const row = () => {
    const [value] = traced.machine.map<number, Uint8Array[]>("stats").get(calls.getpid) as Uint8Array[];
    return new BigUint64Array((value as Uint8Array).slice().buffer).subarray(Stats.histogram / 8);
  };
  const durations = [0, 1, 2, 3];
  for (let log = 2; log < 45; log++)
    for (const part of [0, 0.25, 0.49, 0.5, 0.75, 0.99]) durations.push(Math.floor(2 ** log * (1 + part)));
  for (const ns of durations) {
    const before = row();
    traced.enter(calls.getpid);
    // `exit` adds 1000.
    traced.world.now += BigInt(ns) - 1000n;
    traced.exit(0);
    const changed = [...row()].flatMap((count, i) => (count === before[i] ? [] : [i]));
    expect([ns, changed]).toEqual([ns, [bucketOf(ns)]]);
  }
});

it("on Linux 7 the second copy of a program does nothing that the first one did", () => {
  const traced = new Traced({ arch: "x64", throughPerf: true });
  traced.begin();
  traced.machine.run("fork_2", argumentsContext(SKEP, CHILD));
  expect([...traced.machine.map("threads").entries()]).toHaveLength(1);
  // Registers are asked for, as perf's record has none; arguments stand behind the number in it.
  const { calls, args, size } = MACHINES.x64;
  const view = new DataView(new ArrayBuffer(size));
  view.setBigUint64(args[0], 3n, true);
  view.setBigUint64(136, 0x33n, true);
  traced.world.registers = traced.world.kernel(new Uint8Array(view.buffer));
  const record = (number: number, second: bigint) =>
    new Uint8Array(new BigUint64Array([0n, BigInt(number), second]).buffer);
  traced.machine.run("enter_perf", record(calls.execve, 0n));
  traced.machine.run("exit_perf", record(calls.execve, 0n));
  expect(traced.records()).toMatchObject([
    { kind: "birth" },
    { kind: "capture" },
    { kind: "call", nr: calls.execve, args: [3n, 0n, 0n] },
  ]);
});
