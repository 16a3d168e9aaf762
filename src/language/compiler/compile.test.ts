import { describe, expect, it } from "vitest";
import { recordedTarget } from "../../../test/support/recorded-target.ts";
import type { ObjectSpec } from "../../object/spec/index.ts";
import { withVariables } from "../../object/spec/index.ts";
import { argumentsContext, Machine, packetContext, World } from "../interp/index.ts";
import { compile, DUMPS } from "./compile.ts";

const target = recordedTarget();

function compiled(text: string): ObjectSpec {
  const { spec, diagnostics } = compile({ entry: "a.bpf.ts", files: new Map([["a.bpf.ts", text]]) }, target, {
    paranoid: true,
  });
  expect(diagnostics).toEqual([]);
  return spec as ObjectSpec;
}

/** A tracepoint's context from the bytes of its fields. */
function record(size: number, fields: readonly (readonly [offset: number, value: bigint])[]): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of fields) view.setBigUint64(offset, value, true);
  return bytes;
}

describe("from source to what a program does, in the testing machine", () => {
  it("counts by name", () => {
    const spec = compiled(`
import { counter, comm, str, tracepoint } from "skep/kernel";
export const opens = counter(str(16));
export const onOpen = tracepoint("syscalls:sys_enter_openat", () => { opens.inc(comm()); });`);
    const world = new World({ comm: "bash" });
    const machine = new Machine(spec, { world });
    machine.run("onOpen", record(48, []));
    machine.run("onOpen", record(48, []));
    world.comm = "node";
    machine.run("onOpen", record(48, []));
    expect([...machine.map("opens")]).toEqual([
      ["bash", 2n],
      ["node", 1n],
    ]);
  });

  it("sends events, filtered by a parameter, with texts of the process", () => {
    const spec = compiled(`
import { struct, str, u32, u64, i32, ringbuf, param, tracepoint, pid, uid, comm, ktime, userStr } from "skep/kernel";
export const targetPid = param(u32, 0);
export const Open = struct({ ts: u64, pid: u32, uid: u32, flags: i32, comm: str(16), file: str(256) });
export const opened = ringbuf(Open, { bytes: 1 << 20 });
export const onOpen = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  if (targetPid !== 0 && pid() !== targetPid) return;
  opened.emit({ ts: ktime(), pid: pid(), uid: uid(), flags: i32(ctx.flags), comm: comm(), file: userStr(ctx.filename) });
});`);
    const world = new World({ pid: 42, uid: 7, comm: "cat", now: 1234n });
    const machine = new Machine(withVariables(spec, { targetPid: 42 }), { world });
    const context = record(48, [
      [24, world.user("/etc/hosts")],
      [32, 0xffff_ffffn],
    ]);
    machine.run("onOpen", context);
    world.pid = 43;
    machine.run("onOpen", context);
    expect([...machine.ring("opened").events()]).toEqual([
      { ts: 1234n, pid: 42, uid: 7, flags: -1, comm: "cat", file: "/etc/hosts" },
    ]);
    expect(machine.ring("opened").unwritten).toBe(0);
  });

  it("keeps what one program found for another", () => {
    const spec = compiled(`
import { struct, u32, u64, hash, histogram, tracepoint, ktime } from "skep/kernel";
const Key = struct({ sector: u64, dev: u32 });
const started = hash(Key, u64, { max: 10_240, lru: true });
export const latencyUs = histogram(u32);
export const issue = tracepoint("block:block_rq_issue", (rq) => { started.set({ sector: rq.sector, dev: rq.dev }, ktime()); });
export const complete = tracepoint("block:block_rq_complete", (rq) => {
  const key = { sector: rq.sector, dev: rq.dev };
  const t0 = started.get(key);
  if (t0 === undefined) return;
  latencyUs.record(rq.dev, (ktime() - t0) / 1000);
  started.delete(key);
});`);
    const world = new World({ now: 1_000_000n });
    const machine = new Machine(spec, { world });
    const fields = [
      [8, 8n],
      [16, 77n],
    ] as const;
    machine.run("issue", record(88, fields));
    expect(machine.map("started").size).toBe(1);
    world.now = 1_000_000n + 5_000_000n;
    machine.run("complete", record(48, fields));
    machine.run("complete", record(48, fields));
    expect(machine.map("started").size).toBe(0);
    const [[bucket, count] = []] = [...machine.map("latencyUs")] as [{ key: number; bucket: number }, bigint][];
    // 5000 µs lie between 2^12 and 2^13; bucket 0 is for 0.
    expect([bucket, count]).toEqual([{ key: 8, bucket: 13 }, 1n]);
  });

  it("answers for the kernel, and walks its structs", () => {
    const spec = compiled(`
import { struct, str, u32, i32, u64, bool, hash, ringbuf, lsm, comm, pid, task, kernelStr, EPERM } from "skep/kernel";
export const protectedInodes = hash(u64, bool, { max: 1024 });
export const allowed = hash(str(16), bool, { max: 64 });
export const denied = ringbuf(struct({ pid: u32, ppid: i32, comm: str(16), name: str(64) }));
export const fileOpen = lsm("file_open", (file) => {
  if (!protectedInodes.has(file.f_inode.i_ino)) return 0;
  if (allowed.has(comm())) return 0;
  denied.emit({ pid: pid(), ppid: task().real_parent.tgid, comm: comm(), name: kernelStr(file.f_path.dentry.d_name.name) });
  return -EPERM;
});`);
    const world = new World({ pid: 5, comm: "cat" });
    const machine = new Machine(spec, { world });
    const btf = target.btf as NonNullable<typeof target.btf>;
    world.task = world.kernelStruct(btf, "task_struct", { pid: 5, real_parent: { tgid: 3 } });
    const file = world.kernelStruct(btf, "file", {
      f_inode: { i_ino: 99 },
      f_path: { dentry: { d_name: { name: "secret" } } },
    });
    expect(machine.run("fileOpen", argumentsContext(file)).result).toBe(0);
    machine.map("protectedInodes").set(99n, true);
    expect(machine.run("fileOpen", argumentsContext(file)).result).toBe(-1);
    expect([...machine.ring("denied").events()]).toEqual([{ pid: 5, ppid: 3, comm: "cat", name: "secret" }]);
    machine.map("allowed").set("cat", true);
    expect(machine.run("fileOpen", argumentsContext(file)).result).toBe(0);
  });

  it("goes over structs in arrays, in place and as copies", () => {
    const spec = compiled(`
import { array, global, hash, i32, struct, syscall, u32, u64 } from "skep/kernel";
const Pair = struct({ a: i32, b: u32 });
const Pairs = struct({ list: array(Pair, 3) });
export const own = global(array(Pair, 2), [{ a: -1, b: 2 }, { a: 5, b: 1 }]);
export const kept = hash(u32, Pairs);
export const total = global(u64);
export const run = syscall(Pairs, (ctx) => {
  for (const pair of own.value) {
    total.add(u64(pair.a * 10) + pair.b);
    pair.b += 1;
  }
  for (const pair of ctx.list) total.add(pair.b);
  const found = kept.get(1);
  if (found) for (const pair of found.list) pair.a = 7;
});`);
    const machine = new Machine(spec);
    machine.map("kept").set(1, { list: [0, 1, 2].map((a) => ({ a, b: a })) });
    const context = new Uint8Array(new Int32Array([0, 100, 0, 200, 0, 300]).buffer);
    machine.run("run", context);
    expect(machine.variable("total")).toBe(643n);
    expect(machine.variable("own")).toEqual([
      { a: -1, b: 3 },
      { a: 5, b: 2 },
    ]);
    expect(machine.map("kept").get(1)).toEqual({ list: [0, 1, 2].map((b) => ({ a: 7, b })) });
  });

  it("decides about packets", () => {
    const spec = compiled(`
import { struct, u8, u64, be16, be32, bytes, arrayMap, hash, xdp, XDP } from "skep/kernel";
const Eth = struct({ dst: bytes(6), src: bytes(6), proto: be16 });
const Ipv4 = struct({ vihl: u8, tos: u8, len: be16, id: be16, frag: be16, ttl: u8, proto: u8, csum: be16, src: be32, dst: be32 });
const Ports = struct({ src: be16, dst: be16 });
const Stat = struct({ packets: u64, bytes: u64 });
export const byProto = arrayMap(Stat, 256, { perCpu: true });
export const blocked = hash(be32, u64, { max: 65_536 });
export const filter = xdp((pkt) => {
  const eth = pkt.at(0, Eth);
  if (!eth || eth.proto !== 0x0800) return XDP.PASS;
  const ip = pkt.at(14, Ipv4);
  if (!ip) return XDP.PASS;
  const s = byProto.ref(ip.proto);
  s.packets += 1;
  s.bytes += pkt.length;
  const ports = pkt.at(14 + (ip.vihl & 15) * 4, Ports);
  if (ports && ports.dst === 443) return XDP.TX;
  const hit = blocked.ref(ip.src);
  if (!hit) return XDP.PASS;
  hit.add(1);
  return XDP.DROP;
});`);
    const machine = new Machine(spec, { cpus: 1 });
    const packet = new Uint8Array(14 + 20 + 4);
    packet.set([8, 0], 12);
    packet.set([0x45, 0, 0, 24, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2], 14);
    packet.set([0, 53, 0, 53], 34);
    const verdict = (bytes: Uint8Array) => machine.run("filter", packetContext("xdp", bytes)).result;
    expect(verdict(packet)).toBe(2);
    machine.map("blocked").set(0x0a000001, 5n);
    expect(verdict(packet)).toBe(1);
    expect(machine.map("blocked").get(0x0a000001)).toBe(6n);
    expect(verdict(packet.slice(0, 30))).toBe(2);
    expect(verdict(packet.slice(0, 13))).toBe(2);
    packet.set([1, 187], 36);
    expect(verdict(packet)).toBe(3);
    expect(machine.map("byProto").get(17)).toEqual([{ packets: 3n, bytes: 114n }]);
  });
});

it("shows every stage, with the time that each pass took", () => {
  const files = new Map([
    [
      "a.bpf.ts",
      'import { counter, interval } from "skep/kernel"; export const n = counter(); export const p = interval({ ms: 5 }, () => n.inc());',
    ],
  ]);
  let time = 0;
  const { dumps, timings, spec } = compile({ entry: "a.bpf.ts", files }, target, { now: () => time++, dumps: DUMPS });
  expect(Object.keys(dumps)).toEqual(expect.arrayContaining([...DUMPS.filter((name) => dumps[name] !== undefined)]));
  expect(dumps.ast).toMatch(/VariableDeclaration/);
  expect(dumps.types).toMatch(/map n: perCpuArray\(u32, u64, 1\)/);
  expect(dumps["ssa-opt"]).toMatch(/call helper bpf_map_lookup_elem|global/);
  expect(dumps.asm).toMatch(/exit/);
  expect(dumps.btf).toMatch(/FUNC 'p'/);
  expect(timings.map(({ pass }) => pass)).toEqual(["check", "lower", "optimise", "ranges", "code", "effort", "image"]);
  expect(Object.keys(spec?.programs ?? {})).toEqual(["p"]);
});
