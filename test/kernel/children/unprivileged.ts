// Does many things that need rights, and prints how each went as JSON by name: null, or the error. Run as another user with
// some capabilities (unprivileged.test.ts), in namespaces of its own: the first argument is a folder of a bpffs that this user
// may write to, the second a cgroup that this process is in, the third a process of root's. Those behind it are the names of
// what is to be done.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import {
  Assembler,
  attachCgroup,
  attachIterator,
  attachKprobe,
  attachKprobeMulti,
  attachKretprobe,
  attachKsyscall,
  attachNetfilter,
  attachNetns,
  attachPerfEvent,
  attachRawTracepoint,
  attachTc,
  attachTcx,
  attachTracepoint,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  attachXdp,
  createMap,
  enableStats,
  findBinary,
  installObject,
  type Link,
  linkIds,
  loadedBtf,
  loadObject,
  MappedArray,
  type MapSpec,
  mapDetails,
  mapIds,
  type ObjectSpec,
  openFds,
  openLink,
  openMap,
  openPinnedLink,
  openPinnedMap,
  openPinnedProgram,
  openProgram,
  PerfBufferReader,
  type Program,
  programIds,
  queryPrograms,
  RingBufferReader,
  r0,
  r1,
  r2,
  r3,
  r10,
  TracePipe,
  trackFds,
  u32,
  u64,
  uninstallObject,
} from "../../../src/sdk/index.ts";
import { type Counting, countingObject, GETPGID_FUNCTION, isGetpgid } from "../../support/attach-programs.ts";
import { fixture as programFixture } from "../../support/fixture.ts";
import { fixture } from "../../support/objects.ts";
import { callGetpgid } from "../../support/probe-programs.ts";
import { loopback, openSocket, socketCall } from "../../support/raw-socket.ts";
import { countsOf, perfSpec, ringSpec, type Sender, Sent, send } from "../../support/senders.ts";

trackFds();
const [, , folder = "", cgroup = "", rootPid = "", ...names] = process.argv;

/** A program that counts, attached while `act` runs: it must have counted something, and nothing before. */
function counts(options: Counting, attach: (program: Program) => Link, act: () => void = () => callGetpgid(5)): void {
  using object = loadObject(countingObject(options));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  act();
  assert.equal(count(), 0);
  {
    using _link = attach(object.programs.p);
    act();
  }
  assert.ok(count() > 0, "nothing was counted");
}

const packet = { own: false } as const;
const sendPacket = () => {
  using receiver = openSocket("inet4");
  using sender = openSocket("inet4");
  socketCall("bind", receiver, [loopback("inet4", 9999), 16]);
  for (let i = 0; i < 3; i++) socketCall("sendto", sender, [new Uint8Array(4), 4, 0, loopback("inet4", 9999), 16]);
};
const connectPacket = () => {
  using socket = openSocket("inet4");
  socketCall("connect", socket, [loopback("inet4", 9999), 16]);
};
const runProbed = () => {
  assert.equal(spawnSync(programFixture("probed"), { input: "a\nb\n" }).status, 0);
};
const onSysEnter = { type: "raw_tracepoint", when: isGetpgid } as const;
const rawTracepoint = (program: Program) => attachRawTracepoint(program, "sys_enter");

/** A map of each main type, with what can be done to it. */
const MAPS: Readonly<Record<string, MapSpec>> = {
  hash: { type: "hash", key: u32, value: u64, maxEntries: 4 },
  array: { type: "array", value: u64, maxEntries: 4 },
  percpu_hash: { type: "percpu_hash", key: u32, value: u64, maxEntries: 4 },
  percpu_array: { type: "percpu_array", value: u64, maxEntries: 4 },
  lru_hash: { type: "lru_hash", key: u32, value: u64, maxEntries: 64 },
  lpm_trie: { type: "lpm_trie", keySize: 8, valueSize: 8, maxEntries: 4, flags: 1 },
  queue: { type: "queue", value: u64, maxEntries: 4 },
  stack: { type: "stack", value: u64, maxEntries: 4 },
  ringbuf: { type: "ringbuf", maxEntries: 4096 },
  perf_event_array: { type: "perf_event_array", maxEntries: 4 },
  prog_array: { type: "prog_array", maxEntries: 4 },
  stack_trace: { type: "stack_trace", keySize: 4, valueSize: 80, maxEntries: 4 },
  cgroup_array: { type: "cgroup_array", maxEntries: 4 },
  array_of_maps: {
    type: "array_of_maps",
    maxEntries: 4,
    inner: { type: "array", value: u64, maxEntries: 1 },
  },
};

const networkMap = (type: "sockmap" | "devmap" | "xskmap") => () =>
  createMap({ type, keySize: 4, valueSize: 4, maxEntries: 4 }, type).close();

