// Life without root: another user does all that children/unprivileged.ts knows, with some capabilities. What these are enough
// for works, and what needs more names what is missing. docs/privileges.md says the same in words.
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cgroup2, inOwnCgroup } from "../support/cgroup.ts";
import { AS_NOBODY, asNobodyWith, environment, publicChild, root, run, Scratch } from "../support/cli.ts";
import { kernelIsAtLeast, kernelTest, machine } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";

/** What a deed needs, by the names of capabilities in small letters. */
interface Deed {
  readonly needs: readonly string[];
  /** Needed on some kernels, or by some settings. */
  readonly perhaps?: readonly string[];
  /** The kind of attachment that it shows; where the kernel has none the deed is left out. */
  readonly attach?: string;
  readonly kernel?: string;
  /** It works in the virtual machine only: here the kernel is locked down. */
  readonly virtual?: true;
}

const BPF = ["bpf"] as const;
const TRACE = ["bpf", "perfmon"] as const;
const NETWORK = ["bpf", "net_admin"] as const;

const DEEDS: Readonly<Record<string, Deed>> = {
  maps: { needs: BPF },
  ring: { needs: BPF },
  testRun: { needs: BPF },
  perfBuffer: { needs: TRACE },
  replace: { needs: TRACE },
  pin: { needs: TRACE },
  rawTracepoint: { needs: TRACE },
  tpBtf: { needs: TRACE, attach: "tp_btf" },
  perfEvent: { needs: TRACE },
  iterator: { needs: TRACE, attach: "iterators" },
  uprobeMulti: { needs: TRACE, attach: "uprobe.multi" },
  kprobe: { needs: TRACE, attach: "kprobes" },
  kretprobe: { needs: TRACE, attach: "kprobes" },
  ksyscall: { needs: TRACE, attach: "kprobes" },
  kprobeMulti: { needs: TRACE, attach: "kprobe.multi" },
  fentry: { needs: TRACE, attach: "fentry" },
  lsm: { needs: TRACE, attach: "lsm" },
  netns: { needs: BPF, perhaps: ["net_admin"], attach: "sk_lookup" },
  install: { needs: NETWORK },
  cgroup: { needs: NETWORK },
  xdp: { needs: NETWORK, attach: "xdp" },
  tc: { needs: NETWORK },
  tcx: { needs: NETWORK, attach: "tcx" },
  netfilter: { needs: NETWORK, attach: "netfilter" },
  sockmap: { needs: NETWORK },
  devmap: { needs: NETWORK },
  xskmap: { needs: NETWORK },
  query: { needs: ["net_admin"] },
  uprobe: kernelIsAtLeast("6.16")
    ? { needs: [...TRACE, "sys_admin"], attach: "uprobes" }
    : { needs: TRACE, perhaps: ["sys_admin"], attach: "uprobes" },
  mapIds: { needs: ["sys_admin"] },
  programIds: { needs: ["sys_admin"] },
  linkIds: { needs: ["sys_admin"], kernel: "5.8" },
  openMap: { needs: [...BPF, "sys_admin"] },
  openProgram: { needs: [...TRACE, "sys_admin"] },
  openLink: { needs: [...TRACE, "sys_admin"], kernel: "5.8" },
  // The kernel's own types have an id since then.
  loadedBtf: { needs: ["sys_admin"], kernel: "5.11" },
  enableStats: { needs: ["sys_admin"], kernel: "5.8" },
  writeUser: { needs: [...TRACE, "sys_admin"], virtual: true },
  kernelSymbol: { needs: BPF, perhaps: ["syslog"] },
  tracepoint: { needs: [...TRACE, "dac_read_search"] },
  tracePipe: { needs: ["dac_override"], perhaps: ["dac_read_search"], virtual: true },
  kprobePattern: { needs: [...TRACE, "dac_override"], perhaps: ["dac_read_search", "syslog"], attach: "kprobe.multi" },
  kprobeTracefs: { needs: [...TRACE, "dac_override"], perhaps: ["dac_read_search"], attach: "kprobes" },
  libraryOfRoot: { needs: ["sys_ptrace"] },
};

interface Refusal {
  readonly message: string;
  readonly code?: string;
  readonly stack: string;
}

/** One copy for all: copying takes long where files are slow. */
let copy: { readonly scratch: Scratch; readonly child: string } | undefined;
function copied() {
  if (copy === undefined) {
    const scratch = new Scratch();
    const child = publicChild(scratch, "unprivileged");
    cpSync(join(root, "test/fixtures/objects"), scratch.file("test/fixtures/objects"), { recursive: true });
    copy = { scratch, child };
  }
  return copy;
}

const PARANOID = "/proc/sys/kernel/perf_event_paranoid";

/** Debian's kernels stand at a level where CAP_PERFMON is not enough; in a machine of its own the test takes the kernel's usual. */
async function atUsualLevel(body: () => Promise<void>): Promise<void> {
  if (!machine.virtual) return body();
  const before = readFileSync(PARANOID, "latin1");
  writeFileSync(PARANOID, "2");
  try {
    await body();
  } finally {
    writeFileSync(PARANOID, before);
  }
}

