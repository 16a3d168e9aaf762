// What the kernel tells of attachments: by the object that made them, by id, by pin, and by the place they are at.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { existsSync, mkdirSync, rmdirSync, statSync } from "node:fs";
import {
  attachCgroup,
  attachIterator,
  attachKprobe,
  attachKprobeMulti,
  attachPerfEvent,
  attachSockmap,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  createMap,
  IteratorLink,
  type Link,
  type LinkDetails,
  linkDetails,
  linkIds,
  loadObject,
  mapDetails,
  openLink,
  type Program,
  programDetails,
  queryPrograms,
  u32,
} from "../../src/sdk/index.ts";
import { countingObject, GETPGID_FUNCTION } from "../support/attach-programs.ts";
import { cgroup2, inOwnCgroup, placesInCgroups } from "../support/cgroup.ts";
import { Scratch } from "../support/cli.ts";
import { fixture } from "../support/fixture.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { runInNetwork, runWithMount } from "../support/mounts.ts";
import { orderPrograms } from "../support/order-programs.ts";

const idOf = (program: Program) => programDetails(program).id;
const links = { kernel: "5.8" } as const;

/** Makes one socket in this process's cgroup. */
async function makeSocket(): Promise<void> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  socket.close();
}

const SOCKETS = "cgroup_inet_sock_create";
const socketPrograms = { type: "cgroup_sock", expectedAttachType: SOCKETS, result: 1 } as const;

/** What is told of a link, the same by itself and by its id; without the id. */
function detailsOf(link: Link): Omit<LinkDetails, "id"> {
  const { id, ...details } = linkDetails(link);
  assert.ok(id > 0 && [...linkIds()].includes(id), `${id}`);
  using again = openLink(id);
  assert.deepEqual(again.details(), { id, ...details });
  return details;
}

kernelTest("link details: a raw tracepoint", links, () => {
  using object = loadObject(countingObject({ type: "raw_tracepoint" }));
  using link = object.programs.p.attachRawTracepoint("sys_enter");
  const programId = idOf(object.programs.p);
  assert.deepEqual(detailsOf(link), { type: "raw_tracepoint", programId, tracepoint: "sys_enter", cookie: 0n });
});

kernelTest("link details: tp_btf is a raw tracepoint to the kernel", { ...links, attach: "tp_btf" }, () => {
  const target = { type: "tracing", expectedAttachType: "trace_raw_tp", attachTo: "sys_enter" } as const;
  using object = loadObject(countingObject(target));
  using link = attachTracing(object.programs.p);
  const programId = idOf(object.programs.p);
  assert.deepEqual(detailsOf(link), { type: "raw_tracepoint", programId, tracepoint: "sys_enter", cookie: 0n });
});

kernelTest("link details: fentry tells its target and cookie", { attach: "fentry" }, () => {
  const target = { type: "tracing", expectedAttachType: "trace_fentry", attachTo: GETPGID_FUNCTION } as const;
  using object = loadObject(countingObject(target));
  const cookie = kernelIsAtLeast("6.0") ? { cookie: 11n } : {};
  using link = attachTracing(object.programs.p, cookie);
  const details = detailsOf(link) as Extract<LinkDetails, { type: "tracing" }>;
  assert.equal(details.attachType, "trace_fentry");
  if (kernelIsAtLeast("5.13")) {
    assert.ok(details.targetObjectId > 0);
    assert.ok(details.targetTypeId > 0);
  }
  assert.equal(details.cookie, kernelIsAtLeast("6.18") ? 11n : details.cookie);
  // Links of tracing programs take no other program, and cannot be detached by force.
  assert.throws(() => link.update(object.programs.p), { code: "EINVAL", message: /attach the new program beside/ });
  assert.throws(() => link.detach(), { code: "EOPNOTSUPP", message: /last until nobody holds them/ });
});

