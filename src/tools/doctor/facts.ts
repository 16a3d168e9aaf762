import type { Environment, Fact, Mount, NativeAddon } from "../../sdk/index.ts";
import type { FactCheck, FactVerdict } from "./report.ts";

/** What each capability that eBPF asks for is needed for. */
const CAPABILITY_USES: Readonly<Record<string, string>> = {
  CAP_BPF: "no program loads and no map is made",
  CAP_PERFMON: "programs that trace do not load (skep trace)",
  CAP_NET_ADMIN: "programs for the network do not load",
  CAP_SYS_PTRACE: "open files of other users' processes show as numbers",
  CAP_SYSLOG: "kernel symbols may have no addresses",
};
const HOW_TO_GAIN =
  "Run as root, or give the capabilities: sudo setcap cap_bpf,cap_perfmon+ep $(command -v node), or AmbientCapabilities= in a systemd unit.";

const UNPRIVILEGED = [
  "anyone may load simple programs",
  "only CAP_BPF may load programs, for good",
  "only CAP_BPF may",
];
const JIT = ["off: programs are interpreted", "on", "on, and prints what it makes"];
const KPTR = ["shown", "shown to CAP_SYSLOG only", "hidden from everyone"];

/** Capabilities that count here; CAP_SYS_ADMIN stands for two of them (capabilities(7)). */
export function heldCapabilities({ capabilities }: Environment): ReadonlySet<string> | undefined {
  if (capabilities.value === undefined) return undefined;
  const held = new Set(capabilities.value);
  if (held.has("CAP_SYS_ADMIN")) held.add("CAP_BPF").add("CAP_PERFMON");
  return held;
}

/** The environment as people read it: each fact with what follows from it. */
export function factChecks(
  environment: Environment,
  native: NativeAddon,
  config: { readonly path: string | undefined; readonly reason?: string },
  node: string,
): FactCheck[] {
  return [...processFacts(environment, native, node), ...kernelFacts(environment, config), ...mountFacts(environment)];
}

function processFacts(environment: Environment, native: NativeAddon, node: string): FactCheck[] {
  const group = "process";
  const { uid } = environment;
  const facts: FactCheck[] = [
    { group, name: "user", value: uid === 0 ? "root" : uid < 0 ? "unknown" : `uid ${uid}`, verdict: "note" },
    capabilityFact(environment),
  ];
  if (environment.userNamespace) {
    facts.push({
      group,
      name: "user namespace",
      value: "not the first one",
      verdict: "bad",
      consequence: "Capabilities held here do not count for eBPF.",
      mend: "Run on the host, or in a container without a user namespace of its own.",
    });
  }
  facts.push(
    fact(group, "seccomp", environment.seccomp, (value) => ({
      value,
      verdict: value === "off" ? "good" : "note",
      ...(value !== "off" && { consequence: "The filter may refuse bpf(2) and perf_event_open(2) with EPERM." }),
    })),
  );
  if (environment.noNewPrivileges.value === true) {
    const consequence = "Capabilities set on a file (setcap) are not gained.";
    facts.push({ group, name: "no new privileges", value: "set", verdict: "note", consequence });
  }
  facts.push(
    memlockFact(environment),
    native.problem === undefined
      ? { group, name: "native addon", value: native.path ?? "loaded", verdict: "good" }
      : {
          group,
          name: "native addon",
          value: native.path ?? "missing",
          verdict: "bad",
          consequence: `${sentence(native.problem)} Without it nothing can be asked of the kernel.`,
          mend: native.buildScript === undefined ? "Install Skep again." : "skep doctor --build-native",
        },
    { group, name: "node", value: node, verdict: "note" },
  );
  return facts;
}