/** Does them as another user with these capabilities, in namespaces of its own; how each was refused, null when it was not. */
async function results(
  capabilities: readonly string[],
  names: readonly string[],
): Promise<Readonly<Record<string, Refusal | null>>> {
  const { scratch, child } = copied();
  const bpffs = `${scratch.path}/bpf`;
  const script = [
    'mkdir -p "$0" && mount -t bpf none "$0" && mkdir "$0/own" && chown 65534:65534 "$0/own" && chmod 755 "$0"',
    // As everywhere: root's alone.
    "{ mountpoint -q /sys/kernel/tracing || mount -t tracefs none /sys/kernel/tracing; }",
    'ip link set lo up && exec "$@"',
  ].join(" && ");
  const words = capabilities.length === 0 ? AS_NOBODY : asNobodyWith(...capabilities);
  let found = {};
  await inOwnCgroup(async (cgroup) => {
    const command = [...words, process.execPath, "--enable-source-maps", child, `${bpffs}/own`, cgroup];
    const { code, stdout, stderr } = await run(
      ["unshare", "--net", "--mount", "sh", "-c", script, bpffs, ...command, String(process.pid), ...names],
      { env: environment({ TMPDIR: "/tmp" }), timeoutMs: pace(60_000, 500_000) },
    );
    assert.equal(code, 0, stderr);
    found = JSON.parse(stdout);
  });
  return found;
}

/** Those of the deeds that this kernel can do at all. */
function possible(wanted: (deed: Deed) => boolean): readonly string[] {
  return Object.entries(DEEDS).flatMap(([name, deed]) => {
    if (deed.kernel !== undefined && !kernelIsAtLeast(deed.kernel)) return [];
    if (deed.attach !== undefined && machine.probe("attach", deed.attach)?.status !== "supported") return [];
    return wanted(deed) ? [name] : [];
  });
}

const capitals = (name: string) => `CAP_${name.toUpperCase()}`;

/** A refusal is for a right that is missing, and names it; what is there is not called missing. */
function checkRefusal(name: string, { message, stack }: Refusal, missing: readonly string[]): void {
  const named: readonly string[] = message.match(/CAP_[A-Z_]+/g) ?? [];
  assert.ok(
    missing.some((one) => named.includes(capitals(one))),
    `${name} lacks ${missing.join(", ")}, but says:\n${stack}`,
  );
  const lacking = /lacks ([^:]+):/.exec(message)?.[1]?.split(" and ") ?? [];
  const known = missing.map(capitals);
  assert.deepEqual(
    lacking.filter((one) => !known.includes(one)),
    [],
    `${name} calls missing what is there: ${message}`,
  );
}

async function check(capabilities: readonly string[], names: readonly string[]): Promise<void> {
  const found = await results(capabilities, names);
  assert.deepEqual(Object.keys(found), names);
  for (const [name, refusal] of Object.entries(found)) {
    const { needs, perhaps = [], virtual } = DEEDS[name] as Deed;
    const missing = needs.filter((one) => !capabilities.includes(one));
    const unclear = perhaps.filter((one) => !capabilities.includes(one));
    if (refusal !== null) {
      if (missing.length + unclear.length > 0) checkRefusal(name, refusal, [...missing, ...unclear]);
      else assert.ok(virtual && !machine.virtual, `${name} has what it needs:\n${refusal.stack}`);
    } else assert.deepEqual(missing, [], `${name} works without ${missing.join(", ")}`);
  }
}

const needs = { ...cgroup2, kernel: "5.8", command: ["unshare", "setpriv", "ip"] };

for (const capabilities of [[], ["bpf"], ["bpf", "perfmon"], ["bpf", "net_admin"], ["bpf", "perfmon", "net_admin"]]) {
  const words = capabilities.length === 0 ? "no capability" : capabilities.map(capitals).join(", ");
  kernelTest(`another user with ${words}: all that it is enough for, and the rest says what is missing`, needs, () =>
    atUsualLevel(() =>
      check(
        capabilities,
        possible(() => true),
      ),
    ),
  );
}

// What needs more is not only refused without it: with it, it works.
for (const more of ["sys_admin", "syslog", "dac_read_search", "sys_ptrace"]) {
  kernelTest(`another user with ${capitals(more)} besides: what needs it`, needs, async () => {
    const names = possible((deed) => [...deed.needs, ...(deed.perhaps ?? [])].includes(more));
    const rights = ["bpf", "perfmon", "net_admin", more];
    await atUsualLevel(() =>
      check(rights, more === "dac_read_search" ? names.filter((name) => name === "tracepoint") : names),
    );
  });
}
kernelTest(
  "another user with CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH and CAP_SYSLOG besides: all of tracefs",
  needs,
  () =>
    atUsualLevel(() =>
      check(
        ["bpf", "perfmon", "net_admin", "dac_override", "dac_read_search", "syslog"],
        possible((deed) => deed.needs.includes("dac_override")),
      ),
    ),
);

const level = Number(readFileSync(PARANOID, "latin1"));
kernelTest(
  "kernel.perf_event_paranoid above 2: CAP_PERFMON is not enough for perf events, and the error says so",
  { ...needs, unless: level > 2 ? cgroup2.unless : `kernel.perf_event_paranoid is ${level} here` },
  async () => {
    const { perfEvent, rawTracepoint } = await results(["bpf", "perfmon"], ["perfEvent", "rawTracepoint"]);
    assert.equal(rawTracepoint, null);
    assert.match(
      perfEvent?.message ?? "",
      /kernel\.perf_event_paranoid is \d, and this kernel then wants CAP_SYS_ADMIN/,
    );
  },
);

test("the deeds that are checked are those that there are", () => {
  const text = readFileSync(join(root, "test/kernel/children/unprivileged.ts"), "utf8");
  const table = text.slice(text.indexOf("const DEEDS"), text.indexOf("const results"));
  const names = [...table.matchAll(/^ {2}(\w+)(?::|,$)/gm)].map((match) => match[1] as string);
  assert.deepEqual(names.sort(), Object.keys(DEEDS).sort());
  copy?.scratch[Symbol.dispose]();
  copy = undefined;
});
