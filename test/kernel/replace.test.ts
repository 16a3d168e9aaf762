// Hot update: another object in the place of one that is at work. Each call of a process is numbered; none may be missed, none
// seen by two versions, and what begins and ends is a pair.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Assembler,
  array,
  attachCgroup,
  type BpfMap,
  type KeyedMap,
  type LoadedObject,
  loadObject,
  type MapSpec,
  mapDetails,
  type ObjectSpec,
  openFds,
  ProgramFlag,
  type ProgramSpec,
  programDetails,
  RingBufferReader,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r7,
  r10,
  u64,
} from "../../src/sdk/index.ts";
import { counting, countingObject, countsMap, isGetpgid } from "../support/attach-programs.ts";
import { cgroup2, inOwnCgroup } from "../support/cgroup.ts";
import { Scratch } from "../support/cli.ts";
import { conversation } from "../support/conversation.ts";
import { fixture } from "../support/fixture.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { runWithMount } from "../support/mounts.ts";
import {
  BEGIN,
  connectSpec,
  countsOf,
  END,
  type NumberedCalls,
  numberedCalls,
  pairSpec,
  unexpected,
} from "../support/numbered-calls.ts";
import { fixturePath, fixture as objectFixture } from "../support/objects.ts";
import { callGetpgid } from "../support/probe-programs.ts";

const RATE = 100_000;
const COUNT = 300_000;

/** Replaces an object again and again while the calls are made; how many versions there were. */
async function replaceMeanwhile(
  object: Pick<LoadedObject, "replace">,
  calls: NumberedCalls,
  spec: (version: number) => ObjectSpec,
): Promise<number> {
  let version = 0;
  calls.begin();
  while (!calls.ended) {
    version++;
    const { kept, migrated } = await object.replace(spec(version));
    assert.deepEqual([kept, migrated], [Object.keys(spec(0).maps), []]);
    await sleep(5);
  }
  await calls.end();
  return version;
}

kernelTest("replace: tracepoints miss no call, see none twice, and pairs stay whole", async () => {
  const calls = numberedCalls("getpgid", COUNT, RATE);
  const object = loadObject(pairSpec(0), { replaceable: true });
  try {
    object.maps.target.set(0, calls.pid);
    object.attach();
    const version = await replaceMeanwhile(object, calls, pairSpec);
    assert.ok(version > 1, `${version} versions`);
    assert.deepEqual(unexpected(object.maps.seen, COUNT, BEGIN + END), []);
    const counts = countsOf(object.maps.versions);
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0n),
      BigInt(2 * COUNT),
    );
    assert.ok(counts.length > 1, `${counts.length} versions saw calls`);
  } finally {
    object.close();
    calls.kill();
  }
});

kernelTest("replace: a cgroup's program misses no call and sees none twice", cgroup2, async () => {
  await inOwnCgroup(async (cgroup) => {
    const calls = numberedCalls("connect", COUNT, RATE);
    const object = loadObject(connectSpec(0), { replaceable: true });
    try {
      object.attach({ cgroup });
      const version = await replaceMeanwhile(object, calls, connectSpec);
      assert.ok(version > 1, `${version} versions`);
      assert.deepEqual(unexpected(object.maps.seen, COUNT, BEGIN), []);
      const counts = countsOf(object.maps.versions);
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0n),
        BigInt(COUNT),
      );
      assert.ok(counts.length > 1, `${counts.length} versions saw calls`);
    } finally {
      object.close();
      calls.kill();
      await calls.end();
    }
  });
});

/** Counts getpgid of this process in `counts`, by `step`. */
const counter = (step: number, change: Partial<MapSpec> = {}) =>
  ({
    maps: { counts: { ...countsMap, ...change }, events: { type: "ringbuf", maxEntries: 65_536 } },
    programs: {
      p: {
        ...counting({ type: "raw_tracepoint", when: isGetpgid, step }),
        section: "raw_tp/sys_enter",
        attachTo: "sys_enter",
      },
    },
  }) as const satisfies ObjectSpec;

/** What is there now: programs by id, maps by id, and how much a call adds. */
function stateOf(object: LoadedObject): unknown {
  const counts = object.maps["counts"] as KeyedMap<number, readonly bigint[]>;
  const before = counts.get(0)?.[0] ?? 0n;
  callGetpgid(1);
  return {
    programs: Object.values(object.programs).map((program) => programDetails(program).id),
    maps: Object.values(object.maps).map((map) => mapDetails(map).id),
    links: object.links.length,
    step: (counts.get(0)?.[0] ?? 0n) - before,
  };
}