function capabilityFact(environment: Environment): FactCheck {
  const base = { group: "process", name: "capabilities" } as const;
  const held = heldCapabilities(environment);
  if (held === undefined) {
    return { ...base, value: "not known", verdict: "unknown", ...reasonOf(environment.capabilities) };
  }
  const names = Object.keys(CAPABILITY_USES);
  const missing = names.filter((name) => !held.has(name));
  const value =
    held.size === 0
      ? "none"
      : missing.length === 0
        ? "all that eBPF asks for"
        : missing.length === names.length
          ? "none of those that eBPF asks for"
          : names.filter((name) => held.has(name)).join(" ");
  if (missing.length === 0) return { ...base, value, verdict: "good" };
  const needed = missing.includes("CAP_BPF") || missing.includes("CAP_PERFMON");
  return {
    ...base,
    value,
    verdict: needed ? "bad" : "note",
    consequence: missing.map((name) => `Without ${name} ${CAPABILITY_USES[name]}.`).join(" "),
    mend: HOW_TO_GAIN,
  };
}

/** Linux 5.11 stopped counting eBPF's memory against the limit; on older ones Skep lifts it, where it may. */
function memlockFact(environment: Environment): FactCheck {
  const { release, memlock } = environment;
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number);
  const old = major < 5 || (major === 5 && minor < 11);
  return fact("process", "locked memory limit", memlock, (limit) => {
    const [soft = "", hard = ""] = limit.split(" ");
    const value = `${bytesText(soft)} (hard ${bytesText(hard)})`;
    if (!old) return { value, verdict: "good", consequence: "eBPF does not count against it since Linux 5.11." };
    const mayLift = environment.capabilities.value?.includes("CAP_SYS_RESOURCE") === true || hard === "unlimited";
    if (mayLift) return { value, verdict: "good", consequence: "eBPF counts against it here; Skep lifts it." };
    return {
      value,
      verdict: "bad",
      consequence: "eBPF counts against it here, and Skep may not lift it: large maps fail with EPERM.",
      mend: "Start with ulimit -l unlimited, or give CAP_SYS_RESOURCE.",
    };
  });
}

function bytesText(bytes: string): string {
  const n = Number(bytes);
  return Number.isNaN(n) ? bytes : n % (1 << 20) === 0 ? `${n >> 20} MiB` : `${Math.round(n / 1024)} KiB`;
}

function kernelFacts(environment: Environment, config: { path: string | undefined; reason?: string }): FactCheck[] {
  const group = "kernel";
  const held = heldCapabilities(environment);
  return [
    { group, name: "release", value: `${environment.release} ${environment.arch}`, verdict: "note" },
    fact(group, "possible CPUs", environment.possibleCpus, (n) => ({ value: String(n), verdict: "good" })),
    {
      ...fact(group, "BTF", environment.btf, (size) => ({
        value: `/sys/kernel/btf/vmlinux, ${(size / 2 ** 20).toFixed(1)} MiB`,
        verdict: "good",
      })),
      ...(environment.btf.value === undefined && {
        value: "none",
        verdict: "bad" as const,
        consequence: `${environment.btf.reason ?? ""} tp_btf, fentry, LSM, iterators and struct_ops cannot be used; skep trace does without.`,
        mend: "A kernel built with CONFIG_DEBUG_INFO_BTF, and sysfs mounted.",
      }),
    },
    config.path === undefined
      ? {
          group,
          name: "build options",
          value: "not known",
          verdict: "unknown",
          consequence: `${config.reason ?? ""} Why a feature is missing can then only be supposed.`.trim(),
        }
      : { group, name: "build options", value: config.path, verdict: "good" },
    fact(group, "security modules", environment.lsm, (names) =>
      names.includes("bpf")
        ? { value: names.join(" "), verdict: "good" }
        : {
            value: names.join(" "),
            verdict: "note",
            consequence: "bpf is not among them: LSM programs load, but are never called.",
            mend: `Boot with lsm=${[...names.filter((name) => name !== "capability"), "bpf"].join(",")}.`,
          },
    ),
    fact(group, "lockdown", environment.lockdown, lockdown),
    fact(group, "unprivileged eBPF", environment.unprivilegedBpfDisabled, (n) => ({
      value: `${n}: ${UNPRIVILEGED[n] ?? "newer than this version of Skep"}`,
      verdict: n === 0 ? "note" : "good",
      ...(n === 0 && { consequence: "Known to be risky.", mend: "sysctl kernel.unprivileged_bpf_disabled=2" }),
    })),
    fact(group, "perf events", environment.perfEventParanoid, (n) => {
      const value = `kernel.perf_event_paranoid ${n}`;
      if (held?.has("CAP_PERFMON") !== false) return { value, verdict: "good" };
      return {
        value,
        verdict: n > 2 ? "bad" : "note",
        consequence: `Without CAP_PERFMON ${n > 2 ? "no perf event opens" : "only own processes can be sampled"}.`,
        mend: "Give CAP_PERFMON, or lower it: sysctl kernel.perf_event_paranoid=1",
      };
    }),
    fact(group, "kernel addresses", environment.kptrRestrict, (n) => {
      const hidden = n >= 2 || (n === 1 && held?.has("CAP_SYSLOG") === false);
      return {
        value: `kernel.kptr_restrict ${n}: ${KPTR[n] ?? "unknown"}`,
        verdict: hidden ? "note" : "good",
        ...(hidden && {
          consequence: "Kernel stacks have addresses without names.",
          mend: n >= 2 ? "sysctl kernel.kptr_restrict=1" : "Give CAP_SYSLOG.",
        }),
      };
    }),
    fact(group, "JIT compiler", environment.jit, (n) => ({
      value: JIT[n] ?? String(n),
      verdict: n === 0 ? "bad" : "good",
      ...(n === 0 && {
        consequence: "Programs run several times slower.",
        mend: "sysctl net.core.bpf_jit_enable=1",
      }),
    })),
  ];
}