kernelTest(
  "link details: a cgroup's, who is attached there, and updates that name the old program",
  cgroup2,
  async () => {
    await inOwnCgroup((path) => {
      using programs = orderPrograms(3, socketPrograms);
      const [one, two, three] = [1, 2, 3].map(programs.program) as [Program, Program, Program];
      const target = { cgroup: path, attachType: SOCKETS } as const;
      assert.deepEqual(queryPrograms(target).programs, []);
      using link = attachCgroup(one, path);
      const attachType = SOCKETS;
      const details = { type: "cgroup", programId: idOf(one), cgroupId: BigInt(statSync(path).ino), attachType };
      assert.deepEqual(detailsOf(link), details);
      const attached = queryPrograms(target);
      assert.deepEqual([attached.programs, attached.mode], [[{ id: idOf(one), linkId: undefined }], "multi"]);
      assert.equal(attached.revision !== undefined, placesInCgroups());
      assert.throws(() => link.update(two, { old: three }), {
        code: "EPERM",
        message: /is not the one that is attached/,
      });
      link.update(two, { old: one });
      assert.deepEqual(detailsOf(link), { ...details, programId: idOf(two) });
      // Below, what is attached above is in force, too.
      const below = `${path}/below`;
      mkdirSync(below);
      assert.deepEqual(queryPrograms({ ...target, cgroup: below }).programs, []);
      const inForce = queryPrograms({ ...target, cgroup: below, effective: true });
      assert.ok(inForce.programs.some(({ id }) => id === idOf(two)));
      rmdirSync(below);
      assert.throws(() => queryPrograms({ ...target, cgroup: "/proc" }), { code: "EBADF" });
    });
  },
);

kernelTest(
  "anchors: programs of a cgroup are placed first, before and after",
  placesInCgroups() ? cgroup2 : { kernel: "6.17" },
  async () => {
    await inOwnCgroup(async (path) => {
      using programs = orderPrograms(5, socketPrograms);
      const [one, two, three, four, five] = [1, 2, 3, 4, 5].map(programs.program) as [
        Program,
        Program,
        Program,
        Program,
        Program,
      ];
      const target = { cgroup: path, attachType: SOCKETS } as const;
      const runs = async (...order: readonly Program[]) => {
        assert.deepEqual(
          queryPrograms(target).programs.map(({ id }) => id),
          order.map(idOf),
        );
        programs.take();
        await makeSocket();
        const digits = order.map((program) => [one, two, three, four, five].indexOf(program) + 1).join("");
        assert.match(programs.take(), new RegExp(`^(${digits})+$`));
      };
      using first = attachCgroup(one, path);
      const { revision } = queryPrograms(target);
      using _last = attachCgroup(two, path, { position: "last" });
      using _before = attachCgroup(three, path, { before: first });
      await runs(three, one, two);
      using after = attachCgroup(four, path, { after: { linkId: first.details().id } });
      await runs(three, one, four, two);
      after.close();
      // Links beside links, what has no link beside programs.
      assert.throws(
        () => attachCgroup(four, path, { after: one }),
        /^TypeError: In cgroups a link can only be placed beside a link/,
      );
      assert.throws(
        () => attachCgroup(four, path, { after: first, through: "attach" }),
        /^TypeError: .*beside a program/,
      );
      const plain = attachCgroup(four, path, { position: "first", through: "attach" });
      await runs(four, three, one, two);
      const beside = attachCgroup(five, path, { after: four, through: "attach" });
      await runs(four, five, three, one, two);
      plain.close();
      beside.close();
      const { revision: now } = queryPrograms(target);
      assert.ok(revision !== undefined && now !== undefined && now > revision);
      assert.throws(() => attachCgroup(four, path, { expectedRevision: revision }), { code: "ESTALE" });
      assert.throws(() => attachCgroup(four, path, { before: { programId: idOf(four) }, through: "attach" }), {
        code: "ENOENT",
        message: /is not attached there/,
      });
      using _front = attachCgroup(four, path, { position: "first", expectedRevision: now });
      await runs(four, three, one, two);
    });
  },
);

