import { describe, expect, it } from "vitest";
import type { Environment, KernelConfig, ProbeResult } from "../../sdk/index.ts";
import type { TraceAbility } from "../trace/index.ts";
import { withAdvice } from "./advice.ts";
import { factChecks } from "./facts.ts";
import type { DoctorReport, FactCheck } from "./report.ts";
import { type Findings, sdkVerdict, traceVerdict } from "./verdict.ts";
import { wrap } from "./view/paint.ts";
import { formatReport } from "./view/text-view.ts";

const ALL = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_PTRACE", "CAP_SYSLOG"];
const good: Environment = {
  release: "6.12.5",
  arch: "x64",
  possibleCpus: { value: 4 },
  uid: 0,
  capabilities: { value: ALL },
  userNamespace: false,
  seccomp: { value: "off" },
  noNewPrivileges: { value: false },
  btf: { value: 5 << 20 },
  lsm: { value: ["capability", "landlock", "bpf"] },
  lockdown: { value: "none" },
  unprivilegedBpfDisabled: { value: 2 },
  perfEventParanoid: { value: 2 },
  kptrRestrict: { value: 0 },
  jit: { value: 1 },
  memlock: { value: "8388608 8388608" },
  cgroup2: { value: [{ path: "/sys/fs/cgroup", readOnly: false }] },
  bpffs: { value: [{ path: "/sys/fs/bpf", readOnly: true }] },
  tracefs: { value: [] },
  securityfs: { value: [] },
};
const native = { path: "/x/skep.node", problem: undefined, buildScript: "/x/native/build.js" };

function facts(over: Partial<Environment> = {}, addon = native as Parameters<typeof factChecks>[1]) {
  const list = factChecks({ ...good, ...over }, addon, { path: "/proc/config.gz" }, "20.20.2");
  return (name: string): FactCheck => {
    const found = list.find((fact) => fact.name === name);
    if (found === undefined) throw new Error(`no fact ${name}`);
    return found;
  };
}

const supported = (name: string): ProbeResult => ({ name, status: "supported" });

function findings(over: Partial<Findings> = {}): Findings {
  const environment = over.environment ?? good;
  return {
    schema: "skep.doctor/1",
    node: "20.20.2",
    environment,
    kernelConfig: "/proc/config.gz",
    native,
    facts: factChecks(environment, over.native ?? native, { path: "/proc/config.gz" }, "20.20.2"),
    attachKinds: [supported("raw tracepoints")],
    programTypes: [supported("raw_tracepoint")],
    mapTypes: [supported("ringbuf")],
    verifier: [supported("bounded loops")],
    helpers: [{ ...supported("ktime_get_ns"), programs: ["raw_tracepoint"] }],
    ...over,
  };
}

const ability = (over: Partial<TraceAbility> = {}): TraceAbility => ({
  target: "command",
  mode: "calls",
  problem: undefined,
  compareExchange: true,
  ...over,
});