kernelTest("replace: what is refused changes nothing, and says why", async () => {
  using object = loadObject(counter(1), { replaceable: true });
  object.attach();
  const before = stateOf(object);
  const fds = openFds().length;
  const refused = async (next: ObjectSpec, error: object, options = {}) => {
    await assert.rejects(object.replace(next, options), error);
    assert.deepEqual(stateOf(object), before);
    assert.equal(openFds().length, fds, "nothing is left open");
  };
  const wider = counter(2, { value: array(u64, 3) });
  await refused(wider, {
    code: "SKEP_REPLACE",
    message:
      /^Map "counts" is not what it was \(values of 16 bytes, not 24; value: an array of 2, then an array of 3\)\. Say with migrate: \{ counts:/,
    differences: { counts: ["values of 16 bytes, not 24", "value: an array of 2, then an array of 3"] },
  });
  await refused(counter(2, { maxEntries: 2 }), { code: "SKEP_REPLACE", message: /entries 1, not 2/ });
  const bad = new Assembler().mov(r0, r7).exit().instructions();
  const program = { ...counter(2).programs.p, instructions: bad };
  await refused({ ...counter(2), programs: { p: program } }, { name: "VerifierError" });
  await refused(
    { ...counter(2), programs: { p: { ...program, instructions: counter(2).programs.p.instructions }, q: program } },
    { name: "VerifierError" },
  );
  // A program whose attachment fails once the others are loaded.
  const lost = { ...counter(2).programs.p, attachTo: "no_such_tracepoint" };
  await refused({ ...counter(2), programs: { ...counter(2).programs, lost } }, { code: "ENOENT" });
  const migrate = {
    counts: () => {
      throw new Error("cannot be carried over");
    },
  };
  await refused(wider, { message: "cannot be carried over" }, { migrate });
});

kernelTest("replace: a map that is not the same any more is carried over before, and settled after", async () => {
  using object = loadObject(counter(1), { replaceable: true });
  object.attach();
  callGetpgid(3);
  const order: string[] = [];
  type Counts = KeyedMap<number, bigint[]>;
  const { kept, migrated, switchNs } = await object.replace(counter(10, { value: array(u64, 3) }), {
    migrate: {
      counts: {
        prepare(before, after) {
          order.push("prepare");
          (after as Counts).set(0, [...((before as Counts).get(0) ?? []), 7n]);
          // The old program is still at work, and what it counts now the new map does not have yet.
          callGetpgid(2);
        },
        settle(before, after) {
          order.push("settle");
          callGetpgid(4);
          assert.equal((before as Counts).get(0)?.[0], 5n, "the old program has ended");
          const [count = 0n, told = 0n, third = 0n] = (after as Counts).get(0) ?? [];
          (after as Counts).set(0, [count + 2n, told, third]);
        },
      },
    },
  });
  assert.deepEqual([kept, migrated, order], [["events"], ["counts"], ["prepare", "settle"]]);
  assert.ok(switchNs > 0);
  assert.deepEqual((object.maps.counts as unknown as Counts).get(0), [3n + 40n + 2n, 0n, 7n]);
});

kernelTest("replace: readers of kept maps go on, programs come and go, and others are attached elsewhere", async () => {
  const sender = (byte: number): ProgramSpec => {
    const a = new Assembler().mov(r6, r1);
    isGetpgid(a);
    a.call("get_current_pid_tgid").rsh(r0, 32).jne(r0, process.pid, "out");
    a.store("u64", r10, -8, byte).loadMap(r1, "events").mov(r2, r10).add(r2, -8).mov(r3, 8).mov(r4, 0);
    a.call("ringbuf_output").label("out").mov(r0, 0).exit();
    return { type: "raw_tracepoint", license: "GPL", attachTo: "sys_enter", instructions: a.instructions() };
  };
  const { counts, events } = counter(1).maps;
  const maps = { counts, events };
  const object = loadObject({ maps, programs: { a: sender(1) } } as ObjectSpec, { replaceable: true });
  const seen: number[] = [];
  using reader = RingBufferReader.of(object.maps["events"] as BpfMap, u64);
  const take = () => {
    callGetpgid(1);
    seen.length = 0;
    reader.consume((byte) => seen.push(Number(byte)));
    return seen.toSorted((a, b) => a - b);
  };
  try {
    object.attach();
    assert.deepEqual(take(), [1]);
    await object.replace({ maps, programs: { a: sender(2), b: sender(3) } });
    assert.deepEqual(take(), [2, 3], "what is new is attached");
    await object.replace({ maps, programs: { b: sender(4) } });
    assert.deepEqual(take(), [4], "what is gone is detached");
    assert.equal(object.links.length, 1);
    await object.replace({ maps, programs: { b: { ...sender(5), attachTo: "sched_switch" }, c: sender(6) } });
    assert.deepEqual(take(), [6], "b is attached elsewhere");
    assert.equal(object.links.length, 2);
    // A program that was detached by hand stays detached.
    object.links[1]?.close();
    await object.replace({ maps, programs: { b: sender(7), c: sender(8) } });
    assert.deepEqual(take(), [7]);
  } finally {
    object.close();
  }
});

kernelTest("replace: without `replaceable` tracing programs are not replaced, and the object goes on", async () => {
  using object = loadObject(counter(1));
  object.attach();
  const before = stateOf(object);
  await assert.rejects(object.replace(counter(2)), {
    code: "SKEP_REPLACE",
    message: /"p" \(raw tracepoint sys_enter\) cannot be given another program: load the object with replaceable: true/,
  });
  assert.deepEqual(stateOf(object), before);
  // What is not attached any more is no hindrance.
  for (const link of object.links) link.close();
  await object.replace(counter(2));
  assert.equal(object.links.length, 1);
});

kernelTest(
  "replace: sleepable programs are not replaced, and it says so",
  { kernel: "5.18", attach: "uprobes" },
  async () => {
    await conversation([fixture("probed")], async (pid) => {
      const spec = (step: number) =>
        countingObject({
          type: "kprobe",
          flags: ProgramFlag.sleepable,
          section: "uprobe.s",
          attachTo: `${fixture("probed")}:probed`,
          own: false,
          step,
        });
      using object = loadObject(spec(1), { replaceable: true });
      object.attach({ pid });
      await assert.rejects(object.replace(spec(2)), {
        code: "SKEP_REPLACE",
        message: /sleepable programs \(SEC\("….s"\)\)/,
      });
    });
  },
);

kernelTest(
  "replace: when one link cannot be updated, those before it have their old programs again",
  cgroup2,
  async () => {
    await inOwnCgroup(async (cgroup) => {
      const kind = "cgroup_inet_sock_create";
      const spec = (step: number) => {
        const one = counting({ type: "cgroup_sock", expectedAttachType: kind, own: false, result: 1, step });
        return { maps: { counts: countsMap }, programs: { a: one, b: one } } as const satisfies ObjectSpec;
      };
      using object = loadObject(spec(1));
      object.attach({
        programs: { a: (program) => attachCgroup(program, cgroup), b: (program) => attachCgroup(program, cgroup) },
      });
      // By force, as another process could: the link is there still, and takes no program any more.
      object.links[1]?.detach();
      await assert.rejects(object.replace(spec(10)), { code: "SKEP_REPLACE", message: /^What is attached for "b"/ });
      const { createSocket } = await import("node:dgram");
      const before = object.maps.counts.get(0)?.[0] ?? 0n;
      const socket = createSocket("udp4");
      socket.bind(0, "127.0.0.1");
      await once(socket, "listening");
      socket.close();
      assert.equal((object.maps.counts.get(0)?.[0] ?? 0n) - before, 1n, "the old program is there again");
    });
  },
);

kernelTest("replace: one at a time, and an object that is closed meanwhile is closed after it", async () => {
  const fds = openFds().length;
  const object = loadObject(counter(1), { replaceable: true });
  object.attach();
  const first = object.replace(counter(2));
  await assert.rejects(object.replace(counter(3)), { message: /being replaced/ });
  object.close();
  await first;
  assert.equal(openFds().length, fds);
  await assert.rejects(object.replace(counter(4)), { code: "SKEP_CLOSED" });
});

kernelTest("replace: variables of an object file go on when they are the same, and are compared by name", async () => {
  const spec = objectFixture("globals.el");
  using object = loadObject(spec);
  const [name] = Object.keys(spec.variables ?? {}).filter((one) => spec.variables?.[one]?.map === ".bss");
  const { kept } = await object.replace(fixturePath("globals.el"));
  assert.ok(kept.includes(".bss") && kept.includes(".data") && !kept.includes(".rodata"), kept.join());
  const { [name as string]: moved, ...others } = spec.variables ?? {};
  const changed = { ...spec, variables: { ...others, ...(moved && { renamed: moved }) } };
  await assert.rejects(object.replace(changed), {
    code: "SKEP_REPLACE",
    differences: { ".bss": [`${name}: there, then not`, "renamed: not there, then there"] },
  });
});

/** Installers in a bpffs of their own that are killed at any moment, while 100,000 calls a second go on. */
async function survivesKills(kind: "getpgid" | "connect", cgroup = ""): Promise<void> {
  using scratch = new Scratch();
  const mount = scratch.file("bpffs");
  mkdirSync(mount);
  const { code, stdout, stderr } = await runWithMount(
    "install",
    "bpf",
    mount,
    `${mount}/agent`,
    "killed",
    kind,
    cgroup,
  );
  assert.deepEqual([code, stdout], [0, "done\n"], stderr);
}

kernelTest(
  "install: SIGKILL at any moment leaves tracepoints with the old or the new object",
  { command: "unshare" },
  () => survivesKills("getpgid"),
);

kernelTest(
  "install: SIGKILL at any moment leaves a cgroup with the old or the new object",
  { command: "unshare", ...cgroup2 },
  () => inOwnCgroup((cgroup) => survivesKills("connect", cgroup)),
);

kernelTest("replace: two objects at the same time each wait for their own programs to end", async () => {
  using first = loadObject(counter(1), { replaceable: true });
  using second = loadObject(counter(1), { replaceable: true });
  first.attach();
  second.attach();
  await Promise.all([first.replace(counter(10)), second.replace(counter(100))]);
  callGetpgid(2);
  const counted = ({ maps }: LoadedObject) => (maps["counts"] as KeyedMap<number, bigint[]>).get(0)?.[0];
  assert.deepEqual([counted(first), counted(second)], [20n, 200n]);
});
