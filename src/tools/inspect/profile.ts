import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import {
  enableStats,
  type Fd,
  type Program,
  type ProgramDetails,
  type ProgramStats,
  SystemError,
} from "../../sdk/index.ts";
import { PROGRAMS } from "./program-report.ts";
import { openWhere } from "./select.ts";

/** How often a program ran in a time, and how long. */
export interface ProgramProfile {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly runs: number;
  readonly runsPerSecond: number;
  /** The mean of one run; 0 without runs. */
  readonly nsPerRun: number;
  /** Of one CPU, in parts of 1. */
  readonly cpu: number;
  /** Runs skipped because the program was running on that CPU already. */
  readonly recursionMisses: number;
}

/** What was counted, and for how long. */
export interface ProfileReport {
  readonly seconds: number;
  /** In the order of the time they took. */
  readonly programs: readonly ProgramProfile[];
}

/**
 * Counts for some time how often programs run and how long (BPF_ENABLE_STATS, Linux 5.8, or sysctl kernel.bpf_stats_enabled):
 * all programs, or some. The counting costs each run of every program some 20 to 100 ns. Ends early when `signal` does. Throws
 * SystemError. Needs CAP_SYS_ADMIN.
 */
export async function profilePrograms(options: {
  readonly durationMs: number;
  readonly programs?: readonly Program[];
  readonly signal?: AbortSignal;
}): Promise<ProfileReport> {
  const { durationMs, signal } = options;
  using _stats = startCounting();
  const opened = options.programs === undefined ? openWhere(PROGRAMS, () => true) : [];
  try {
    const before = (options.programs ?? opened).map((program) => ({ program, stats: program.stats() }));
    const start = performance.now();
    try {
      await wait(durationMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if ((error as { code?: unknown }).code !== "ABORT_ERR") throw error;
    }
    const seconds = (performance.now() - start) / 1000;
    const programs = before
      .map(({ program, stats }) => rowOf(program.details(), stats, seconds))
      .sort((a, b) => b.cpu - a.cpu || b.runs - a.runs || a.id - b.id);
    return { seconds, programs };
  } finally {
    for (const program of opened) program.close();
  }
}

function rowOf(after: ProgramDetails, before: ProgramStats, seconds: number): ProgramProfile {
  const { id, type, name } = after;
  const runs = Number(after.runCount - before.runCount);
  const ns = Number(after.runTimeNs - before.runTimeNs);
  return {
    id,
    type,
    name,
    runs,
    runsPerSecond: Math.round(runs / seconds),
    nsPerRun: runs === 0 ? 0 : Math.round(ns / runs),
    cpu: ns / 1e9 / seconds,
    recursionMisses: Number(after.recursionMisses - before.recursionMisses),
  };
}

/** Nothing has to be enabled where an administrator has done so. */
function startCounting(): Fd | undefined {
  try {
    return enableStats();
  } catch (error) {
    if (error instanceof SystemError && error.code === "EINVAL" && isEnabled()) return undefined;
    throw error;
  }
}

function isEnabled(): boolean {
  try {
    return readFileSync("/proc/sys/kernel/bpf_stats_enabled", "latin1").trim() === "1";
  } catch {
    return false;
  }
}
