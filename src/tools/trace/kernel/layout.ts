import { BUCKETS } from "./protocol.bpf.ts";

/**
 * The structures that the trace programs and their reader share, as the reader sees them: offsets in bytes, everything little endian
 * and naturally aligned. The programs have them as structs of kernel TypeScript (threads.bpf.ts, records.bpf.ts,
 * summary.bpf.ts); a test holds the two together.
 */
export * from "./protocol.bpf.ts";

/** State of one traced thread: value of the `threads` map, whose key is the thread's `task_struct` address. */
export const Thread = {
  /** Nanoseconds (CLOCK_MONOTONIC) at which the call in flight was entered; 0 when none is. */
  start: 0,
  /** Number of the call in flight, as the kernel got it. */
  nr: 8,
  /** Counts the thread's calls, so that captures find their call. */
  seq: 12,
  /** Six arguments; room for eight, so that an index masked with 7 stays inside. */
  args: 16,
  flags: 80,
  /** Captures (bit i for the i-th) whose memory was not resident at entry and is read again at exit. */
  faulted: 84,
  /** What the call returned, and the nanoseconds it took: between the program that saw it end and the one that reports it. */
  ret: 88,
  duration: 96,
  /** Index of the plan in force (below PLANS), 2 bytes. */
  plan: 104,
  /** The signal sent to it last, 2 bytes; 0 once one was delivered. */
  signal: 106,
  /** The capture to make next, and the one to stop before. */
  next: 108,
  end: 109,
  /** The next string of a vector. */
  part: 110,
  /** 1 while the call is ending: then the report follows the captures. */
  ending: 111,
  /** Thread and process id (low and high word) at the entry of the call. */
  ids: 112,
  size: 120,
} as const;

/** What the programs do for a system call: value of the `syscalls` array, indexed by number. */
export const Plan = {
  /** `PlanUse` bits: why the call is reported; 0 when it is not. */
  enabled: 0,
  /** How many captures are made at entry. */
  atEntry: 1,
  /** How many captures are made at exit. */
  atExit: 2,
  /** 1 when they are made of a call that failed, too. */
  evenFailed: 3,
  /** Four captures of 8 bytes, see `PlanCapture`; those at entry come first. */
  captures: 8,
  size: 40,
} as const;

export const PlanCapture = {
  kind: 0,
  arg: 1,
  lengthKind: 2,
  lengthArg: 3,
  max: 4,
  scale: 6,
  size: 8,
  count: 4,
} as const;

/** In a packed plan, the bit of the count of captures at exit that says `evenFailed`. */
export const EVEN_FAILED = 0x80;

/** Every record starts so. */
export const Header = {
  kind: 0,
  flags: 1,
  /** Calls: the number's lower half. Captures: argument | part << 8. Signals: the signal. */
  code: 2,
  seq: 4,
  /** Calls have only the lower half of `seq`, and here the upper half of their number. */
  codeHigh: 6,
  tid: 8,
  tgid: 12,
  size: 16,
} as const;

export const CallRecord = { start: 16, duration: 24, ret: 32, args: 40, size: 88 } as const;
/** `length` is the true length of what the capture is a beginning of. */
export const CaptureRecord = { length: 16, data: 24, shortData: 256, longData: 4096 } as const;
/** `child` is the new thread's `task_struct` address; `nr`/`arg0` the parent's call in flight. */
export const ForkRecord = { child: 16, arg0: 24, size: 32 } as const;
export const BirthRecord = { self: 16, size: 24 } as const;
export const LifeRecord = { time: 16, size: 24 } as const;

/** The one value of the `control` array. */
export const Control = {
  /** `task_struct` address of the Skep thread whose next child is the command; 0 when none is awaited. */
  parent: 0,
  /** Call records (finished and unfinished) that found the ring full. */
  droppedCalls: 8,
  /** Captures that found the ring full: their calls are reported without that argument's text. */
  droppedCaptures: 16,
  /** Fork, birth, exit and signal records that found the ring full. */
  droppedLife: 24,
  /** Threads that could not be followed because the `threads` map was full. */
  untracked: 32,
  size: 40,
} as const;

/** Per-call statistics of `-c`: value of the per-CPU `stats` array, indexed like the plans. */
export const Stats = { errors: 0, total: 8, max: 16, unfinished: 24, refused: 32, histogram: 40 } as const;
export const STATS_SIZE: number = Stats.histogram + BUCKETS * 8;

/** The bucket of a duration in nanoseconds, as the kernel side computes it. */
export function bucketOf(ns: number): number {
  if (ns < 4) return Math.max(0, Math.floor(ns));
  const log = Math.floor(Math.log2(ns));
  return Math.min(BUCKETS - 1, log * 4 + (Math.floor(ns / 2 ** (log - 2)) & 3));
}

/** The smallest duration in a bucket. Buckets 4…7 are unused: 2^1 and 2^2 share their quarter steps with 0…3. */
export function bucketStart(bucket: number): number {
  if (bucket < 4) return bucket;
  const log = Math.floor(bucket / 4);
  return 2 ** (log - 2) * (4 + (bucket % 4));
}
