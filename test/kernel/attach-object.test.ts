// Objects are attached by what their sections say, and each kind of attachment goes over to another object: the first counts
// by one, the second by a thousand.
import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import {
  type AttachOptions,
  attachNetfilter,
  attachPerfEvent,
  type KeyedMap,
  loadObject,
  type ObjectSpec,
  r0,
  r1,
  r6,
  r7,
} from "../../src/sdk/index.ts";
import {
  type Counting,
  counting,
  countingObject,
  countsMap,
  GETPGID_FUNCTION,
  isGetpgid,
  onlyWhenTold,
} from "../support/attach-programs.ts";
import { cgroup2, inOwnCgroup } from "../support/cgroup.ts";
import { conversation } from "../support/conversation.ts";
import { fixture } from "../support/fixture.ts";
import { kernelTest, machine, type Requirements } from "../support/kernel-test.ts";
import { fixture as objectFixture } from "../support/objects.ts";
import { pace } from "../support/pace.ts";
import { callGetpgid } from "../support/probe-programs.ts";

/** Opens a file, and tells the program to count meanwhile: attaching opens files, too. */
function open(counts: Counts): void {
  const tell = (told: bigint) => counts.set(0, [counts.get(0)?.[0] ?? 0n, told]);
  tell(1n);
  closeSync(openSync("/proc/version", "r"));
  tell(0n);
}

type Counts = KeyedMap<number, bigint[]>;

/** Attaches by the section, replaces, and shows that each version counts what happens in its time. */
async function goesOver(
  options: Counting,
  once: (counts: Counts) => void | Promise<void>,
  attach: AttachOptions = {},
  expected = 1,
): Promise<void> {
  const object = loadObject(countingObject(options), { replaceable: true });
  try {
    const { counts } = object.maps;
    const count = () => Number(counts.get(0)?.[0]);
    await once(counts);
    assert.equal(count(), 0, "nothing is counted before it is attached");
    object.attach(attach);
    await once(counts);
    assert.equal(count(), expected, "the first version counts");
    await object.replace(countingObject({ ...options, step: 1000 }));
    await once(counts);
    assert.equal(count(), 1001 * expected, "the second version counts, and the first does not");
    await object.replace(countingObject({ ...options, step: 1_000_000 }));
    for (const link of object.links) link.close();
    await once(counts);
    assert.equal(count(), 1001 * expected, "nothing is counted once the links are closed");
  } finally {
    object.close();
  }
}

const kprobes = { attach: "kprobes", config: "CONFIG_KPROBE_EVENTS" } as const;
const fprobe = { attach: "kprobe.multi", config: "CONFIG_FPROBE" } as const;
const multi = { type: "kprobe", expectedAttachType: "trace_kprobe_multi" } as const;
/** The tracing programs are given the address of the function they are at. */
const knowsFunction: Counting["when"] = (a) => {
  a.mov(r1, r6).call("get_func_ip").jeq(r0, 0, "out").mov(r7, r0);
};

const KINDS: readonly [section: string, requirements: Requirements, options: Counting][] = [
  [`kprobe/${GETPGID_FUNCTION}`, kprobes, { type: "kprobe" }],
  [`kretprobe/${GETPGID_FUNCTION}`, kprobes, { type: "kprobe" }],
  [`kprobe.multi/${GETPGID_FUNCTION}`, fprobe, multi],
  [`kretprobe.multi/${GETPGID_FUNCTION}`, fprobe, multi],
  [
    "kprobe.multi/__x64_sys_getpg?d",
    { ...fprobe, unless: process.arch === "x64" ? undefined : "the name is x64's" },
    multi,
  ],
  ["ksyscall/getpgid", kprobes, { type: "kprobe" }],
  ["kretsyscall/getpgid", kprobes, { type: "kprobe" }],
  ["tracepoint/syscalls/sys_enter_getpgid", {}, { type: "tracepoint" }],
  ["raw_tp/sys_enter", {}, { type: "raw_tracepoint", when: isGetpgid }],
  ["tp_btf/sys_enter", { attach: "tp_btf" }, { type: "tracing", expectedAttachType: "trace_raw_tp", when: isGetpgid }],
  [`fentry/${GETPGID_FUNCTION}`, { attach: "fentry" }, { type: "tracing", expectedAttachType: "trace_fentry" }],
  [`fexit/${GETPGID_FUNCTION}`, { attach: "fexit" }, { type: "tracing", expectedAttachType: "trace_fexit" }],
];