kernelTest(
  "more programs than there was room for at first are told of, in their order",
  { ...cgroup2, kernel: "5.7" },
  async () => {
    await inOwnCgroup((path) => {
      using programs = orderPrograms(2, socketPrograms);
      const [one, two] = [1, 2].map(programs.program) as [Program, Program];
      // The kernel takes 64 at one cgroup.
      const attached = Array.from({ length: 40 }, (_, i) => attachCgroup(i % 2 === 0 ? one : two, path));
      const { programs: shown } = queryPrograms({ cgroup: path, attachType: SOCKETS });
      assert.deepEqual(
        shown.map(({ id }) => id),
        attached.map((_, i) => idOf(i % 2 === 0 ? one : two)),
      );
      for (const link of attached) link.close();
      assert.deepEqual(queryPrograms({ cgroup: path, attachType: SOCKETS }).programs, []);
    });
  },
);

kernelTest(
  "anchors: kernels without places in cgroups refuse them, and attach nothing",
  { unless: placesInCgroups() ? "this one has them" : cgroup2.unless },
  async () => {
    await inOwnCgroup((path) => {
      using programs = orderPrograms(1, socketPrograms);
      for (const place of [{ position: "first" }, { expectedRevision: 1n }] as const)
        assert.throws(() => attachCgroup(programs.program(1), path, place), {
          code: "EINVAL",
          message: /need Linux 6\.17/,
        });
      assert.deepEqual(queryPrograms({ cgroup: path, attachType: SOCKETS }).programs, []);
    });
  },
);

kernelTest("a program of a cgroup without a link takes another's place, and neither is doubled", cgroup2, async () => {
  await inOwnCgroup(async (path) => {
    using programs = orderPrograms(3, socketPrograms);
    const [one, two, three] = [1, 2, 3].map(programs.program) as [Program, Program, Program];
    const target = { cgroup: path, attachType: SOCKETS } as const;
    const runs = async (expected: RegExp) => {
      programs.take();
      await makeSocket();
      assert.match(programs.take(), expected);
    };
    using first = attachCgroup(one, path, { through: "attach" });
    assert.equal(first.fd, undefined);
    using second = attachCgroup(two, path, { replace: one });
    await runs(/^2+$/);
    assert.deepEqual(
      queryPrograms(target).programs.map(({ id }) => id),
      [idOf(two)],
    );
    // What was replaced is gone: its link takes nothing away.
    first.close();
    await runs(/^2+$/);
    assert.throws(() => attachCgroup(three, path, { replace: one }), {
      code: "ENOENT",
      message: /"p" is not attached there/,
    });
    assert.throws(() => attachCgroup(three, path, { replace: two, position: "first" }), /^TypeError: .*has no other/);
    assert.throws(() => attachCgroup(three, path, { replace: two, through: "link" }), /^TypeError: .*its update\(\)/);
    second.close();
    await runs(/^$/);
  });
});

kernelTest("link details: iterators over tasks and over a map's elements", { attach: "iterators" }, () => {
  const iterator = (attachTo: string) =>
    countingObject({ type: "tracing", expectedAttachType: "trace_iter", attachTo, own: false });
  using tasks = loadObject(iterator("task"));
  const task = kernelIsAtLeast("6.1") ? { task: { pid: process.pid } } : {};
  using link = attachIterator(tasks.programs.p, task);
  const limited = kernelIsAtLeast("6.1") ? { task: { tid: 0, pid: process.pid } } : {};
  const programId = idOf(tasks.programs.p);
  assert.deepEqual(detailsOf(link), { type: "iter", programId, targetName: "task", ...limited });
  // Opened by its id it is read as by the one who made it.
  using again = openLink(link.details().id);
  assert.ok(again instanceof IteratorLink);
  again.read();
  assert.ok(Number(tasks.maps.counts.get(0)?.[0]) > 0);
  using elements = loadObject(iterator("bpf_map_elem"));
  using map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 2 }, "walked");
  using walk = attachIterator(elements.programs.p, { map });
  const walked = { type: "iter", programId: idOf(elements.programs.p), targetName: "bpf_map_elem" };
  assert.deepEqual(detailsOf(walk), { ...walked, mapId: mapDetails(map).id });
});

