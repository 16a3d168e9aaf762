// Iterators: a program that the kernel runs for each thing it has, when somebody reads.
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from "node:fs";
import { Btf } from "../../src/object/btf/index.ts";
import {
  Assembler,
  attachIterator,
  type IteratorOptions,
  loadObject,
  type ObjectSpec,
  openPidFd,
  type ProgramSpec,
  r0,
  r1,
  r2,
  r3,
  r6,
  r7,
  r8,
  r10,
} from "../../src/sdk/index.ts";
import { countsMap } from "../support/attach-programs.ts";
import { cgroupMount } from "../support/cgroup.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";

function offsetOf(btf: Btf, struct: string, member: string): number {
  const id = btf.find(struct, "struct");
  assert.ok(id !== undefined, struct);
  const type = btf.type(id);
  assert.ok(type.kind === "struct");
  const found = type.members.find(({ name }) => name === member);
  assert.ok(found !== undefined, `${struct}.${member}`);
  return found.bitOffset / 8;
}

/** Writes the process id of each thread of this process. */
function ownThreads(): ProgramSpec {
  const btf = Btf.parse(readFileSync("/sys/kernel/btf/vmlinux"));
  const a = new Assembler();
  // struct bpf_iter__task: meta, task; struct bpf_iter_meta: seq.
  a.mov(r6, r1).load("u64", r7, r6, 8).jeq(r7, 0, "out");
  a.load("u32", r8, r7, offsetOf(btf, "task_struct", "tgid")).jne(r8, process.pid, "out");
  a.loadMapValue(r1, "counts", 0).mov(r2, 1).atomicAdd("u64", r1, 0, r2);
  a.store("u32", r10, -4, r8).load("u64", r1, r6, 0).load("u64", r1, r1, 0).mov(r2, r10).add(r2, -4).mov(r3, 4);
  a.call("seq_write").label("out").mov(r0, 0).exit();
  return {
    type: "tracing",
    expectedAttachType: "trace_iter",
    attachTo: "task",
    license: "GPL",
    instructions: a.instructions(),
  };
}

kernelTest("attach: an iterator over tasks shows this process's threads", { attach: "iterators" }, () => {
  const spec = { maps: { counts: countsMap }, programs: { p: ownThreads() } } as const satisfies ObjectSpec;
  using object = loadObject(spec);
  const counted = () => Number(object.maps.counts.get(0)?.[0]);
  const link = attachIterator(object.programs.p);
  assert.equal(counted(), 0, "it does not run by itself");
  const bytes = link.read();
  const threads = readdirSync("/proc/self/task").length;
  const pids = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  assert.deepEqual([...new Set(pids)], [process.pid]);
  assert.equal(pids.length, threads);
  assert.equal(counted(), threads);
  link.close();
  assert.throws(() => link.read(), { code: "SKEP_CLOSED" });
});

kernelTest("attach: an iterator over one process's threads", { attach: "iterators", kernel: "6.1" }, () => {
  const spec = { maps: { counts: countsMap }, programs: { p: ownThreads() } } as const satisfies ObjectSpec;
  using object = loadObject(spec);
  using own = attachIterator(object.programs.p, { task: { pid: process.pid } });
  assert.equal(own.read().length / 4, readdirSync("/proc/self/task").length);
  using first = attachIterator(object.programs.p, { task: { pid: 1 } });
  assert.equal(first.read().length, 0);
});

kernelTest(
  "attach: an iterator over one thread, and over a process by its descriptor",
  { attach: "iterators", kernel: "6.1" },
  () => {
    const spec = { maps: { counts: countsMap }, programs: { p: ownThreads() } } as const satisfies ObjectSpec;
    using object = loadObject(spec);
    using thread = attachIterator(object.programs.p, { task: { tid: process.pid } });
    assert.equal(thread.read().length / 4, 1);
    using pidFd = openPidFd(process.pid);
    using own = attachIterator(object.programs.p, { task: { pidFd } });
    assert.equal(own.read().length / 4, readdirSync("/proc/self/task").length);
    // One that there is not has no threads.
    using none = attachIterator(object.programs.p, { task: { pid: 2 ** 22 + 1 } });
    assert.equal(none.read().length, 0);
  },
);