for (const [section, requirements, options] of KINDS) {
  kernelTest(`attach by section and replace: ${section}`, requirements, async () => {
    const attachTo = section.slice(section.indexOf("/") + 1);
    await goesOver({ ...options, section, attachTo }, () => callGetpgid(1));
  });
}

kernelTest("replace: an fentry program is still told its function", { attach: "fentry", kernel: "5.17" }, async () => {
  const section = `fentry/${GETPGID_FUNCTION}`;
  const options = { type: "tracing", expectedAttachType: "trace_fentry", when: knowsFunction } as const;
  await goesOver({ ...options, section, attachTo: GETPGID_FUNCTION }, () => callGetpgid(1));
});

for (const [section, requirements, type, expectedAttachType] of [
  ["lsm/file_open", { attach: "lsm" }, "lsm", "lsm_mac"],
  ["fmod_ret/security_file_open", { attach: "fmod_ret" }, "tracing", "modify_return"],
] as const) {
  kernelTest(`attach by section and replace: ${section}`, requirements, async () => {
    const attachTo = section.slice(section.indexOf("/") + 1);
    await goesOver({ type, expectedAttachType, section, attachTo, when: onlyWhenTold }, open);
  });
}

const uprobeMulti = { attach: "uprobe.multi" } as const;
for (const [kind, requirements, expectedAttachType, functions] of [
  ["uprobe", { attach: "uprobes" }, undefined, "probed"],
  ["uretprobe", { attach: "uprobes" }, undefined, "probed"],
  ["uprobe.multi", uprobeMulti, "trace_uprobe_multi", "prob[e]d"],
  ["uretprobe.multi", uprobeMulti, "trace_uprobe_multi", "probed"],
] as const) {
  kernelTest(`attach by section and replace: ${kind}`, requirements, async () => {
    const attachTo = `${fixture("probed")}:${functions}`;
    await conversation([fixture("probed")], async (pid, say) => {
      const call = async () => void (await say(""));
      const options = {
        type: "kprobe",
        own: false,
        section: `${kind}/${attachTo}`,
        attachTo,
        ...(expectedAttachType !== undefined && { expectedAttachType }),
      } as const;
      await goesOver(options, call, { pid });
    });
  });
}

/** A compiled object with one of its programs, for what it attaches to; `count` is the variable that it counts in. */
async function compiledGoesOver(
  file: string,
  name: string,
  attachTo: string,
  count: string,
  once: () => void | Promise<void>,
  attach: AttachOptions = {},
): Promise<void> {
  const spec = objectFixture(file);
  const program = spec.programs[name];
  assert.ok(program !== undefined);
  const next: ObjectSpec = { ...spec, programs: { [name]: { ...program, attachTo, optional: false } } };
  const object = loadObject(next, { replaceable: true, variables: { wanted: attach.pid ?? process.pid } });
  try {
    const counted = () => Number(object.variables[count]?.get());
    object.attach(attach);
    await once();
    assert.equal(counted(), 1);
    // The same once more, with the variables that it has.
    await object.replace(next);
    await once();
    assert.equal(counted(), 2);
  } finally {
    object.close();
  }
}

kernelTest(
  "attach by section and replace: usdt",
  { attach: "uprobes", unless: process.arch === "x64" ? undefined : "the program with the probes is x86-64 assembly" },
  async () => {
    await conversation([fixture("usdt")], async (pid, say) => {
      const call = async () => void (await say("forms"));
      await compiledGoesOver("usdt.el", "on_probe", `${fixture("usdt")}:skep:nothing`, "hits", call, { pid });
    });
  },
);

kernelTest("attach by section and replace: kprobe.session", { ...fprobe, attach: "kprobe.session" }, async () => {
  await compiledGoesOver("session.el", "of_kernel", GETPGID_FUNCTION, "ended", () => callGetpgid(1));
});

kernelTest("attach by section and replace: uprobe.session", { attach: "uprobe.session" }, async () => {
  await conversation([fixture("probed")], async (pid, say) => {
    const call = async () => void (await say(""));
    await compiledGoesOver("session.el", "of_program", `${fixture("probed")}:probed`, "ended", call, { pid });
  });
});

kernelTest("programs that stand in maps are left alone, also those without a section", { kernel: "5.9" }, () => {
  for (const expectedAttachType of ["xdp_devmap", "xdp_cpumap"] as const) {
    using object = loadObject(countingObject({ type: "xdp", expectedAttachType, own: false }));
    assert.deepEqual(object.attach(), {});
  }
});