function useMaps(): void {
  for (const [name, spec] of Object.entries(MAPS)) {
    using map = createMap(spec, name);
    assert.equal(mapDetails(map).type, spec.type);
  }
  using hash = createMap({ type: "hash", key: u32, value: u64, maxEntries: 64 }, "values");
  hash.setMany([
    [1, 1n],
    [2, 4n],
  ]);
  assert.equal(hash.delete(2), true);
  assert.equal(hash.get(1), 1n);
  using mapped = createMap({ type: "array", value: u64, maxEntries: 4, flags: 1 << 10 }, "mapped");
  using memory = new MappedArray(mapped, u64);
  memory.set(1, 7n);
  assert.equal(mapped.get(1), 7n);
}

function readEvents(spec: ReturnType<typeof ringSpec> | ReturnType<typeof perfSpec>): void {
  using sender = loadObject(spec as ObjectSpec) as unknown as Sender & Disposable;
  const events = sender.maps.events;
  using reader = events.info.type === "ringbuf" ? RingBufferReader.of(events, Sent) : PerfBufferReader.of(events, Sent);
  send(sender, 100);
  assert.equal(
    reader.consume(() => {}),
    100,
  );
  assert.deepEqual(countsOf(sender), { attempted: 100, refused: 0 });
}

function testRun(): void {
  using object = loadObject(fixture("globals.el"));
  const program = object.programs["count"] as Program;
  assert.equal(program.testRun({ data: new Uint8Array(64), repeat: 10 }).retval, 7);
  assert.equal(object.variables["runs"]?.get(), 10n);
  object.variables["limit"]?.set(9);
  assert.equal(program.details().type, "socket_filter");
}

async function replace(): Promise<void> {
  const spec = (step: number) => countingObject({ ...onSysEnter, section: "raw_tp/sys_enter", step });
  using object = loadObject(spec(1), { replaceable: true });
  object.attach();
  callGetpgid(3);
  const { kept } = await object.replace(spec(100));
  assert.deepEqual(kept, ["counts"]);
  callGetpgid(2);
  assert.equal(object.maps.counts.get(0)?.[0], 203n);
}

function pin(): void {
  using object = loadObject(countingObject(onSysEnter));
  using link = rawTracepoint(object.programs.p);
  object.maps.counts.pin(`${folder}/map`);
  object.programs.p.pin(`${folder}/program`);
  // Links of raw tracepoints can be pinned since Linux 5.7.
  link.pin(`${folder}/link`);
  openPinnedMap(`${folder}/map`).close();
  openPinnedProgram(`${folder}/program`).close();
  openPinnedLink(`${folder}/link`).close();
  for (const one of [object.maps.counts, object.programs.p.pins, link]) one.unpin();
  assert.ok(!existsSync(`${folder}/map`) && !existsSync(`${folder}/program`) && !existsSync(`${folder}/link`));
}

async function install(): Promise<void> {
  const place = `${folder}/installed`;
  const spec = countingObject({
    ...packet,
    type: "cgroup_sock_addr",
    expectedAttachType: "cgroup_inet4_connect",
    result: 1,
  });
  for (const expected of [undefined, ["counts"]]) {
    using installed = await installObject(place, spec, { attach: { cgroup } });
    assert.deepEqual(installed.replaced?.kept, expected);
  }
  uninstallObject(place);
}

/** What an extern that is an address needs. */
function kernelSymbol(): void {
  const spec = { ...fixture("globals.el"), externs: { schedule: { kind: "symbol" } } } as unknown as ObjectSpec;
  loadObject(spec).close();
}

const kprobe = { type: "kprobe" } as const;
const multi = { type: "kprobe", expectedAttachType: "trace_kprobe_multi" } as const;
const fentry = { type: "tracing", expectedAttachType: "trace_fentry", attachTo: GETPGID_FUNCTION } as const;
const uprobe = { ...kprobe, own: false };
const uprobeMulti = { ...uprobe, expectedAttachType: "trace_uprobe_multi" } as const;
const place = () => ({ path: programFixture("probed"), symbol: "probed" });
const tc = { ...packet, type: "sched_cls" } as const;