describe("facts", () => {
  it("are good on a machine where all is well", () => {
    const list = factChecks(good, native, { path: "/proc/config.gz" }, "20.20.2");
    expect(list.filter(({ verdict }) => verdict === "bad" || verdict === "unknown")).toEqual([]);
  });

  it("name the capabilities that are missing and what that costs", () => {
    const fact = facts({ uid: 1000, capabilities: { value: ["CAP_BPF"] } })("capabilities");
    expect(fact).toMatchObject({ verdict: "bad", value: "CAP_BPF", mend: expect.stringContaining("setcap") });
    expect(fact.consequence).toContain("Without CAP_PERFMON programs that trace do not load");
    expect(fact.consequence).not.toContain("Without CAP_BPF");
    expect(facts({ capabilities: { value: [] } })("capabilities").value).toBe("none");
    // CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON.
    const admin = facts({ capabilities: { value: [...ALL.slice(2), "CAP_SYS_ADMIN"] } })("capabilities");
    expect(admin.verdict).toBe("good");
    expect(facts({ capabilities: { value: undefined, reason: "no /proc" } })("capabilities")).toMatchObject({
      verdict: "unknown",
      consequence: "no /proc",
    });
  });

  it("say what lockdown costs", () => {
    expect(facts({ lockdown: { value: "integrity" } })("lockdown").verdict).toBe("note");
    expect(facts({ lockdown: { value: "confidentiality" } })("lockdown")).toMatchObject({
      verdict: "bad",
      consequence: expect.stringContaining("skep trace"),
    });
  });

  it("tell that LSM programs would never be called, with the boot parameter that mends it", () => {
    const fact = facts({ lsm: { value: ["capability", "lockdown", "apparmor"] } })("security modules");
    expect(fact.mend).toBe("Boot with lsm=lockdown,apparmor,bpf.");
  });

  it("look at the locked memory limit only where eBPF counts against it", () => {
    expect(facts()("locked memory limit")).toMatchObject({ verdict: "good", value: "8 MiB (hard 8 MiB)" });
    const old = { release: "5.10.0-28-amd64" };
    expect(facts(old)("locked memory limit")).toMatchObject({
      verdict: "bad",
      mend: expect.stringContaining("ulimit"),
    });
    const may = facts({ ...old, capabilities: { value: [...ALL, "CAP_SYS_RESOURCE"] } });
    expect(may("locked memory limit").verdict).toBe("good");
    const unlimited = facts({ ...old, memlock: { value: "65536 unlimited" } });
    expect(unlimited("locked memory limit")).toMatchObject({ verdict: "good", value: "64 KiB (hard unlimited)" });
  });

  it("judge perf events and kernel addresses by the rights this process has", () => {
    const bare = { capabilities: { value: [] } };
    expect(facts({ ...bare, perfEventParanoid: { value: 3 } })("perf events").verdict).toBe("bad");
    expect(facts({ ...bare, perfEventParanoid: { value: 1 } })("perf events").verdict).toBe("note");
    expect(facts({ perfEventParanoid: { value: 3 } })("perf events").verdict).toBe("good");
    expect(facts({ kptrRestrict: { value: 1 } })("kernel addresses").verdict).toBe("good");
    expect(facts({ ...bare, kptrRestrict: { value: 1 } })("kernel addresses").mend).toBe("Give CAP_SYSLOG.");
    expect(facts({ kptrRestrict: { value: 2 } })("kernel addresses").mend).toContain("sysctl");
  });

  it("tell of a user namespace, of seccomp, of a read-only mount, of an interpreter, of no BTF", () => {
    expect(facts({ userNamespace: true })("user namespace").verdict).toBe("bad");
    expect(facts({ seccomp: { value: "filter" } })("seccomp").verdict).toBe("note");
    expect(facts()("bpffs").value).toBe("/sys/fs/bpf (read-only)");
    expect(facts({ jit: { value: 0 } })("JIT compiler")).toMatchObject({ verdict: "bad" });
    expect(facts({ btf: { value: undefined, reason: "It is not there." } })("BTF")).toMatchObject({
      verdict: "bad",
      consequence: expect.stringMatching(/^It is not there\. tp_btf/),
    });
  });
});

describe("advice", () => {
  const config = (off: readonly string[]): KernelConfig => ({
    path: "/proc/config.gz",
    option: (name) => (off.includes(name) ? "n" : "y"),
  });
  const ground = { release: "6.12.5", config: config([]), held: new Set(ALL) };
  const missing = (name: string, since: string): ProbeResult => ({
    name,
    status: "unsupported",
    since,
    error: "EINVAL",
  });

  it("names the build option that is off", () => {
    const off = { ...ground, config: config(["CONFIG_NETKIT"]) };
    expect(withAdvice("attachKinds", missing("netkit", "6.7"), off)).toMatchObject({
      consequence: "veth with tcx or tc does it.",
      mend: "A kernel built with CONFIG_NETKIT; here it is off.",
    });
  });

  it("names the kernel that has it, where this one is older", () => {
    expect(withAdvice("mapTypes", missing("arena", "6.13"), ground).mend).toBe("Linux 6.13 or newer.");
    expect(withAdvice("mapTypes", missing("arena", "6.9"), ground).mend).toBeUndefined();
  });

  it("supposes the build options where they are not known", () => {
    const unknown = { ...ground, config: undefined };
    expect(withAdvice("attachKinds", missing("netkit", "6.7"), unknown).mend).toBe(
      "A kernel built with CONFIG_NETKIT.",
    );
  });

  it("has a mend for a refusal only when a right is missing", () => {
    const refused: ProbeResult = { name: "fentry", status: "refused", since: "5.5", error: "EPERM" };
    expect(withAdvice("attachKinds", refused, ground).mend).toBeUndefined();
    expect(withAdvice("attachKinds", refused, { ...ground, held: new Set() }).mend).toContain("root");
  });

  it("says what works because of it, and nothing to mend", () => {
    const result = withAdvice("attachKinds", supported("raw tracepoints"), ground);
    expect(result.consequence).toContain("skep trace");
    expect(result.mend).toBeUndefined();
  });
});