kernelTest("attach by section and replace: perf_event by a function", async () => {
  const object = loadObject(countingObject({ type: "perf_event" }), { replaceable: true });
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  /** Until there are samples: the clock is that of the CPU, and a busy machine gives none of it for a while. */
  const spin = () => {
    const [before, end] = [count(), performance.now() + pace(5000, 20_000)];
    while (count() === before && performance.now() < end);
  };
  try {
    assert.throws(() => object.attach(), { code: "SKEP_ATTACH", message: /attachPerfEvents\(program, …\)/ });
    object.attach({
      programs: {
        p: (program) => attachPerfEvent(program, { event: "cpuClock", period: 100_000, pid: process.pid }),
      },
    });
    spin();
    const first = count();
    assert.ok(first > 0 && first < 1_000_000, `${first} samples`);
    await object.replace(countingObject({ type: "perf_event", step: 1_000_000 }));
    const before = count();
    spin();
    const after = count() - before;
    assert.ok(after > 0 && after % 1_000_000 === 0, `${after} is of the second version alone`);
  } finally {
    object.close();
  }
});

kernelTest("attach by section and replace: cgroup_skb/egress", cgroup2, async () => {
  await inOwnCgroup(async (cgroup) => {
    const { createSocket } = await import("node:dgram");
    const send = () =>
      new Promise<void>((resolve, reject) => {
        const socket = createSocket("udp4");
        socket.send("x", 9, "127.0.0.1", (error) => {
          socket.close();
          if (error) reject(error);
          else resolve();
        });
      });
    const section = "cgroup_skb/egress";
    const options = {
      type: "cgroup_skb",
      expectedAttachType: "cgroup_inet_egress",
      own: false,
      result: 1,
      section,
    } as const;
    await goesOver(options, send, { cgroup });
  });
});

kernelTest("attach: what a section does not say is asked for, and what was attached before is undone", cgroup2, () => {
  const first = counting({
    type: "raw_tracepoint",
    section: "raw_tp/sys_enter",
    attachTo: "sys_enter",
    when: isGetpgid,
  });
  const spec = {
    maps: { counts: countsMap },
    programs: {
      first,
      net: counting({ type: "xdp", expectedAttachType: "xdp", section: "xdp", own: false, result: 2 }),
      group: counting({
        type: "cgroup_sock",
        expectedAttachType: "cgroup_inet_sock_create",
        section: "cgroup/sock_create",
        own: false,
        result: 1,
      }),
      filter: counting({ type: "socket_filter", section: "socket", own: false }),
      nowhere: counting({ type: "raw_tracepoint", section: "raw_tp" }),
    },
  } as const satisfies ObjectSpec;
  const refused = (programs: readonly (keyof typeof spec.programs)[], message: RegExp, attach: AttachOptions = {}) => {
    using object = loadObject(spec, { programs });
    assert.throws(() => object.attach(attach), { code: "SKEP_ATTACH", message });
    assert.deepEqual(object.links, []);
    callGetpgid(2);
    assert.equal(object.maps.counts.get(0)?.[0], 0n, "what was attached was undone");
  };
  refused(["first", "net"], /"net" \(xdp\) needs a network interface: attach\(\{ interface:/);
  refused(["first", "group"], /"group" \(cgroup_sock\) needs a cgroup: attach\(\{ cgroup:/);
  refused(["first", "filter"], /attachSocketFilter\(program, …\)/);
  refused(["first", "nowhere"], /"nowhere" does not say what it attaches to: write SEC\("raw_tp\/NAME"\)/);
  refused(["first"], /no loaded program "nobody" \(it has: first\)/, { programs: { nobody: false } });
  using object = loadObject(spec, { programs: ["first", "net"] });
  const links = object.attach({ programs: { net: false } });
  assert.deepEqual(Object.keys(links), ["first"]);
  assert.throws(() => object.attach({ programs: { net: false } }), { message: /attached already/ });
});

kernelTest(
  "attach by section and replace: netfilter by a function",
  { program: "netfilter", unless: machine.virtual ? undefined : "it sees what everybody sends" },
  async () => {
    const NF_ACCEPT = 1;
    const options = { type: "netfilter", expectedAttachType: "netfilter", own: false } as const;
    using object = loadObject(countingObject({ ...options, result: NF_ACCEPT }), { replaceable: true });
    object.attach({
      programs: {
        p: (program) => attachNetfilter(program, { family: "ipv4", hook: "output", priority: 77 }),
      },
    });
    await object.replace(countingObject({ ...options, step: 1000, result: NF_ACCEPT }));
    assert.equal(object.links.length, 1);
  },
);
