import { BpfAttr, Fd, kernelSince, SystemError } from "../sys/index.ts";

/** BPF_STATS_RUN_TIME */
const RUN_TIME = 0;

/**
 * Has the kernel count how often each program of the machine runs and how long, for as long as the descriptor is open
 * (BPF_ENABLE_STATS, Linux 5.8): `Program.stats()` tells it. It costs every run of a program some 20 to 100 ns. Before Linux
 * 5.8 the same is `sysctl kernel.bpf_stats_enabled=1`. The caller closes it. Throws SystemError. Needs CAP_SYS_ADMIN.
 */
export function enableStats(): Fd {
  const result = new BpfAttr().u32(0, RUN_TIME).call("BPF_ENABLE_STATS");
  if (result < 0) {
    const since = kernelSince("Statistics for as long as somebody looks", "5.8");
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_ENABLE_STATS)",
      doing: "have runs of programs counted",
      hint: since === undefined ? undefined : `${since} Set sysctl kernel.bpf_stats_enabled=1 instead.`,
      needs: ["CAP_SYS_ADMIN"],
    });
  }
  return new Fd(result, "statistics of programs");
}