describe("the verdict", () => {
  it("is that it works, and on which rung", () => {
    expect(traceVerdict(findings(), [ability()])).toMatchObject({ status: "works", rung: 1, problems: [], mend: [] });
    expect(traceVerdict(findings(), [ability({ compareExchange: false })])).toMatchObject({ status: "works", rung: 2 });
  });

  it("is limited when one way of tracing does not work, and says which and why", () => {
    const problem = new Error("Cannot create map.\n  the end of a log");
    const verdict = traceVerdict(findings(), [ability(), ability({ target: "cgroup", problem })]);
    expect(verdict).toMatchObject({ status: "limited", problems: ["Cannot create map."] });
    expect(verdict.summary).toMatch(/not skep trace --cgroup\.$/);
    const noMount = traceVerdict(findings({ environment: { ...good, cgroup2: { value: [] } } }), [ability()]);
    expect(noMount).toMatchObject({ status: "limited", mend: [expect.stringContaining("mount -t cgroup2")] });
  });

  it("fails when nothing loads, nothing attaches, or the addon is missing", () => {
    const problem = new Error("EPERM. This process lacks CAP_BPF.");
    const environment = { ...good, capabilities: { value: [] } };
    const refused: ProbeResult = { name: "raw tracepoints", status: "refused", reason: "It lacks CAP_BPF." };
    const fails = traceVerdict(findings({ environment, attachKinds: [refused] }), [ability({ problem })]);
    expect(fails).toMatchObject({ status: "fails", problems: [problem.message] });
    expect(fails.mend[0]).toContain("Run as root");
    const none: ProbeResult = { name: "raw tracepoints", status: "unsupported" };
    expect(traceVerdict(findings({ attachKinds: [none] }), [ability()])).toMatchObject({
      status: "fails",
      problems: ["Raw tracepoints: unsupported"],
    });
    const addon = { path: undefined, problem: "It is missing.", buildScript: "/x/native/build.js" };
    const lost = findings({ native: addon, attachKinds: [], programTypes: [], mapTypes: [] });
    expect(traceVerdict(lost, [])).toMatchObject({ status: "fails", mend: ["skep doctor --build-native"] });
    expect(sdkVerdict(lost).status).toBe("fails");
  });

  it("counts what programs of one's own can use", () => {
    expect(sdkVerdict(findings()).status).toBe("works");
    const kinds: ProbeResult[] = [supported("raw tracepoints"), { name: "kprobes", status: "unsupported" }];
    expect(sdkVerdict(findings({ attachKinds: kinds }))).toMatchObject({
      status: "limited",
      summary: "Your own programs: 1 of 1 program types, 1 of 1 map types and 1 of 2 attach kinds can be used.",
      problems: ["kprobes: not in this kernel"],
    });
  });
});

describe("the report for people", () => {
  const report: DoctorReport = { ...findings(), ok: true, verdicts: [traceVerdict(findings(), [ability()])] };

  it("keeps to the width of the terminal", () => {
    for (const width of [60, 80, 110]) {
      const text = formatReport(report, { colour: false, width, allHelpers: true });
      const long = text.split("\n").filter((line) => line.length > width);
      // A word longer than the line stands alone on it.
      expect(long.filter((line) => line.trim().includes(" "))).toEqual([]);
    }
  });

  it("has the same words in colours as without", () => {
    const options = { width: 100, allHelpers: false };
    const plain = formatReport(report, { ...options, colour: false });
    const colours = formatReport(report, { ...options, colour: true });
    expect(colours).not.toBe(plain);
    expect(
      colours
        .split("\u001b")
        .join("")
        .replace(/\[\d+m/g, ""),
    ).toBe(plain);
  });

  it("breaks lines at blanks", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("a-very-long-word b", 4)).toEqual(["a-very-long-word", "b"]);
    expect(wrap("", 10)).toEqual([]);
  });
});
