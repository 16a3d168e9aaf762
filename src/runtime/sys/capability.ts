import { readFileSync } from "node:fs";

/** Linux capabilities by bit number (linux/capability.h); the ones eBPF asks for. */
export const Capability = {
  CAP_DAC_READ_SEARCH: 2,
  CAP_KILL: 5,
  CAP_NET_ADMIN: 12,
  CAP_SYS_PTRACE: 19,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_RESOURCE: 24,
  CAP_SYSLOG: 34,
  CAP_PERFMON: 38,
  CAP_BPF: 39,
} as const;

export type CapabilityName = keyof typeof Capability;

/** The effective capability set of this thread as a bit mask (proc_pid_status(5), CapEff); undefined without /proc. */
export function effectiveCapabilities(): bigint | undefined {
  const status = readText("/proc/thread-self/status") ?? readText("/proc/self/status");
  const hex = status?.match(/^CapEff:\s*([0-9a-f]+)/m)?.[1];
  return hex === undefined ? undefined : BigInt(`0x${hex}`);
}

export function hasCapability(name: CapabilityName, set: bigint | undefined = effectiveCapabilities()): boolean {
  return set !== undefined && (set & (1n << BigInt(Capability[name]))) !== 0n;
}

/** True inside a user namespace other than the first: its capabilities do not count for eBPF (user_namespaces(7)). */
export function insideUserNamespace(): boolean {
  const map = readText("/proc/self/uid_map")?.trim().split(/\s+/);
  return map !== undefined && !(map[0] === "0" && map[1] === "0" && map[2] === "4294967295");
}

/** Those of the capabilities that are not in the set, by default this thread's. */
export function missingCapabilities(
  needed: readonly CapabilityName[],
  set: bigint | undefined = effectiveCapabilities(),
): readonly CapabilityName[] {
  // CAP_SYS_ADMIN stands for both CAP_BPF and CAP_PERFMON (capabilities(7)).
  const admin = hasCapability("CAP_SYS_ADMIN", set);
  return needed.filter((c) => !hasCapability(c, set) && !(admin && (c === "CAP_BPF" || c === "CAP_PERFMON")));
}

/**
 * Why the kernel may have answered EPERM, in a sentence. Names the capability that is missing; when none is, says so and
 * lists what else can refuse, asserting none of it.
 */
export function explainPermission(needed: readonly CapabilityName[]): string {
  const set = effectiveCapabilities();
  if (set === undefined)
    return `It needs ${needed.join(" + ")}; /proc is not readable, so which one is missing is not known.`;
  const missing = missingCapabilities(needed, set);
  if (missing.length > 0) {
    const names = missing.join(" and ");
    return `This process lacks ${names}: run it as root, or give node the capabilities (setcap, or AmbientCapabilities= in systemd).`;
  }
  const where = insideUserNamespace()
    ? " This process is inside a user namespace, where its capabilities do not count for the kernel as a whole."
    : "";
  return `No needed capability (${needed.join(", ")}) is missing.${where} Kernel lockdown (/sys/kernel/security/lockdown), a Linux security module, a seccomp filter, kernel.unprivileged_bpf_disabled or, before Linux 5.11, the limit of locked memory (ulimit -l) may refuse it; which one is not known.`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