kernelTest("link details: uprobes, tracepoints and counters of perf's", { kernel: "5.15", attach: "uprobes" }, () => {
  const path = fixture("probed");
  using probe = loadObject(countingObject({ type: "kprobe" }));
  using uprobe = attachUprobe(probe.programs.p, { path, symbol: "probed", pid: process.pid, cookie: 5n });
  const told = kernelIsAtLeast("6.6");
  const cookie = (given: bigint) => (kernelIsAtLeast("6.9") ? given : 0n);
  const details = detailsOf(uprobe) as Extract<LinkDetails, { type: "perf_event" }>;
  assert.equal(details.programId, idOf(probe.programs.p));
  assert.equal(details.event?.kind, told ? "uprobe" : undefined);
  if (details.event?.kind === "uprobe") {
    assert.deepEqual([details.event.path, details.event.cookie], [path, cookie(5n)]);
    assert.ok(details.event.offset > 0);
  }
  using samples = loadObject(countingObject({ type: "perf_event" }));
  using faults = attachPerfEvent(samples.programs.p, {
    event: "pageFaults",
    period: 1000,
    pid: process.pid,
    cookie: 6n,
  });
  const sampled = detailsOf(faults) as Extract<LinkDetails, { type: "perf_event" }>;
  // PERF_TYPE_SOFTWARE, PERF_COUNT_SW_PAGE_FAULTS.
  const event = { kind: "event", eventType: 1, config: 2n, cookie: cookie(6n) };
  assert.deepEqual(sampled.event, told ? event : undefined);
});

kernelTest("link details: kprobes and many of them", { attach: "kprobes", config: "CONFIG_KPROBE_EVENTS" }, () => {
  using object = loadObject(countingObject({ type: "kprobe" }));
  using link = attachKprobe(object.programs.p, GETPGID_FUNCTION);
  if (kernelIsAtLeast("5.15")) {
    const { event } = detailsOf(link) as Extract<LinkDetails, { type: "perf_event" }>;
    assert.equal(event?.kind, kernelIsAtLeast("6.6") ? "kprobe" : undefined);
    if (event?.kind === "kprobe") {
      assert.deepEqual([event.function, event.offset, event.missed], [GETPGID_FUNCTION, 0, 0n]);
      assert.ok(event.address > 0n);
    }
  } else {
    assert.equal(link.fd, undefined);
    assert.throws(() => link.details(), /^TypeError: Cannot look at kprobe .*: the kernel keeps no BPF link for it/);
    assert.throws(() => linkDetails(link), /^TypeError: The kernel keeps no BPF link for this attachment/);
  }
});

kernelTest("link details: kprobe.multi", { attach: "kprobe.multi", config: "CONFIG_FPROBE" }, () => {
  using many = loadObject(countingObject({ type: "kprobe", expectedAttachType: "trace_kprobe_multi" }));
  const symbols = [GETPGID_FUNCTION, "vfs_open"];
  using multi = attachKprobeMulti(many.programs.p, { symbols, cookies: [1n, 2n], isReturn: true });
  const details = detailsOf(multi) as Extract<LinkDetails, { type: "kprobe_multi" }>;
  const { programId, type, missed } = details;
  assert.deepEqual([type, programId, missed], ["kprobe_multi", idOf(many.programs.p), 0n]);
  if (!kernelIsAtLeast("6.6")) return;
  assert.deepEqual([details.count, details.isReturn, details.addresses.length], [2, true, 2]);
  assert.ok(details.addresses.every((address) => address > 0n));
  // The kernel keeps them in the order of their addresses.
  assert.deepEqual(new Set(details.cookies), new Set(kernelIsAtLeast("6.9") ? [1n, 2n] : [0n]));
});

