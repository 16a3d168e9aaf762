// What programs see of the world, the same for the kernel, the machine and the evaluator: this process as it is.
import { readFileSync } from "node:fs";
import type { EvaluationWorld } from "../../../src/language/compiler/lower/evaluate-state.ts";
import type { Target } from "../../../src/language/compiler/target.ts";
import { World } from "../../../src/language/interp/index.ts";
import { native } from "../../../src/runtime/sys/index.ts";
import { Assembler, loadObject, r0, r1 } from "../../../src/sdk/index.ts";

export interface Self {
  readonly pid: number;
  readonly tid: number;
  readonly uid: number;
  readonly gid: number;
  readonly comm: string;
  readonly cpu: number;
  readonly cgroupId: bigint;
  readonly numaNode: number;
  readonly parent: number;
}

const SCHED_SETAFFINITY = { x64: 203, arm64: 122 } as const;
const PAGE = 4096;

/** Stays on one CPU from now on: what per-CPU maps hold is then one value. */
export function stayOn(cpu: number): void {
  const mask = new BigUint64Array([1n << BigInt(cpu)]);
  const number = SCHED_SETAFFINITY[process.arch === "arm64" ? "arm64" : "x64"];
  const result = native().syscall(number, 0, 8, mask);
  if (result < 0) throw new Error(`this process cannot stay on CPU ${cpu} (errno ${-result})`);
}

/** Who this thread is, as programs are told. */
export function whoIAm(cpu: number): Self {
  const status = readFileSync("/proc/self/status", "utf8");
  const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S.*)$`, "m").exec(status)?.[1] ?? "";
  return {
    pid: process.pid,
    tid: process.pid,
    uid: Number(field("Uid").split("\t")[0]),
    gid: Number(field("Gid").split("\t")[0]),
    comm: readFileSync("/proc/self/comm", "utf8").trim(),
    cpu,
    cgroupId: answerOf("get_current_cgroup_id"),
    numaNode: Number(answerOf("get_numa_node_id")),
    parent: process.ppid,
  };
}

/** What a helper without arguments says. */
function answerOf(name: "get_current_cgroup_id" | "get_numa_node_id"): bigint {
  const instructions = new Assembler()
    .call(name)
    .loadMapValue(r1, "answer", 0)
    .store("u64", r1, 0, r0)
    .mov(r0, 0)
    .exit()
    .instructions();
  using object = loadObject({
    maps: { answer: { type: "array", keySize: 4, valueSize: 8, maxEntries: 1 } },
    programs: { ask: { type: "raw_tracepoint", license: "GPL", instructions } },
  });
  object.programs.ask.testRun({ context: new Uint8Array(8) });
  const bytes = (object.maps.answer as unknown as { getRaw(key: Uint8Array): Uint8Array }).getRaw(new Uint8Array(4));
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}

/** A world for the machine in which this process runs. */
export function machineWorld(self: Self, target: Target): World {
  const { pid, tid, uid, gid, comm, cpu, cgroupId } = self;
  const world = new World({ pid, tid, uid, gid, comm, cpu, cgroupId, now: 5_000_000_000n, tick: 1000n });
  if (target.btf !== undefined) {
    const parent = { pid: self.parent, tgid: self.parent, comm: "parent" };
    world.task = world.kernelStruct(target.btf, "task_struct", { pid: tid, tgid: pid, comm, real_parent: parent });
  }
  return world;
}

/** The same for the evaluator. */
export function evaluationWorld(self: Self, world: World): EvaluationWorld {
  const numbers: Record<string, () => bigint> = {
    pid: () => BigInt(self.pid),
    tid: () => BigInt(self.tid),
    uid: () => BigInt(self.uid),
    gid: () => BigInt(self.gid),
    cpu: () => BigInt(self.cpu),
    cgroupId: () => self.cgroupId,
    numaNode: () => BigInt(self.numaNode),
    ktime: () => 5_000_000_000n,
    ktimeBoot: () => 5_000_000_000n,
    jiffies: () => 1250n,
    random: () => 0x12345678n,
    task: () => world.task,
    stackId: () => 1n,
  };
  return {
    comm: self.comm,
    helpers: numbers,
    read: (space, address, length) => {
      if (space !== "kernel") return undefined;
      try {
        return world.read(address, length);
      } catch (error) {
        if (error instanceof RangeError) return upToTheEnd(world, address, length);
        throw error;
      }
    },
  };
}

/** What of the bytes there is: a text may end before the room for it does. */
function upToTheEnd(world: World, address: bigint, length: number): Uint8Array | undefined {
  for (let less = Math.min(length, PAGE) - 1; less > 0; less--) {
    try {
      return world.read(address, less);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  return undefined;
}
