// skep doctor against what is known of the machine by other ways, and against what really loads.
import assert from "node:assert/strict";
import { cpSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import {
  Assembler,
  createMap,
  loadObject,
  type MapTypeName,
  ProgramFlag,
  type ProgramTypeName,
  r0,
  SystemError,
} from "../../src/sdk/index.ts";
import { knownFeatures } from "../../src/tools/doctor/advice.ts";
import type { DoctorReport, Feature } from "../../src/tools/doctor/index.ts";
import {
  AS_NOBODY,
  asNobodyWith,
  environment,
  publicCopy,
  root,
  run,
  Scratch,
  skep,
  skepPath,
  WITHOUT_CAPABILITIES,
} from "../support/cli.ts";
import { hostTest, kernelTest, machine } from "../support/kernel-test.ts";

const node = process.execPath;
const GREEN = "\u001b[32m";
const LISTS = ["attachKinds", "programTypes", "mapTypes", "verifier", "helpers"] as const;

async function report(command: readonly string[] = [node, skepPath]): Promise<DoctorReport & { code: number | null }> {
  const { code, stdout, stderr } = await run([...command, "doctor", "--json"]);
  assert.equal(stderr, "");
  return { ...(JSON.parse(stdout) as DoctorReport), code };
}

function byName(features: readonly Feature[]): ReadonlyMap<string, Feature> {
  return new Map(features.map((feature) => [feature.name, feature]));
}

kernelTest("doctor says first that skep trace works here, then what that rests on", async () => {
  const { code, stdout, stderr } = await skep(["doctor"]);
  assert.equal(code, 0);
  assert.equal(stderr, "");
  const lines = stdout.split("\n");
  assert.match(
    lines[0] as string,
    new RegExp(`^skep \\S+ on Linux ${release().replaceAll(/[.+]/g, "\\$&")} ${process.arch}`),
  );
  assert.match(lines[2] as string, /^(works|limited) +skep trace works here, on rung [12] of 2: /);
  for (const title of ["This process", "This kernel", "File systems"]) assert.ok(lines.includes(title), title);
  for (const title of ["Attach kinds", "Program types", "Map types", "Verifier", "Helpers"]) {
    assert.match(stdout, new RegExp(`^${title}.* \\d+ of \\d+$`, "m"));
  }
  // Every row keeps to the width, and nothing is cut.
  for (const line of lines) assert.ok(line.length <= 110, line);
  assert.ok(!stdout.includes("undefined") && !stdout.includes("\u001b"));
});

kernelTest("doctor agrees with what /proc and /sys tell", async () => {
  const { environment: found, native, code, ok } = await report();
  assert.deepEqual([code, ok], [0, true]);
  assert.equal(found.release, release());
  assert.equal(found.arch, process.arch);
  assert.equal(found.uid, 0);
  assert.equal(found.btf.value, statSync("/sys/kernel/btf/vmlinux").size);
  const number = (path: string) => Number(readFileSync(`/proc/sys/${path}`, "latin1"));
  assert.equal(found.perfEventParanoid.value, number("kernel/perf_event_paranoid"));
  assert.equal(found.kptrRestrict.value, number("kernel/kptr_restrict"));
  assert.equal(found.unprivilegedBpfDisabled.value, number("kernel/unprivileged_bpf_disabled"));
  assert.equal(found.jit.value, number("net/core/bpf_jit_enable"));
  const status = readFileSync("/proc/self/status", "latin1");
  const effective = BigInt(`0x${/^CapEff:\s*(\w+)/m.exec(status)?.[1]}`);
  assert.equal(found.capabilities.value?.length, effective.toString(2).replaceAll("0", "").length);
  const mounts = readFileSync("/proc/self/mounts", "latin1").split("\n");
  for (const [key, type] of [
    ["cgroup2", "cgroup2"],
    ["bpffs", "bpf"],
    ["tracefs", "tracefs"],
    ["securityfs", "securityfs"],
  ] as const) {
    const paths = mounts.map((line) => line.split(" ")).filter((words) => words[2] === type);
    assert.deepEqual(
      found[key].value?.map((mount) => mount.path),
      paths.map((words) => words[1]),
      key,
    );
  }
  assert.equal(native.path, join(root, "prebuilds", `linux-${process.arch}`, "skep.node"));
  assert.equal(native.problem ?? undefined, undefined);
});

kernelTest("doctor --json has the shape of skep.doctor/1", async () => {
  const found = await report();
  assert.equal(found.schema, "skep.doctor/1");
  assert.equal(found.node, process.versions.node);
  assert.equal(found.skep, JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version);
  for (const verdict of found.verdicts) {
    assert.match(verdict.status, /^(works|limited|fails)$/);
    assert.ok(verdict.summary.startsWith(verdict.name), verdict.summary);
    for (const text of [...verdict.problems, ...verdict.mend]) assert.equal(typeof text, "string");
  }
  assert.deepEqual(
    found.verdicts.map(({ name }) => name),
    ["skep trace", "Your own programs"],
  );
  for (const fact of found.facts) {
    assert.match(fact.group, /^(process|kernel|mounts)$/);
    assert.match(fact.verdict, /^(good|bad|note|unknown)$/);
    if (fact.verdict === "bad") assert.ok(fact.consequence !== undefined, fact.name);
  }
  for (const list of LISTS) {
    assert.ok(found[list].length > 8, list);
    assert.equal(byName(found[list]).size, found[list].length, `${list} has a name twice`);
    for (const feature of found[list]) {
      assert.match(feature.status, /^(supported|unsupported|refused|unknown)$/);
      assert.match(feature.since ?? "", /^\d+\.\d+$/);
      if (feature.status !== "supported") assert.ok((feature.error ?? feature.reason) !== undefined, feature.name);
      for (const key of ["reason", "consequence", "mend"] as const) {
        const text = feature[key];
        if (text !== undefined) assert.ok(text.length > 5 && !text.includes("undefined"), text);
      }
    }
  }
});

kernelTest("doctor's advice is about features that are probed", async () => {
  const found = await report();
  for (const list of LISTS) {
    for (const name of knownFeatures[list]) assert.ok(byName(found[list]).has(name), `${list}: ${name}`);
  }
});

kernelTest("doctor's answers are what the kernel was built with", async (t) => {
  if (machine.option("CONFIG_BPF_SYSCALL") === undefined) return t.skip("the kernel does not show its build options");
  const { attachKinds, programTypes, mapTypes } = await report();
  const expected: [readonly Feature[], string, string][] = [
    [attachKinds, "kprobes", "CONFIG_KPROBE_EVENTS"],
    [attachKinds, "uprobes", "CONFIG_UPROBE_EVENTS"],
    [attachKinds, "kprobe.multi", "CONFIG_FPROBE"],
    [attachKinds, "netkit", "CONFIG_NETKIT"],
    [attachKinds, "netfilter", "CONFIG_NETFILTER_BPF_LINK"],
    [attachKinds, "struct_ops (sched_ext)", "CONFIG_SCHED_CLASS_EXT"],
    [attachKinds, "cgroup links", "CONFIG_CGROUP_BPF"],
    [programTypes, "lirc_mode2", "CONFIG_BPF_LIRC_MODE2"],
    [programTypes, "lwt_xmit", "CONFIG_LWTUNNEL_BPF"],
    [programTypes, "lwt_seg6local", "CONFIG_IPV6_SEG6_BPF"],
    [mapTypes, "xskmap", "CONFIG_XDP_SOCKETS"],
  ];
  for (const [list, name, option] of expected) {
    const feature = byName(list).get(name);
    const on = machine.option(option) !== "n";
    assert.equal(feature?.status, on ? "supported" : "unsupported", `${name}, ${option} ${on ? "on" : "off"}`);
    if (!on) assert.match(feature?.mend ?? "", new RegExp(`${option}.* off`));
  }
  return undefined;
});

kernelTest("doctor's program types are those that load through the SDK", async () => {
  const { programTypes } = await report();
  const instructions = new Assembler().mov(r0, 0).exit().instructions();
  const attach = {
    cgroup_sock_addr: "cgroup_inet4_connect",
    cgroup_sockopt: "cgroup_getsockopt",
    sk_lookup: "sk_lookup",
    netfilter: "netfilter",
  } as const;
  for (const { name, status } of programTypes) {
    // These name a kernel function or structure to attach to: programs of their own.
    if (["tracing", "lsm", "ext", "struct_ops"].includes(name)) continue;
    const type = name as ProgramTypeName;
    const program = {
      type,
      license: "GPL",
      instructions,
      ...(type in attach && { expectedAttachType: attach[type as keyof typeof attach] }),
      ...(type === "syscall" && { flags: ProgramFlag.sleepable }),
    };
    let loads = true;
    try {
      loadObject({ maps: {}, programs: { p: program } }).close();
    } catch (error) {
      assert.ok(error instanceof SystemError, String(error));
      loads = false;
    }
    assert.equal(loads, status === "supported", name);
  }
});

kernelTest("doctor's map types are those that can be made through the SDK", async () => {
  const { mapTypes } = await report();
  const page = 4096;
  const plain = { keySize: 4, valueSize: 4, maxEntries: 1 };
  const special: Readonly<Record<string, object>> = {
    ringbuf: { keySize: 0, valueSize: 0, maxEntries: page },
    user_ringbuf: { keySize: 0, valueSize: 0, maxEntries: page },
    queue: { keySize: 0 },
    stack: { keySize: 0 },
    bloom_filter: { keySize: 0 },
    stack_trace: { valueSize: 8 },
    lpm_trie: { keySize: 8, flags: 1 },
    arena: { keySize: 0, valueSize: 0, flags: 1 << 10 },
    cgroup_storage: { keySize: 16, maxEntries: 0 },
    percpu_cgroup_storage: { keySize: 16, maxEntries: 0 },
  };
  const needMore = ["sk_storage", "inode_storage", "task_storage", "cgrp_storage", "struct_ops", "insn_array"];
  for (const { name, status } of mapTypes) {
    if (needMore.includes(name) || name.endsWith("of_maps")) continue;
    let made = true;
    try {
      createMap({ type: name as MapTypeName, ...plain, ...special[name] }, "trial").close();
    } catch (error) {
      assert.ok(error instanceof SystemError, String(error));
      made = false;
    }
    assert.equal(made, status === "supported", name);
  }
});

kernelTest("doctor's raw tracepoints are those that attach", { program: "raw_tracepoint" }, async () => {
  const { attachKinds } = await report();
  assert.equal(byName(attachKinds).get("raw tracepoints")?.status, "supported");
  const instructions = new Assembler().mov(r0, 0).exit().instructions();
  const program = { type: "raw_tracepoint", license: "GPL", instructions } as const;
  using object = loadObject({ maps: {}, programs: { p: program } });
  using link = object.programs.p.attachRawTracepoint("sched_process_exec");
  assert.match(link.description, /sched_process_exec/);
});

kernelTest("doctor --all names every helper, and agrees with its shorter self", async () => {
  const { stdout } = await skep(["doctor", "--all", "--json"]);
  const all = JSON.parse(stdout) as DoctorReport;
  const short = await report();
  assert.ok(all.helpers.length > 200, String(all.helpers.length));
  const full = new Map(all.helpers.map((helper) => [helper.name, helper]));
  for (const helper of short.helpers) {
    const other = full.get(helper.name);
    if (helper.status === "supported") {
      assert.equal(other?.status, "supported", helper.name);
      assert.ok(other?.programs.includes(helper.programs[0] as string), helper.name);
    }
  }
  for (const helper of all.helpers) {
    assert.equal(helper.status === "supported", helper.programs.length > 0, helper.name);
  }
  const text = (await skep(["doctor", "--all"])).stdout;
  for (const { name } of all.helpers) assert.ok(text.includes(name), name);
});

hostTest("doctor attaches nothing", { command: "strace" }, async () => {
  using scratch = new Scratch();
  const log = scratch.file("calls");
  const calls = "trace=bpf,perf_event_open,ioctl";
  const { code } = await run(["strace", "-f", "-qq", "-e", calls, "-o", log, node, skepPath, "doctor", "--all"]);
  assert.equal(code, 0);
  const lines = readFileSync(log, "latin1").split("\n");
  const loads = lines.filter((line) => line.includes("BPF_PROG_LOAD") && / = \d+$/.test(line));
  assert.ok(loads.length > 30, "strace should have seen programs that load");
  for (const line of lines) {
    if (/bpf\((BPF_LINK_CREATE|BPF_RAW_TRACEPOINT_OPEN|BPF_PROG_ATTACH|BPF_OBJ_PIN)/.test(line)) {
      assert.match(line, / = -1 E/, line);
    }
    // A clock of its own is the only event it opens, and no program is put on it.
    if (/perf_event_open\(/.test(line) && / = \d+$/.test(line)) assert.match(line, /, 0, -1, -1, /, line);
    assert.doesNotMatch(line, /PERF_EVENT_IOC_SET_BPF|0x40042408/);
  }
});

kernelTest("root without capabilities: doctor says what is missing and guesses nothing", async () => {
  const full = await report();
  const found = await report([...WITHOUT_CAPABILITIES, node, skepPath]);
  assert.deepEqual([found.code, found.ok], [1, false]);
  assert.equal(found.verdicts[0]?.status, "fails");
  assert.match(found.verdicts[0]?.problems.join(" ") ?? "", /EPERM.*lacks CAP_BPF and CAP_PERFMON/);
  assert.match(found.verdicts[0]?.mend.join(" ") ?? "", /root/);
  for (const list of LISTS) {
    for (const feature of found[list]) {
      const able = byName(full[list]).get(feature.name);
      // Refused is not unsupported: nobody may say that the kernel lacks what it has.
      if (able?.status === "supported") assert.notEqual(feature.status, "unsupported", feature.name);
      if (feature.status === "refused") assert.match(feature.reason ?? "", /This process lacks CAP_/);
    }
  }
  const { stdout, code } = await run([...WITHOUT_CAPABILITIES, node, skepPath, "doctor"]);
  assert.equal(code, 1);
  assert.match(stdout, /^fails +skep trace does not work here/m);
});

kernelTest("another user without any right gets a report", async () => {
  using scratch = new Scratch();
  const found = await report([...AS_NOBODY, node, publicCopy(scratch)]);
  assert.deepEqual([found.code, found.environment.uid], [1, 65534]);
  assert.deepEqual(found.environment.capabilities.value, []);
  assert.ok(found.programTypes.every(({ status }) => status !== "supported"));
});

kernelTest("another user with CAP_BPF and CAP_PERFMON can trace, not do networking", { kernel: "5.8" }, async () => {
  using scratch = new Scratch();
  const found = await report([...asNobodyWith("bpf", "perfmon"), node, publicCopy(scratch)]);
  assert.deepEqual([found.code, found.ok], [0, true]);
  const types = byName(found.programTypes);
  assert.equal(types.get("raw_tracepoint")?.status, "supported");
  assert.equal(types.get("xdp")?.status, "refused");
  assert.match(types.get("xdp")?.reason ?? "", /lacks CAP_NET_ADMIN:/);
  assert.match(byName(found.mapTypes).get("sockmap")?.reason ?? "", /lacks CAP_NET_ADMIN:/);
});

for (const hidden of ["/proc", "/proc/sys", "/sys", "/sys/kernel/btf"]) {
  hostTest(`doctor without ${hidden}`, { command: "unshare" }, async () => {
    const script = `mount -t tmpfs none ${hidden} && exec "$0" "$1" doctor --json`;
    const { code, stdout, stderr } = await run(["unshare", "--mount", "sh", "-c", script, node, skepPath]);
    assert.equal(stderr, "");
    assert.equal(code, 0);
    const found = JSON.parse(stdout) as DoctorReport;
    assert.equal(byName(found.programTypes).get("raw_tracepoint")?.status, "supported");
    if (hidden.startsWith("/sys")) {
      assert.equal(found.environment.btf.value, null);
      assert.equal(byName(found.attachKinds).get("fentry")?.status, "unknown");
      assert.match(byName(found.attachKinds).get("fentry")?.reason ?? "", /BTF/);
    }
    if (hidden === "/proc") {
      assert.equal(found.environment.capabilities.value, null);
      assert.equal(found.environment.cgroup2.value, null);
    }
  });
}

hostTest("doctor without the native addon, and how it builds one", async () => {
  using scratch = new Scratch();
  const copy = publicCopy(scratch, ["bin", "dist/cli", "package.json"]);
  const missing = await run([node, copy, "doctor"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stdout, /^fails +skep trace does not work here: .*native addon/m);
  assert.match(missing.stdout, /prebuilds\/linux-\w+\/skep\.node/);
  const hopeless = await run([node, copy, "doctor", "--build-native"]);
  assert.deepEqual([hopeless.code, hopeless.stdout], [1, ""]);
  assert.match(hopeless.stderr, /^skep: This copy of Skep has no native\/build\.js: install Skep again\.\n$/);

  for (const file of ["native/build.js", "native/skep.c"]) cpSync(join(root, file), scratch.file(file));
  symlinkSync(join(root, "node_modules"), scratch.file("node_modules"));
  const noCompiler = await run([node, copy, "doctor", "--build-native"], {
    env: environment({ CC: "/nonexistent/cc" }),
  });
  assert.equal(noCompiler.code, 1);
  assert.match(
    noCompiler.stderr,
    /^skep: Skep's native part needs a C compiler, and CC=\/nonexistent\/cc does not run/,
  );
  const built = await run([node, copy, "doctor", "--build-native"]);
  assert.equal(built.code, 0, built.stderr);
  assert.equal(built.stderr, `Built ${scratch.file(`prebuilds/linux-${process.arch}/skep.node`)}\n`);
  assert.match(built.stdout, /^(works|limited) +skep trace works here/m);
});

hostTest("an addon that is not one is met with the reason", async () => {
  const env = environment({ SKEP_NATIVE: "/etc/passwd" });
  const { code, stdout, stderr } = await skep(["doctor"], { env });
  assert.deepEqual([code, stderr], [1, ""]);
  assert.match(stdout, /native addon does not load: \/etc\/passwd/);
});

hostTest("doctor's colours: on a terminal, unless NO_COLOR says no", { command: "script" }, async () => {
  const inTerminal = async (extra: NodeJS.ProcessEnv, ...args: string[]) => {
    const command = [node, skepPath, "doctor", ...args].join(" ");
    return (await run(["script", "-qec", command, "/dev/null"], { env: environment({ TERM: "xterm", ...extra }) }))
      .stdout;
  };
  assert.ok((await inTerminal({})).includes(GREEN));
  assert.ok(!(await inTerminal({ NO_COLOR: "1" })).includes("\u001b["));
  assert.ok(!(await inTerminal({}, "--no-color")).includes("\u001b["));
  assert.ok((await skep(["doctor", "--color"])).stdout.includes(GREEN));
});

hostTest("doctor's usage errors end with 2, a reader that goes away ends nothing", async () => {
  const option = await skep(["doctor", "--nosuch"]);
  assert.deepEqual([option.code, option.stdout], [2, ""]);
  assert.match(option.stderr, /^skep doctor: .*--nosuch/);
  const positional = await skep(["doctor", "trace"]);
  assert.equal(positional.code, 2);
  const help = await skep(["doctor", "--help"]);
  assert.equal(help.code, 0);
  assert.match(help.stdout, /--build-native/);
  const script = `"$0" "$1" doctor --all | true; exit "\${PIPESTATUS[0]}"`;
  const { code, stderr } = await run(["bash", "-c", script, node, skepPath]);
  assert.deepEqual([code, stderr], [0, ""]);
});
