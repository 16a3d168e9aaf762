import { existsSync, readFileSync, statSync } from "node:fs";
import { possibleCpus } from "../../map/index.ts";
import { effectiveCapabilities, insideUserNamespace } from "../../sys/index.ts";
import { VMLINUX_BTF } from "./kernel-btf.ts";

/** A fact of the machine: its value, or undefined and why it is not known. */
export interface Fact<T> {
  readonly value: T | undefined;
  /** Why it is not known, or what the value does not say by itself. */
  readonly reason?: string;
}

/** Where a file system is mounted. */
export interface Mount {
  readonly path: string;
  readonly readOnly: boolean;
}

/** What the machine and this process are like, as far as eBPF asks. Nothing in it is a guess: what cannot be read has no value. */
export interface Environment {
  readonly release: string;
  readonly arch: string;
  readonly possibleCpus: Fact<number>;
  readonly uid: number;
  /** Names of the effective capabilities (capabilities(7)). */
  readonly capabilities: Fact<readonly string[]>;
  readonly userNamespace: boolean;
  readonly seccomp: Fact<"off" | "strict" | "filter">;
  readonly noNewPrivileges: Fact<boolean>;
  /** Bytes of the kernel's own BTF. */
  readonly btf: Fact<number>;
  /** Active security modules, in order. */
  readonly lsm: Fact<readonly string[]>;
  readonly lockdown: Fact<string>;
  /** kernel.unprivileged_bpf_disabled: 0 anyone may load (some) programs; 1, 2 only CAP_BPF may. */
  readonly unprivilegedBpfDisabled: Fact<number>;
  readonly perfEventParanoid: Fact<number>;
  readonly kptrRestrict: Fact<number>;
  /** net.core.bpf_jit_enable: 0 programs are interpreted, 1 compiled, 2 compiled and printed. */
  readonly jit: Fact<number>;
  /** Soft and hard RLIMIT_MEMLOCK as /proc/self/limits has them; counted against by eBPF before Linux 5.11. */
  readonly memlock: Fact<string>;
  readonly cgroup2: Fact<readonly Mount[]>;
  readonly bpffs: Fact<readonly Mount[]>;
  readonly tracefs: Fact<readonly Mount[]>;
  readonly securityfs: Fact<readonly Mount[]>;
}

/** Reads the facts of the machine. Throws nothing: what is missing or not readable is a fact without a value. */
export function probeEnvironment(): Environment {
  const status = (key: string) => statusField(key);
  return {
    release: process.getBuiltinModule("node:os").release(),
    arch: process.arch,
    possibleCpus: attempt(() => possibleCpus()),
    uid: process.getuid?.() ?? -1,
    capabilities: capabilities(),
    userNamespace: insideUserNamespace(),
    seccomp: map(status("Seccomp"), (text) => (["off", "strict", "filter"] as const)[Number(text)]),
    noNewPrivileges: map(status("NoNewPrivs"), (text) => text === "1"),
    btf: existsSync("/sys/kernel")
      ? attempt(() => statSync(VMLINUX_BTF).size)
      : { value: undefined, reason: "sysfs is not mounted (mount -t sysfs sysfs /sys)." },
    lsm: lsmNames(),
    lockdown: securityFile("lockdown", (text) => /\[(\w+)\]/.exec(text)?.[1]),
    unprivilegedBpfDisabled: sysctl("kernel/unprivileged_bpf_disabled"),
    perfEventParanoid: sysctl("kernel/perf_event_paranoid"),
    kptrRestrict: sysctl("kernel/kptr_restrict"),
    jit: sysctl("net/core/bpf_jit_enable"),
    memlock: map(read("/proc/self/limits"), (text) => {
      const match = /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(text);
      return match === null ? undefined : `${match[1]} ${match[2]}`;
    }),
    cgroup2: mountsOf("cgroup2"),
    bpffs: mountsOf("bpf"),
    tracefs: mountsOf("tracefs"),
    securityfs: mountsOf("securityfs"),
  };
}

/** The active security modules (/sys/kernel/security/lsm). */
export function lsmNames(): Fact<readonly string[]> {
  return securityFile("lsm", (text) => text.trim().split(","));
}

/** Where file systems of a type are mounted, as this process sees them (/proc/self/mountinfo, proc_pid_mountinfo(5)). */
export function mountsOf(type: string): Fact<readonly Mount[]> {
  return map(read("/proc/self/mountinfo"), (text) => {
    const mounts: Mount[] = [];
    for (const line of text.split("\n")) {
      const [before, after] = line.split(" - ");
      if (before === undefined || after?.split(" ")[0] !== type) continue;
      const fields = before.split(" ");
      const path = (fields[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      );
      mounts.push({ path, readOnly: (fields[5] ?? "").split(",").includes("ro") });
    }
    return mounts;
  });
}

/** By bit number (linux/capability.h). */
const CAPABILITIES =
  "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE";

function capabilities(): Fact<readonly string[]> {
  const set = effectiveCapabilities();
  if (set === undefined) return { value: undefined, reason: "/proc/self/status is not readable." };
  const names: string[] = [];
  const known = CAPABILITIES.split(" ");
  for (let bit = 0; bit < 64; bit++) if ((set >> BigInt(bit)) & 1n) names.push(`CAP_${known[bit] ?? bit}`);
  return { value: names };
}

function statusField(key: string): Fact<string> {
  return map(read("/proc/self/status"), (text) => new RegExp(`^${key}:\\s*(\\S+)`, "m").exec(text)?.[1]);
}

function sysctl(path: string): Fact<number> {
  return map(read(`/proc/sys/${path}`), (text) => Number(text));
}

function securityFile<T>(name: string, parse: (text: string) => T | undefined): Fact<T> {
  const file = read(`/sys/kernel/security/${name}`);
  if (file.value !== undefined) return map(file, parse);
  if (mountsOf("securityfs").value?.length !== 0)
    return { value: undefined, ...(file.reason !== undefined && { reason: file.reason }) };
  return { value: undefined, reason: "securityfs is not mounted." };
}

function read(path: string): Fact<string> {
  return attempt(() => readFileSync(path, "latin1"), path);
}

function attempt<T>(action: () => T, path?: string): Fact<T> {
  try {
    return { value: action() };
  } catch (error) {
    const { code, path: at = path } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return { value: undefined, reason: `${at} does not exist.` };
    if (code === "EACCES" || code === "EPERM")
      return { value: undefined, reason: `${at} is not readable for this user.` };
    return { value: undefined, reason: (error as Error).message };
  }
}

function map<A, B>(fact: Fact<A>, change: (value: A) => B | undefined): Fact<B> {
  if (fact.value === undefined) return { value: undefined, ...(fact.reason !== undefined && { reason: fact.reason }) };
  const value = change(fact.value);
  return value === undefined ? { value, reason: "The kernel does not tell." } : { value };
}