kernelTest("link details: uprobe.multi", { attach: "uprobe.multi" }, () => {
  const path = fixture("probed");
  using many = loadObject(countingObject({ type: "kprobe", expectedAttachType: "trace_uprobe_multi" }));
  const places = { path, symbols: ["probed", "main"], cookies: [3n, 4n], pid: process.pid };
  using multi = attachUprobeMulti(many.programs.p, places);
  const details = detailsOf(multi) as Extract<LinkDetails, { type: "uprobe_multi" }>;
  assert.deepEqual([details.type, details.programId], ["uprobe_multi", idOf(many.programs.p)]);
  if (!kernelIsAtLeast("6.8")) return;
  const { count, cookies, offsets, counterOffsets, pid, isReturn } = details;
  assert.deepEqual([details.path, count, pid, isReturn], [path, 2, process.pid, false]);
  assert.deepEqual(
    [cookies, counterOffsets],
    [
      [3n, 4n],
      [0n, 0n],
    ],
  );
  assert.ok(offsets.length === 2 && offsets.every((offset) => offset > 0n) && offsets[0] !== offsets[1]);
});

kernelTest("link details: a sockmap's link, and who is attached to one", () => {
  const kind = { type: "sk_msg", expectedAttachType: "sk_msg_verdict" } as const;
  using object = loadObject(countingObject({ ...kind, own: false, result: 1 }));
  using map = createMap({ type: "sockmap", maxEntries: 1 }, "sockets");
  using link = attachSockmap(object.programs.p, map);
  const programId = idOf(object.programs.p);
  if (kernelIsAtLeast("6.10")) {
    const details = { type: "sockmap", programId, mapId: mapDetails(map).id, attachType: "sk_msg_verdict" };
    assert.deepEqual(detailsOf(link), details);
  } else assert.equal(link.fd, undefined);
  const target = { sockmap: map, attachType: "sk_msg_verdict" } as const;
  if (kernelIsAtLeast("5.18")) assert.deepEqual(queryPrograms(target).programs, [{ id: programId, linkId: undefined }]);
  else assert.throws(() => queryPrograms(target), { code: "EINVAL", message: /need Linux 5\.18/ });
});

/** Runs the child in a network namespace of its own. */
async function inNamespace(kind: string): Promise<void> {
  assert.equal(await runInNetwork("links-net", kind), "done\n");
}

const ip = { command: ["ip", "unshare"] } as const;
for (const [kind, needs] of Object.entries({
  xdp: { attach: "xdp" },
  netns: { attach: "sk_lookup" },
  netfilter: { attach: "netfilter" },
}))
  kernelTest(`link details: ${kind}`, { ...ip, ...needs }, () => inNamespace(kind));

kernelTest("anchors: tcx programs are placed first, last, before and after", { ...ip, attach: "tcx" }, () =>
  inNamespace("tcx"),
);

kernelTest(
  "anchors: netkit programs are placed first, last, before and after",
  { ...ip, kernel: "6.7", config: "CONFIG_NETKIT" },
  () => inNamespace("netkit"),
);

kernelTest("pinned links live on, are opened again and unpinned", { ...links, command: "unshare" }, async () => {
  using scratch = new Scratch();
  const folder = scratch.file("bpffs");
  mkdirSync(folder);
  const { code, stdout, stderr } = await runWithMount("pinned-link", "bpf", folder, folder);
  assert.deepEqual([code, stdout], [0, "done\n"], stderr);
  assert.ok(!existsSync(`${folder}/link`));
});

kernelTest("a link that there is not is named, and what it takes to ask", links, () => {
  assert.throws(() => openLink(0x7fff_fff0), {
    code: "ENOENT",
    message: /Cannot open link 2147483632: .*There is no link with this id/,
  });
});