const DEEDS: Readonly<Record<string, () => void | Promise<void>>> = {
  maps: useMaps,
  ring: () => readEvents(ringSpec(4096 * 4)),
  perfBuffer: () => readEvents(perfSpec(64)),
  testRun,
  replace,
  pin,
  install,
  rawTracepoint: () => counts(onSysEnter, rawTracepoint),
  tpBtf: () =>
    counts({ ...onSysEnter, type: "tracing", expectedAttachType: "trace_raw_tp", attachTo: "sys_enter" }, (program) =>
      attachTracing(program),
    ),
  tracepoint: () =>
    counts({ type: "tracepoint" }, (program) => attachTracepoint(program, "syscalls:sys_enter_getpgid")),
  perfEvent: () =>
    counts(
      { type: "perf_event" },
      (program) => attachPerfEvent(program, { event: "taskClock", period: 10_000, pid: process.pid }),
      () => {
        const end = performance.now() + 100;
        while (performance.now() < end) callGetpgid(1);
      },
    ),
  uprobe: () => counts(uprobe, (program) => attachUprobe(program, place()), runProbed),
  uprobeMulti: () =>
    counts(
      uprobeMulti,
      (program) => attachUprobeMulti(program, { path: place().path, symbols: ["probed"] }),
      runProbed,
    ),
  iterator: () => {
    using object = loadObject(
      countingObject({ type: "tracing", expectedAttachType: "trace_iter", attachTo: "task", own: false }),
    );
    using link = attachIterator(object.programs.p);
    link.read();
    assert.ok(Number(object.maps.counts.get(0)?.[0]) > 0);
  },
  kprobe: () => counts(kprobe, (program) => attachKprobe(program, GETPGID_FUNCTION)),
  kretprobe: () => counts(kprobe, (program) => attachKretprobe(program, GETPGID_FUNCTION)),
  ksyscall: () => counts(kprobe, (program) => attachKsyscall(program, "getpgid")),
  kprobeMulti: () => counts(multi, (program) => attachKprobeMulti(program, { symbols: [GETPGID_FUNCTION] })),
  fentry: () => counts(fentry, (program) => attachTracing(program)),
  lsm: () => loadObject(countingObject({ type: "lsm", expectedAttachType: "lsm_mac", attachTo: "file_open" })).close(),
  cgroup: () =>
    counts(
      { ...packet, type: "cgroup_sock_addr", expectedAttachType: "cgroup_inet4_connect", result: 1 },
      (program) => attachCgroup(program, cgroup),
      connectPacket,
    ),
  xdp: () =>
    counts(
      { ...packet, type: "xdp", result: 2, expectedAttachType: "xdp" },
      (program) => attachXdp(program, "lo", { mode: "skb" }),
      sendPacket,
    ),
  tc: () => counts(tc, (program) => attachTc(program, "lo", "ingress"), sendPacket),
  tcx: () => counts({ ...tc, result: -1 }, (program) => attachTcx(program, "lo", "ingress"), sendPacket),
  netfilter: () =>
    counts(
      { ...packet, type: "netfilter", expectedAttachType: "netfilter", result: 1 },
      (program) => attachNetfilter(program, { family: "ipv4", hook: "input", priority: -10 }),
      sendPacket,
    ),
  netns: () => {
    using object = loadObject(
      countingObject({ ...packet, type: "sk_lookup", expectedAttachType: "sk_lookup", result: 1 }),
    );
    attachNetns(object.programs.p).close();
  },
  sockmap: networkMap("sockmap"),
  devmap: networkMap("devmap"),
  xskmap: networkMap("xskmap"),
  query: () => void queryPrograms({ cgroup, attachType: "cgroup_inet4_connect" }),
  mapIds: () => void [...mapIds()],
  programIds: () => void [...programIds()],
  linkIds: () => void [...linkIds()],
  openMap: () => {
    using map = createMap(MAPS["hash"] as MapSpec, "own");
    openMap(mapDetails(map).id).close();
  },
  openProgram: () => {
    using object = loadObject(countingObject(onSysEnter));
    openProgram(object.programs.p.details().id).close();
  },
  openLink: () => {
    using object = loadObject(countingObject(onSysEnter));
    using link = rawTracepoint(object.programs.p);
    openLink(link.details().id).close();
  },
  loadedBtf: () => void loadedBtf(1),
  enableStats: () => enableStats().close(),
  kernelSymbol,
  writeUser: () => {
    const a = new Assembler().store("u64", r10, -8, 0).mov(r1, 0).mov(r2, r10).add(r2, -8).mov(r3, 8);
    a.call("probe_write_user").mov(r0, 0).exit();
    const spec = {
      maps: {},
      programs: { p: { type: "kprobe", license: "GPL", instructions: a.instructions() } },
    } as const;
    loadObject(spec).close();
  },
  tracePipe: () => new TracePipe({ shared: true }).close(),
  kprobePattern: () => counts(multi, (program) => attachKprobeMulti(program, { pattern: GETPGID_FUNCTION })),
  kprobeTracefs: () => counts(kprobe, (program) => attachKprobe(program, GETPGID_FUNCTION, { through: "tracefs" })),
  libraryOfRoot: () => void findBinary("libc", Number(rootPid)),
};

const results: Record<string, unknown> = {};
for (const name of names) {
  const deed = DEEDS[name];
  assert.ok(deed !== undefined, name);
  try {
    await deed();
    results[name] = null;
  } catch (error) {
    const { message, code, stack } = error as NodeJS.ErrnoException;
    results[name] = { message, code, stack };
  }
}
assert.deepEqual(openFds(), []);
console.log(JSON.stringify(results));
