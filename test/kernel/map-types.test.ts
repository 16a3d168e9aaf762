// Map types beyond hashes and arrays, each doing what it is for.
import assert from "node:assert/strict";
import { closeSync, mkdirSync, openSync, rmdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { openPerfEvent } from "../../src/runtime/sys/index.ts";
import {
  ArenaMap,
  Assembler,
  array,
  attachCgroup,
  bytes,
  createMap,
  Helper,
  KeyedMap,
  loadAssembled,
  loadObject,
  MapFlag,
  type MapSpec,
  mapDetails,
  mapIds,
  openMap,
  openPidFd,
  openProgram,
  possibleCpus,
  programDetails,
  programIds,
  r0,
  r1,
  r2,
  r3,
  SystemError,
  str,
  struct,
  u8,
  u16,
  u32,
  u64,
  union,
} from "../../src/sdk/index.ts";
import { cgroup2, cgroupMount } from "../support/cgroup.ts";
import { errorCode as code } from "../support/error-code.ts";
import { kernelTest } from "../support/kernel-test.ts";

const cpus = possibleCpus();
const cgroups2 = cgroupMount();

// ---------------------------------------------------------------------------------------------------------------------
// Queues, stacks, bloom filters

kernelTest("a queue gives the first value first, a stack the last", () => {
  using queue = createMap({ type: "queue", value: u32, maxEntries: 3 }, "queue");
  using stack = createMap({ type: "stack", value: struct({ a: u8, b: u64 }), maxEntries: 3 }, "stack");
  assert.equal(queue.pop(), undefined);
  assert.equal(queue.peek(), undefined);
  for (const n of [1, 2, 3]) queue.push(n);
  assert.equal(
    code(() => queue.push(4)),
    "E2BIG",
  );
  queue.push(4, { replaceOldest: true });
  assert.equal(queue.peek(), 2);
  assert.deepEqual([queue.pop(), queue.pop(), queue.pop(), queue.pop()], [2, 3, 4, undefined]);
  for (const n of [1n, 2n]) stack.push({ a: 7, b: n });
  assert.deepEqual(stack.peek(), { a: 7, b: 2n });
  assert.deepEqual([stack.pop(), stack.pop(), stack.pop()], [{ a: 7, b: 2n }, { a: 7, b: 1n }, undefined]);
});

kernelTest("a bloom filter knows what was never added", { kernel: "5.16" }, () => {
  using filter = createMap({ type: "bloom_filter", value: u64, maxEntries: 1000, extra: 5n }, "bloom");
  for (let i = 0n; i < 1000n; i++) filter.add(i);
  for (let i = 0n; i < 1000n; i++) assert.equal(filter.has(i), true);
  let wrong = 0;
  for (let i = 1000n; i < 3000n; i++) if (filter.has(i)) wrong++;
  // Five hashes of a full filter err for some percent.
  assert.ok(wrong < 600, `${wrong} of 2000`);
  assert.equal(mapDetails(filter).extra, 5n);
});

// ---------------------------------------------------------------------------------------------------------------------
// Longest prefix

kernelTest("an LPM trie finds the longest prefix, and is read key by key or in batches", () => {
  const key = struct({ length: u32, address: bytes(4) });
  using trie = createMap({ type: "lpm_trie", key, value: str(16), maxEntries: 64, flags: MapFlag.no_prealloc }, "lpm");
  const net = (length: number, ...address: number[]) => ({ length, address: Uint8Array.from(address) });
  trie.set(net(8, 10, 0, 0, 0), "ten");
  trie.set(net(16, 10, 1, 0, 0), "ten.one");
  trie.set(net(32, 10, 1, 2, 3), "host");
  assert.equal(trie.get(net(32, 10, 9, 9, 9)), "ten");
  assert.equal(trie.get(net(32, 10, 1, 9, 9)), "ten.one");
  assert.equal(trie.get(net(32, 10, 1, 2, 3)), "host");
  assert.equal(trie.get(net(32, 11, 0, 0, 0)), undefined);
  for (const batch of [true, false]) {
    const names = [...trie.entries({ batch })].map(([, name]) => name).sort();
    assert.deepEqual(names, ["host", "ten", "ten.one"]);
  }
  assert.equal(trie.delete(net(16, 10, 1, 0, 0)), true);
  assert.equal(trie.get(net(32, 10, 1, 9, 9)), "ten");
});

// ---------------------------------------------------------------------------------------------------------------------
// Maps of maps, and others that refer to things

kernelTest("a map of maps holds maps that are put in and taken out", () => {
  const inner = { type: "hash", key: u32, value: u64, maxEntries: 8 } as const;
  using outer = createMap({ type: "hash_of_maps", key: u32, inner, maxEntries: 4 }, "outer");
  using one = createMap(inner, "one");
  one.set(1, 11n);
  outer.set(7, one);
  assert.equal(outer.get(8), undefined);
  {
    using found = outer.get(7);
    assert.ok(found instanceof KeyedMap);
    assert.equal(found.get(1), 11n);
    found.set(2, 22n);
    assert.equal(outer.idOf(7), mapDetails(one).id);
  }
  assert.equal(one.get(2), 22n);
  assert.deepEqual([...outer.keys()], [7]);
  using other = createMap({ type: "hash", key: u64, value: u64, maxEntries: 8 }, "other");
  assert.equal(
    code(() => outer.set(9, other)),
    "EINVAL",
  );
  assert.equal(outer.delete(7), true);
  assert.equal(outer.delete(7), false);

  using slots = createMap({ type: "array_of_maps", inner, maxEntries: 2 }, "slots");
  assert.equal(slots.idOf(0), undefined);
  slots.set(1, one);
  using again = slots.get(1);
  assert.equal(again?.get(1), 11n);
});

kernelTest("a program array jumps to the program that was put in", () => {
  using jumps = createMap({ type: "prog_array", maxEntries: 2 }, "jumps");
  const license = "Dual MIT/GPL";
  const target = new Assembler().label("target").mov(r0, 42).exit();
  const caller = new Assembler()
    .label("caller")
    .loadMap(r2, "jumps")
    .mov(r3, 1)
    .call(Helper.tail_call)
    .mov(r0, 1)
    .exit();
  using object = loadAssembled(
    {
      maps: { jumps: { type: "prog_array", keySize: 4, valueSize: 4, maxEntries: 2 } },
      programs: {
        target: { type: "socket_filter", instructions: target.instructions(), license },
        caller: { type: "socket_filter", instructions: caller.instructions(), license },
      },
    },
    { maps: { jumps } },
  );
  const run = () => object.programs.caller.testRun({ data: new Uint8Array(64) }).retval;
  assert.equal(run(), 1);
  jumps.set(1, object.programs.target);
  assert.equal(run(), 42);
  // What is in the slot is opened by its id, and is the same program.
  const id = Number(jumps.idOf(1));
  using same = openProgram(id);
  assert.equal(same.testRun({ data: new Uint8Array(64) }).retval, 42);
  const { tag, ...details } = programDetails(same);
  assert.deepEqual([details.id, details.type, details.name], [id, "socket_filter", "target"]);
  assert.equal(tag, programDetails(object.programs.target).tag);
  assert.deepEqual(programDetails(object.programs.caller).mapIds, [mapDetails(jumps).id]);
  assert.ok([...programIds()].includes(id) && [...mapIds()].includes(mapDetails(jumps).id));
  assert.equal(
    code(() => openProgram(0x7fffffff)),
    "ENOENT",
  );
  assert.equal(jumps.idOf(0), undefined);
  jumps.delete(1);
  assert.equal(run(), 1);
  assert.equal(
    code(() => jumps.set(0, jumps)),
    "EINVAL",
  );
});

kernelTest("sockets are put into a map of sockets, and leave it when they are closed", async () => {
  using map = createMap({ type: "sockhash", key: u32, valueSize: 8, maxEntries: 4 }, "sockets");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  try {
    map.set(5, fd);
    const cookie = map.idOf(5);
    assert.ok(typeof cookie === "bigint" && cookie > 0n, String(cookie));
    assert.deepEqual([...map.keys()], [5]);
    assert.equal(map.idOf(6), undefined);
    assert.notEqual(
      code(() => map.set(6, 0)),
      "no error",
    );
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  assert.equal(map.idOf(5), undefined);
});

kernelTest("cgroups and perf events are held in arrays, which tell of nothing they hold", cgroup2, () => {
  using cgroups = createMap({ type: "cgroup_array", maxEntries: 2 }, "cgroups");
  const fd = openSync(String(cgroups2), "r");
  try {
    cgroups.set(0, fd);
  } finally {
    closeSync(fd);
  }
  assert.equal(cgroups.delete(0), true);
  assert.notEqual(
    code(() => cgroups.idOf(0)),
    "no error",
  );
  using events = createMap({ type: "perf_event_array", maxEntries: cpus }, "events");
  // A counter of this process's own.
  using clock = openPerfEvent({ type: "software", config: 1, pid: process.pid, cpu: 0 }, "a clock");
  events.set(0, clock);
  assert.equal(events.delete(0), true);
  assert.notEqual(
    code(() => events.set(0, cgroups)),
    "no error",
  );
});

// ---------------------------------------------------------------------------------------------------------------------
// Local storage

kernelTest("storage belongs to a socket, and goes with it", async () => {
  using storage = createMap({ type: "sk_storage", value: struct({ n: u64, tag: u8 }), maxEntries: 0 }, "of socket");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  try {
    assert.equal(storage.get(fd), undefined);
    storage.set(fd, { n: 1n, tag: 2 });
    assert.deepEqual(storage.get(fd), { n: 1n, tag: 2 });
    assert.equal(
      code(() => storage.set(fd, { n: 1n, tag: 2 }, "noexist")),
      "EEXIST",
    );
    assert.equal(storage.delete(fd), true);
    assert.equal(storage.delete(fd), false);
    assert.throws(() => storage.get(-1), /-1 is no file descriptor/);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

kernelTest("storage of tasks is asked by pidfd", { kernel: "5.11", config: "CONFIG_BPF_LSM" }, () => {
  using storage = createMap({ type: "task_storage", value: u64, maxEntries: 0 }, "of task");
  using self = openPidFd(process.pid);
  storage.set(self, 5n);
  assert.equal(storage.get(self), 5n);
  assert.equal(
    code(() => openPidFd(2 ** 22 + 1)),
    "ESRCH",
  );
});

kernelTest("storage of inodes is asked by an open file", { kernel: "5.10", config: "CONFIG_BPF_LSM" }, () => {
  using storage = createMap({ type: "inode_storage", value: u32, maxEntries: 0 }, "of inode");
  const fd = openSync("/proc/self/exe", "r");
  const again = openSync("/proc/self/exe", "r");
  try {
    assert.equal(storage.get(fd), undefined);
    storage.set(fd, 9);
    assert.equal(storage.get(again), 9);
    assert.equal(storage.delete(again), true);
    assert.equal(storage.get(fd), undefined);
  } finally {
    closeSync(fd);
    closeSync(again);
  }
});

kernelTest("storage of cgroups is asked by their directory", { kernel: "6.2", ...cgroup2 }, () => {
  using storage = createMap({ type: "cgrp_storage", value: u32, maxEntries: 0 }, "of cgroup");
  const path = `${cgroups2}/skep-storage-${process.pid}`;
  mkdirSync(path);
  try {
    const fd = openSync(path, "r");
    storage.set(fd, 3);
    assert.equal(storage.get(fd), 3);
    closeSync(fd);
  } finally {
    rmdirSync(path);
  }
});

// ---------------------------------------------------------------------------------------------------------------------
// Networking's, stacks, arenas

kernelTest("a devmap and a cpumap have values that the kernel gives a meaning to", () => {
  for (const type of ["devmap", "devmap_hash"] as const) {
    using map = createMap({ type, valueSize: 4, maxEntries: 8 }, type);
    map.set(1, Uint8Array.from([1, 0, 0, 0]));
    assert.deepEqual(map.get(1), Uint8Array.from([1, 0, 0, 0]));
  }
  using devices = createMap({ type: "devmap", value: struct({ ifindex: u32, program: u32 }), maxEntries: 8 }, "dev8");
  devices.set(0, { ifindex: 1, program: 0 });
  assert.deepEqual(devices.get(0), { ifindex: 1, program: 0 });
  assert.equal(devices.get(5), undefined);
  using cpumap = createMap({ type: "cpumap", value: u32, maxEntries: cpus }, "cpus");
  cpumap.set(0, 64);
  assert.equal(cpumap.get(0), 64);
});

kernelTest("stacks are read as addresses", { kernel: "5.10" }, () => {
  const walk = new Assembler().label("walk").loadMap(r2, "stacks").mov(r3, 0).call(Helper.get_stackid).exit();
  using object = loadAssembled({
    maps: { stacks: { type: "stack_trace", key: u32, valueSize: 16 * 8, maxEntries: 16 } },
    programs: { walk: { type: "raw_tracepoint", instructions: walk.instructions(), license: "GPL" } },
  });
  const { stacks } = object.maps;
  assert.deepEqual([...stacks.keys()], []);
  const id = object.programs.walk.testRun({ context: new Uint8Array(8) }).retval;
  assert.ok(id < 16, `id ${id | 0}`);
  const stack = stacks.get(id);
  // From the innermost function on; kernel addresses are in the upper half.
  assert.ok(stack !== undefined && stack.length === 16 && (stack[0] ?? 0n) > 2n ** 63n, String(stack));
  assert.deepEqual([...stacks.keys()], [id]);
  assert.equal(stacks.delete(id), true);
  assert.equal(stacks.get(id), undefined);
});

kernelTest("cgroup storage has a value for each attachment", cgroup2, () => {
  const key = struct({ cgroup: u64, attachType: u32 });
  const count = new Assembler()
    .label("count")
    .loadMap(r1, "storage")
    .mov(r2, 0)
    .call(Helper.get_local_storage)
    .mov(r1, 1)
    .atomicAdd("u64", r0, 0, r1)
    .mov(r0, 1)
    .exit();
  for (const type of ["cgroup_storage", "percpu_cgroup_storage"] as const) {
    using object = loadObject({
      maps: { storage: { type, key, value: u64, maxEntries: 0 } },
      programs: {
        count: {
          type: "cgroup_skb",
          instructions: count.instructions(),
          license: "GPL",
          expectedAttachType: "cgroup_inet_ingress",
        },
      },
    } as const);
    const { storage } = object.maps;
    assert.deepEqual([...storage.entries()], []);
    const path = `${cgroups2}/skep-attached-${process.pid}`;
    mkdirSync(path);
    try {
      const link = attachCgroup(object.programs.count, path);
      const own = { cgroup: statSync(path, { bigint: true }).ino, attachType: 0 };
      assert.deepEqual([...storage.keys()], [own]);
      const one = type === "cgroup_storage" ? 5n : new Array<bigint>(cpus).fill(5n);
      assert.notDeepEqual(storage.get(own), one);
      storage.set(own, one as never, "exist");
      assert.deepEqual(storage.get(own), one);
      link.close();
    } finally {
      rmdirSync(path);
    }
  }
});

kernelTest("sockets that suit a map are taken, others refused", async () => {
  using shared = createMap({ type: "reuseport_sockarray", valueSize: 8, maxEntries: 2 }, "shared");
  using fast = createMap({ type: "xskmap", maxEntries: 2 }, "fast");
  using sockets = createMap({ type: "sockmap", valueSize: 8, maxEntries: 2 }, "sockmap");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  try {
    // A listener that shares its port with nobody, and one that is no AF_XDP socket.
    assert.match(
      code(() => shared.set(0, fd)),
      /^(EINVAL|EOPNOTSUPP)$/,
    );
    assert.match(
      code(() => fast.set(0, fd)),
      /^(EOPNOTSUPP|ENOTSUPP|EINVAL)$/,
    );
    assert.equal(shared.delete(0), false);
    sockets.set(1, fd);
    assert.equal(typeof sockets.idOf(1), "bigint");
    assert.deepEqual([...sockets.keys()], [0, 1]);
    assert.equal(sockets.delete(1), true);
    assert.equal(sockets.idOf(1), undefined);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

kernelTest("an arena is memory for both sides", { kernel: "6.9" }, () => {
  using arena: ArenaMap = createMap(
    { type: "arena", maxEntries: 4, flags: MapFlag.mmapable, extra: 1n << 44n },
    "arena",
  );
  assert.equal(arena.address, 2 ** 44);
  assert.equal(arena.size, arena.memory.u8.length);
  arena.memory.u32[1] = 7;
  assert.equal(arena.memory.u32[1], 7);
  const { u8: view } = arena.memory;
  arena.close();
  assert.equal(view.length, 0);
});

// ---------------------------------------------------------------------------------------------------------------------
// What all maps can do

kernelTest("a frozen map is the programs' alone to change", { kernel: "5.2" }, () => {
  using map = createMap({ type: "array", value: u32, maxEntries: 1 }, "frozen");
  map.set(0, 5);
  assert.equal(mapDetails(map).frozen, false);
  map.freeze();
  assert.equal(
    code(() => map.set(0, 6)),
    "EPERM",
  );
  assert.equal(map.get(0), 5);
  assert.equal(mapDetails(map).frozen, true);
  assert.match(
    code(() => map.freeze()),
    /^(EBUSY|EPERM)$/,
  );
});

kernelTest("a map is opened by its id", () => {
  const spec = { type: "hash", key: u32, value: union({ n: u32, c: array(u8, 4) }), maxEntries: 9 } as const;
  using map = createMap(spec, "by_id");
  map.set(1, { n: 0x01020304 });
  const { id, memory, type, maxEntries } = mapDetails(map);
  assert.ok(id > 0 && (memory ?? 1) > 0);
  assert.deepEqual([type, maxEntries], ["hash", 9]);
  using same = openMap(id, spec);
  assert.deepEqual(same.get(1), { n: 0x01020304, c: [4, 3, 2, 1] });
  assert.equal(same.name, "by_id");
  assert.equal(
    code(() => openMap(0x7fffffff)),
    "ENOENT",
  );
});

kernelTest("a key is taken out with its value, in one step", { kernel: "5.14" }, () => {
  using map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 }, "taken");
  map.set(1, 10);
  assert.equal(map.take(1), 10);
  assert.equal(map.take(1), undefined);
  assert.equal(map.has(1), false);
  using list = createMap({ type: "array", value: u32, maxEntries: 4 }, "list");
  assert.throws(() => list.take(0), /Maps of type array cannot do so on this kernel/);
});

kernelTest("a hash is emptied in batches, and nothing is lost on the way", () => {
  using map = createMap({ type: "hash", key: u32, value: u16, maxEntries: 20_000 }, "drained");
  map.setMany(Array.from({ length: 20_000 }, (_, i): [number, number] => [i, i & 0xffff]));
  const seen = new Map<number, number>();
  for (const batch of map.drain()) {
    for (const [key, value] of batch) {
      assert.equal(seen.has(key), false);
      seen.set(key, value);
    }
    // Left in the middle: what was not yielded is still there.
    if (seen.size > 5000) break;
  }
  const rest = [...map];
  assert.equal(seen.size + rest.length, 20_000);
  for (const [key, value] of rest) seen.set(key, value);
  assert.equal(seen.size, 20_000);
  for (const [key, value] of seen) assert.equal(value, key & 0xffff);
  for (const batch of map.drain()) assert.ok(batch.length > 0);
  assert.deepEqual([...map], []);
  using list = createMap({ type: "array", value: u32, maxEntries: 4 }, "list");
  assert.throws(() => [...list.drain()], /Maps of type array cannot do so/);
});

kernelTest("many keys are deleted at once, and those that are not there do not matter", () => {
  using map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 1000 }, "many");
  map.setMany(Array.from({ length: 1000 }, (_, i): [number, number] => [i, i]));
  const keys = Array.from({ length: 1500 }, (_, i) => i * 2);
  assert.equal(map.deleteMany(keys), 500);
  assert.deepEqual(
    [...map.keys()].sort((a, b) => a - b),
    Array.from({ length: 500 }, (_, i) => i * 2 + 1),
  );
  assert.equal(map.deleteMany([]), 0);
  assert.equal(map.deleteMany([0, 1]), 1);
  using trie = createMap(
    {
      type: "lpm_trie",
      key: struct({ length: u32, address: u32 }),
      value: u32,
      maxEntries: 4,
      flags: MapFlag.no_prealloc,
    },
    "trie",
  );
  trie.set({ length: 32, address: 1 }, 1);
  assert.equal(
    trie.deleteMany([
      { length: 32, address: 1 },
      { length: 32, address: 2 },
    ]),
    1,
  );
});

kernelTest("reading key by key shows each key once, though keys are deleted meanwhile", () => {
  using map = createMap({ type: "hash", key: bytes(7), value: u32, maxEntries: 500 }, "restarted");
  const key = (i: number) => Uint8Array.from([i & 0xff, i >> 8, 1, 2, 3, 4, 5]);
  for (let i = 0; i < 500; i++) map.set(key(i), i);
  const seen: number[] = [];
  for (const [, value] of map.entries({ batch: false })) {
    seen.push(value);
    // The key the kernel is asked to go on from is among those deleted: it starts over.
    if (value % 3 === 0) for (let i = value; i < Math.min(500, value + 40); i++) if (i % 2 === 0) map.delete(key(i));
  }
  assert.equal(new Set(seen).size, seen.length, "a key was shown twice");
  // Those that were never deleted appear, each once.
  for (let i = 1; i < 500; i += 2) assert.ok(seen.includes(i), `key ${i} is missing`);
});

kernelTest("a trie shows each prefix once, though the last one read is deleted", () => {
  const key = struct({ length: u32, address: u32 });
  using trie = createMap(
    { type: "lpm_trie", key, value: bytes(1000), maxEntries: 3000, flags: MapFlag.no_prealloc },
    "deleted",
  );
  for (let i = 0; i < 3000; i++) trie.set({ length: 32, address: i }, new Uint8Array(1000));
  const seen: number[] = [];
  for (const [prefix] of trie) {
    seen.push(prefix.address);
    if (seen.length % 100 === 40) trie.delete(prefix);
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.equal(seen.length, 3000);
  let visited = 0;
  trie.forEach(() => {
    visited++;
  });
  assert.equal(visited, 2970);
});

kernelTest("keys of a map of maps are shown once, though the next one is deleted", () => {
  const inner = { type: "array", value: u32, maxEntries: 1 } as const;
  using outer = createMap({ type: "hash_of_maps", key: u32, inner, maxEntries: 32 }, "outer");
  using one = createMap(inner, "one");
  for (let i = 0; i < 20; i++) outer.set(i, one);
  const order = [...outer.keys()];
  const seen: number[] = [];
  for (const key of outer.keys()) {
    seen.push(key);
    if (seen.length === 5) outer.delete(order[5] as number);
  }
  assert.equal(new Set(seen).size, seen.length);
  // The deleted one may be shown yet, as it was asked for before.
  for (const key of order) if (key !== order[5]) assert.ok(seen.includes(key), `key ${key} is missing`);
});

kernelTest("an arena that is opened again is mapped where it was made to be", { kernel: "6.9" }, () => {
  const spec = { type: "arena", maxEntries: 2, flags: MapFlag.mmapable, extra: 1n << 44n } as const;
  using arena = createMap(spec, "arena");
  using same = openMap(mapDetails(arena).id, { type: "arena" });
  assert.ok(same instanceof ArenaMap);
  assert.equal(same.address, 2 ** 44);
});

kernelTest("values under a spin lock are asked for where their type has one", { kernel: "5.1" }, () => {
  using map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 }, "unlocked");
  map.set(1, 1);
  // The kernel refuses the lock for values without: the flag arrives.
  assert.equal(
    code(() => map.get(1, { lock: true })),
    "EINVAL",
  );
  assert.equal(
    code(() => map.set(1, 2, { lock: true })),
    "EINVAL",
  );
  map.set(1, 3, { mode: "exist" });
  assert.equal(map.get(1), 3);
});

kernelTest("a type this kernel does not have says since when there is one", { kernel: "3.19" }, () => {
  const cases: [MapSpec, RegExp][] = [
    [{ type: "queue", keySize: 4, valueSize: 4, maxEntries: 1 }, /Maps of type queue have no key/],
    [{ type: "ringbuf", maxEntries: 100 }, /a power of two and a multiple of 4096/],
    [{ type: "hash_of_maps", keySize: 4, maxEntries: 1 }, /needs `inner`/],
    [{ type: "hash", keySize: 4, valueSize: 4, maxEntries: 0 }, /`maxEntries` of at least 1/],
    [{ type: "lpm_trie", keySize: 4, valueSize: 4, maxEntries: 1, flags: 1 }, /the length of the prefix in bits/],
  ];
  for (const [spec, message] of cases) assert.throws(() => createMap(spec, "refused").close(), message);
});

kernelTest("the first kernel of a type is told on an older one", { kernel: "3.19" }, () => {
  // One that no kernel of today takes without a program's help.
  try {
    createMap({ type: "insn_array", keySize: 4, valueSize: 16, maxEntries: 1 }, "new").close();
  } catch (error) {
    assert.ok(error instanceof SystemError);
    assert.match(error.message, /Maps of type insn_array need Linux 6\.19; this is \d/);
  }
});
