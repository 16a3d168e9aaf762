import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { str, struct, u32, u64 } from "../../object/codec/index.ts";
import { type ObjectSpec, readObject, withVariables } from "../../object/spec/index.ts";
import {
  argumentsContext,
  layoutContext,
  Machine,
  MapOfMachineMaps,
  PerfMachineMap,
  packetContext,
  registersContext,
  World,
} from "./index.ts";

// Objects that clang made, as they are: what runs in kernels in test/kernel/examples.test.ts runs here with no kernel.
const object = (name: string, variables: Readonly<Record<string, unknown>> = {}): ObjectSpec =>
  withVariables(readObject(readFileSync(new URL(`../../../examples/${name}.bpf.o`, import.meta.url))), variables);

describe("objects of clang in the machine", () => {
  it("count system calls in a hash", () => {
    const world = new World({ pid: 42 });
    const machine = new Machine(object("calls", { pid: 42 }), { world });
    for (const number of [0, 1, 1, 257]) machine.run("count", argumentsContext(0, number));
    world.pid = 43;
    machine.run("count", argumentsContext(0, 1));
    expect(new Map(machine.map("calls").entries())).toEqual(
      new Map([
        [0n, 1n],
        [1n, 2n],
        [257n, 1n],
      ]),
    );
  });

  it("read paths of user memory at a tracepoint", () => {
    const world = new World({ pid: 42 });
    const machine = new Machine(object("tracepoint", { pid: 42 }), { world });
    const open = (path: bigint) => machine.run("on_open", argumentsContext(0, 257, 0, path));
    const hosts = world.user("/etc/hosts");
    open(hosts);
    open(hosts);
    open(world.user("/swapped", { resident: false }));
    open(0n);
    expect([...machine.map("opened").entries()]).toEqual([
      ["/etc/hosts", 2n],
      ["", 2n],
    ]);
  });

  it("follow the kernel's pointers, in structs laid out from BTF", () => {
    const world = new World({ pid: 42 });
    const spec = object("kprobe", { pid: 42 });
    const machine = new Machine(spec, { world });
    if (spec.btf === undefined) throw new Error("the object has types");
    const file = world.kernelStruct(spec.btf, "file", { f_path: { dentry: { d_name: { name: "passwd" } } } });
    machine.run("on_read", registersContext({ arch: "x64", arguments: [file, 0, 100] }));
    machine.run("on_read", registersContext({ arch: "x64", arguments: [file, 0, 20] }));
    expect([...machine.map("wanted").entries()]).toEqual([["passwd", 120n]]);
  });

  it("parse packets", () => {
    const machine = new Machine(object("xdp", { port: 53 }));
    const packet = (port: number, length = 42) => {
      const bytes = new Uint8Array(length);
      bytes.set([0x08, 0x00, 0x45], 12);
      if (length >= 42) bytes.set([port >> 8, port & 255], 36);
      bytes[23] = 17;
      return packetContext("xdp", bytes);
    };
    const [XDP_DROP, XDP_PASS] = [1, 2];
    expect(machine.run("filter", packet(53)).result).toBe(XDP_DROP);
    expect(machine.run("filter", packet(54)).result).toBe(XDP_PASS);
    expect(machine.run("filter", packet(53, 41)).result).toBe(XDP_PASS);
    expect([machine.variable("passed"), machine.variable("dropped")]).toEqual([1n, 1n]);
  });

  it("refuse in an LSM hook", () => {
    const world = new World({ pid: 42 });
    const spec = object("lsm", { pid: 42, inode: 7n });
    const machine = new Machine(spec, { world });
    if (spec.btf === undefined) throw new Error("the object has types");
    const file = (i_ino: number) =>
      world.kernelStruct(spec.btf as NonNullable<typeof spec.btf>, "file", { f_inode: { i_ino } });
    const open = (address: bigint, before = 0) => machine.run("on_open", argumentsContext(address, before)).result;
    expect(open(file(7))).toBe(-1);
    expect(open(file(8))).toBe(0);
    expect(open(file(7), -13)).toBe(-13);
    // A pointer to nothing reads as zero, as it does in the kernel.
    expect(open(0n)).toBe(0);
    expect(machine.variable("refused")).toBe(1n);
    machine.setVariable("refused", 5n);
    open(file(7));
    expect(machine.variable("refused")).toBe(6n);
  });

  it("write lines as iterators", () => {
    const world = new World();
    const spec = object("iterator", { pid: 5 });
    const machine = new Machine(spec, { world });
    if (spec.btf === undefined) throw new Error("the object has types");
    const meta = world.kernelStruct(spec.btf, "bpf_iter_meta", {});
    const task = { pid: 6, tgid: 5, comm: "worker", nvcsw: 11, nivcsw: 2 };
    const step = (address: bigint) => machine.run("show", argumentsContext(meta, address)).output;
    expect(step(world.kernelStruct(spec.btf, "task_struct", task))).toBe(
      "6 worker: waited 11 times, was interrupted 2 times\n",
    );
    expect(step(world.kernelStruct(spec.btf, "task_struct", { ...task, tgid: 4 }))).toBe("");
    expect(step(0n)).toBe("");
  });

  it("look maps up in maps", () => {
    const machine = new Machine(object("map-in-map", { pid: 42 }), { world: new World({ pid: 42 }) });
    const count = () => machine.run("count", argumentsContext(0, 9)).result;
    // Nothing is in the slot.
    expect(count()).toBe(0);
    const current = machine.maps["current"];
    if (!(current instanceof MapOfMachineMaps)) throw new Error("it is a map of maps");
    const window = machine.createMap("window", { type: "hash", key: u64, value: u64, maxEntries: 4 });
    current.set(0, window);
    count();
    count();
    expect([...window.entries()]).toEqual([[9n, 2n]]);
    expect(current.get(0)).toBe(window);
  });

  it("send texts through rings, and count what the ring has no room for", () => {
    const world = new World();
    const machine = new Machine(object("uprobe"), { world });
    const path = world.user("/usr/share/dict/words");
    const context = registersContext({ arch: "x64", arguments: [0, 0, path] });
    machine.run("on_open", context);
    const paths = machine.ring("paths");
    expect(paths.events(str(64))).toEqual(["/usr/share/dict/words"]);
    // What probe_read_user_str left behind the NUL.
    expect(paths.unwritten).toBe(64 - 22);
    for (let i = 0; i < 1000; i++) machine.run("on_open", context);
    expect(paths.dropped).toBe(1000 - Math.floor(65535 / 72));
    expect(machine.variable("dropped")).toBe(BigInt(paths.dropped));
    expect(paths.records()).toHaveLength(1000 - paths.dropped);
    expect(paths.used).toBe(0);
  });

  it("send records through perf buffers", () => {
    const machine = new Machine(object("perf-buffer", { pid: 42 }), { world: new World({ pid: 42, tid: 43, cpu: 1 }) });
    const NewTask = struct({ common: u64, pid: u32, name: str(16) });
    machine.run("on_start", layoutContext(NewTask, { common: 0n, pid: 44, name: "worker" }));
    const events = machine.maps["events"];
    if (!(events instanceof PerfMachineMap)) throw new Error("it is a perf buffer");
    const [record, ...others] = events.records();
    expect(others).toEqual([]);
    expect(record?.cpu).toBe(1);
    expect([...(record?.bytes ?? [])]).toEqual([
      43,
      0,
      0,
      0,
      44,
      0,
      0,
      0,
      ...new TextEncoder().encode("worker"),
      ...new Array(10).fill(0),
    ]);
  });

  it("print", () => {
    const world = new World({ pid: 42 });
    const machine = new Machine(object("printk", { pid: 42 }), { world });
    machine.run("on_kill", argumentsContext(0, 62, 100, 15));
    expect(world.printed).toEqual(["signal 15 for 100"]);
  });

  it("change their contexts where they may", () => {
    const machine = new Machine(object("cgroup-connect", { port: 8080 }));
    const address = new Uint8Array(72);
    address.set([192, 0, 2, 1], 4);
    expect(machine.run("on_connect", address).result).toBe(1);
    expect([...address.subarray(4, 8)]).toEqual([127, 0, 0, 1]);
    expect([...address.subarray(24, 26)]).toEqual([0x1f, 0x90]);
  });
});
