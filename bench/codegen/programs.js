// The programs, in the order of the table: where the C is, what is watched while both are attached, and what of what they
// collected must be the same. `exact` gives what is equal to the last bit, `near` numbers that time goes into.

/** Little-endian numbers of 32 bits. */
const words = (bytes) =>
  Array.from({ length: bytes.length >> 2 }, (_, i) =>
    new DataView(bytes.buffer, bytes.byteOffset).getUint32(4 * i, true),
  );
const u32 = (bytes, at) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
const i32 = (bytes, at) => u32(bytes, at) | 0;
const u64 = (bytes, at) => Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(at, true));
const text = (bytes, at, size) =>
  Buffer.from(bytes.subarray(at, at + size))
    .toString("latin1")
    .split("\0")[0];
const total = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

const bcc = "bcc";

/**
 * @typedef {object} Side one of the two, attached for a while
 * @property {(map: string) => [Uint8Array, Uint8Array][]} entries by its name in C
 * @property {(name: string) => unknown} variable by its name in C
 * @property {() => Uint8Array[]} events
 */
export const PROGRAMS = [
  {
    name: "biopattern",
    repository: bcc,
    work: "blocks",
    exact: (side) =>
      side.entries("counters").map(([dev, it]) => [u32(dev, 0), u64(it, 0), u64(it, 8), u32(it, 16), u32(it, 20)]),
  },
  {
    name: "bitesize",
    repository: bcc,
    names: { targ_comm: "targComm", filter_dev: "filterDev", targ_dev: "targDev" },
    work: "blocks",
    exact: (side) => side.entries("hists").map(([comm, hist]) => [text(comm, 0, 16), words(hist)]),
  },
  {
    name: "bootstrap",
    repository: "libbpf-bootstrap",
    names: { exec_start: "started", rb: "events", min_duration_ns: "minDurationNs" },
    work: "spawn",
    exact: (side) =>
      side.events().map((event) => {
        const isExit = event[167] !== 0;
        const shared = [isExit, i32(event, 0), i32(event, 4), text(event, 24, 16)];
        return isExit ? [...shared, u32(event, 8)] : [...shared, text(event, 40, 127)];
      }),
    near: (side) => ({ ns: total(side.events().map((event) => (event[167] !== 0 ? u64(event, 16) : 0))) }),
  },
  {
    name: "filetop",
    repository: bcc,
    names: { target_pid: "targetPid", regular_file_only: "regularFileOnly" },
    work: "files",
    pid: "target_pid",
    exact: (side) =>
      side
        .entries("entries")
        .filter(([, it]) => text(it, 40, 4096) === "skep-bench-file")
        .map(([id, it]) => [words(id), words(it.subarray(0, 40)), text(it, 40, 4096), text(it, 4136, 16), it[4152]]),
  },
  {
    name: "futexctn",
    repository: bcc,
    names: {
      targ_summary: "summary",
      targ_ms: "inMs",
      targ_lock: "targLock",
      targ_pid: "targPid",
      targ_tid: "targTid",
      start: "waits",
      stackmap: "stacks",
    },
    work: "futex",
    pid: "targ_pid",
    exact: (side) =>
      side
        .entries("hists")
        .map(([key, it]) => [
          u64(key, 0),
          u64(key, 8),
          i32(key, 16),
          total(words(it.subarray(0, 144))),
          text(it, 144, 16),
          u64(it, 160),
        ]),
    near: (side) => ({ us: total(side.entries("hists").map(([, it]) => u64(it, 168))) }),
  },
  {
    name: "llcstat",
    repository: bcc,
    names: { targ_per_thread: "perThread" },
    work: "spin",
    exact: (side) =>
      side
        .entries("infos")
        .filter(([, it]) => text(it, 16, 16) === "work")
        .map(([key, it]) => [words(key), text(it, 16, 16)]),
    near: (side) => {
      const own = side.entries("infos").filter(([, it]) => text(it, 16, 16) === "work");
      return { references: total(own.map(([, it]) => u64(it, 0))), misses: total(own.map(([, it]) => u64(it, 8))) };
    },
  },
  {
    name: "numamove",
    repository: bcc,
    names: { start: "started", latency: "latencyMs", num: "moves" },
    // Memory moves on machines that have several nodes of it.
    work: "nodes",
    exact: (side) => (side.variable("num") === 0 ? [] : [side.variable("num")]),
    near: (side) => ({ ms: side.variable("latency") }),
  },
  {
    name: "offcputime",
    repository: bcc,
    names: {
      kernel_threads_only: "kernelThreadsOnly",
      user_threads_only: "userThreadsOnly",
      max_block_us: "maxBlockUs",
      min_block_us: "minBlockUs",
      filter_by_tgid: "filterByTgid",
      filter_by_pid: "filterByPid",
      start: "started",
      stackmap: "stacks",
    },
    work: "sleep",
    params: { filter_by_tgid: true },
    prepare: (side, pid) => side.set("tgids", pid, 1),
    // The kernel's stack goes through the program that takes it: each side's is its own.
    exact: (side) => side.entries("info").map(([key, it]) => [u32(key, 0), u32(key, 4), i32(key, 8), text(it, 8, 16)]),
    near: (side) => ({ us: total(side.entries("info").map(([, it]) => u64(it, 0))) }),
  },
  {
    name: "slabratetop",
    repository: bcc,
    names: { target_pid: "targetPid", slab_entries: "caches" },
    work: "spawn",
    pid: "target_pid",
    exact: (side) =>
      side.entries("slab_entries").map(([name, it]) => [words(name), text(it, 0, 32), u64(it, 32), u64(it, 40)]),
  },
  {
    name: "softirqs",
    repository: bcc,
    names: { targ_dist: "dist", targ_ns: "inNs", targ_cpu: "targCpu" },
    // Soft interrupts come all the time: the programs are run by hand instead of attached.
    runs: [
      ["raw_tp/softirq_entry", 3],
      ["raw_tp/softirq_exit", 3],
      ["raw_tp/softirq_exit", 9],
      ["raw_tp/softirq_exit", 10],
      ["raw_tp/softirq_exit", 4294967295],
    ],
    exact: (side) => [side.variable("counts"), side.variable("hists")],
  },
  {
    name: "tcpsynbl",
    repository: bcc,
    work: "tcp",
    exact: (side) => side.entries("hists").map(([backlog, hist]) => [u64(backlog, 0), words(hist)]),
  },
  {
    name: "wakeuptime",
    repository: bcc,
    names: {
      targ_pid: "targPid",
      max_block_ns: "maxBlockNs",
      min_block_ns: "minBlockNs",
      user_threads_only: "userThreadsOnly",
      start: "started",
      stackmap: "stacks",
    },
    work: "sleep",
    pid: "targ_pid",
    exact: (side) => side.entries("counts").map(([key]) => [text(key, 0, 16), text(key, 16, 16)]),
    near: (side) => ({ ns: total(side.entries("counts").map(([, ns]) => u64(ns, 0))) }),
  },
];