function lockdown(mode: string): Omit<FactCheck, "group" | "name"> {
  if (mode === "none") return { value: mode, verdict: "good" };
  if (mode === "integrity") {
    return { value: mode, verdict: "note", consequence: "Programs may not write into user memory." };
  }
  return {
    value: mode,
    verdict: "bad",
    consequence: "Programs may not read kernel memory: skep trace and other tracers do not work.",
    mend: "Boot with lockdown=integrity or without lockdown= (Secure Boot may force it).",
  };
}

function mountFacts(environment: Environment): FactCheck[] {
  const mount = (name: string, mounts: Fact<readonly Mount[]>, consequence: string, mend: string) =>
    fact("mounts", name, mounts, (list) =>
      list.length === 0
        ? { value: "not mounted", verdict: "note", consequence, mend }
        : {
            value: list.map(({ path, readOnly }) => (readOnly ? `${path} (read-only)` : path)).join(", "),
            verdict: "good",
          },
    );
  return [
    mount(
      "cgroup2",
      environment.cgroup2,
      "skep trace --cgroup and cgroup programs have nothing to name.",
      "mkdir -p /sys/fs/cgroup/unified && mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified",
    ),
    mount("bpffs", environment.bpffs, "Maps cannot be pinned.", "mount -t bpf bpf /sys/fs/bpf"),
    mount(
      "tracefs",
      environment.tracefs,
      "Tracepoints by group:name cannot be attached; raw tracepoints can, and skep trace uses only those.",
      "mount -t tracefs tracefs /sys/kernel/tracing",
    ),
    mount(
      "securityfs",
      environment.securityfs,
      "Which security modules are active and whether the kernel is locked down cannot be read.",
      "mount -t securityfs securityfs /sys/kernel/security",
    ),
  ];
}

function fact<T>(
  group: FactCheck["group"],
  name: string,
  { value, reason }: Fact<T>,
  judge: (value: T) => { value: string; verdict: FactVerdict; consequence?: string; mend?: string },
): FactCheck {
  if (value !== undefined) return { group, name, ...judge(value) };
  return { group, name, value: "not known", verdict: "unknown", ...(reason !== undefined && { consequence: reason }) };
}

function sentence(text: string): string {
  return text.endsWith(".") ? text : `${text}.`;
}

function reasonOf({ reason }: Fact<unknown>): { consequence?: string } {
  return reason === undefined ? {} : { consequence: reason };
}