/** Writes the number of each cgroup. */
function cgroupNumbers(): ProgramSpec {
  const btf = Btf.parse(readFileSync("/sys/kernel/btf/vmlinux"));
  const a = new Assembler();
  // struct bpf_iter__cgroup: meta, cgroup.
  a.mov(r6, r1).load("u64", r7, r6, 8).jeq(r7, 0, "out");
  a.load("u64", r7, r7, offsetOf(btf, "cgroup", "kn")).load("u64", r8, r7, offsetOf(btf, "kernfs_node", "id"));
  a.store("u64", r10, -8, r8).load("u64", r1, r6, 0).load("u64", r1, r1, 0).mov(r2, r10).add(r2, -8).mov(r3, 8);
  a.call("seq_write").label("out").mov(r0, 0).exit();
  return {
    type: "tracing",
    expectedAttachType: "trace_iter",
    attachTo: "cgroup",
    license: "GPL",
    instructions: a.instructions(),
  };
}

kernelTest("attach: an iterator over cgroups, in each order", { attach: "iterators", kernel: "6.1" }, () => {
  const mount = cgroupMount();
  assert.ok(mount !== undefined, "a cgroup2 mount");
  const parent = `${mount}/skep-iterator-${process.pid}`;
  const folders = [parent, `${parent}/a`, `${parent}/a/b`, `${parent}/c`];
  for (const folder of folders) mkdirSync(folder);
  try {
    const [top, a, b, c] = folders.map((folder) => statSync(folder, { bigint: true }).ino) as [
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    const root = statSync(mount, { bigint: true }).ino;
    using object = loadObject({ maps: {}, programs: { p: cgroupNumbers() } } as const satisfies ObjectSpec);
    const walk = (cgroup: NonNullable<IteratorOptions["cgroup"]>) => {
      using link = attachIterator(object.programs.p, { cgroup });
      const bytes = link.read();
      return [...new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))];
    };
    const sorted = (ids: readonly bigint[]) => [...ids].sort((a, b) => Number(a - b));
    assert.deepEqual(walk({ at: parent, order: "self" }), [top]);
    assert.deepEqual(walk({ at: top, order: "self" }), [top]);
    const below = walk({ at: parent });
    assert.equal(below[0], top);
    assert.deepEqual(sorted(below), sorted([top, a, b, c]));
    assert.ok(below.indexOf(a) < below.indexOf(b));
    const first = walk({ at: parent, order: "descendants-first" });
    assert.equal(first[3], top);
    assert.ok(first.indexOf(a) > first.indexOf(b));
    assert.deepEqual(walk({ at: `${parent}/a/b`, order: "ancestors" }), [b, a, top, root]);
    assert.ok(walk({}).includes(b), "from the root");
    if (kernelIsAtLeast("7.0")) assert.deepEqual(sorted(walk({ at: parent, order: "children" })), sorted([a, c]));
    else assert.throws(() => walk({ at: parent, order: "children" }), { code: "EINVAL" });
    assert.throws(() => walk({ at: "/proc" }), { code: "EBADF", message: /the folder is no cgroup/ });
    assert.throws(() => walk({ at: `${parent}/none` }), { code: "ENOENT" });
  } finally {
    for (const folder of folders.reverse()) rmdirSync(folder);
  }
});

kernelTest("an iterator is over one kind of thing", () => {
  const program = { fd: undefined as never, name: "p" };
  assert.throws(() => attachIterator(program, { task: { pid: 1 }, cgroup: {} }), {
    name: "TypeError",
    message: /give one of/,
  });
});

kernelTest("attach: an iterator over a map's elements", { attach: "iterators" }, () => {
  const a = new Assembler();
  // struct bpf_iter__bpf_map_elem: meta, map, key, value.
  a.mov(r6, r1).load("u64", r7, r6, 24).jeq(r7, 0, "out").load("u64", r1, r6, 0).load("u64", r1, r1, 0);
  a.mov(r2, r7).mov(r3, 8).call("seq_write").label("out").mov(r0, 0).exit();
  const values = { type: "hash", keySize: 4, valueSize: 8, maxEntries: 8 } as const;
  const p = {
    type: "tracing",
    expectedAttachType: "trace_iter",
    attachTo: "bpf_map_elem",
    license: "GPL",
    instructions: a.instructions(),
  } as const;
  using object = loadObject({ maps: { values }, programs: { p } } as const satisfies ObjectSpec);
  for (const n of [1, 2, 3]) {
    object.maps.values.set(
      new Uint8Array(Uint32Array.of(n).buffer),
      new Uint8Array(BigUint64Array.of(BigInt(n * 11)).buffer),
    );
  }
  using link = attachIterator(object.programs.p, { map: object.maps.values });
  const bytes = link.read();
  const seen = new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  assert.deepEqual(new Set(seen), new Set([11n, 22n, 33n]));
});
