// The numbers that the trace programs and their reader share, for both sides: constants, and nothing else.

/** Bits of a thread's `flags`. */
export const ThreadFlag = {
  /** Between the fork that Skep made and the exec of the command: nothing is reported yet. */
  pending: 1,
  /** Born, and not yet reported; its first event is the return from the call that made it. */
  fresh: 2,
  /** Runs 32-bit code: numbers are those of the i386 table. */
  compat: 4,
  /** The call being reported began before the tracing did. */
  resumed: 8,
  /** The call being reported was never entered: a seccomp filter answered in the kernel's place. */
  refused: 16,
  /** The call in flight is not reported, because its plan says so. */
  skipped: 32,
  /** In `-c`: which instruction set the program runs is to be looked at, because it may have changed. */
  learn: 64,
} as const;

/** Why a call is reported: bits of a plan's `enabled`. */
export const PlanUse = {
  /** It was asked for, if the filters on its result agree. */
  shown: 1,
  /** The reader keeps the table of open files by it: it is reported whatever the filters say. */
  files: 2,
} as const;

/** What a capture copies. */
export const CaptureKind = { none: 0, string: 1, bytes: 2, argv: 3, iov: 4, msghdr: 5 } as const;
/** How many bytes of it there are. */
export const LengthKind = { const: 0, arg: 1, ret: 2, deref: 3 } as const;

/** Native numbers from here on share the last of these plans: calls that no table has. */
export const PLANS = 512;
export const OTHER_PLAN = 511;
/** The plans of 32-bit programs' calls come behind the native ones. (`-c` counts all these as others.) */
export const ALL_PLANS = 1024;
/** Captures of a plan. */
export const CAPTURES = 4;

/** Kinds of records in the ring. */
export const RecordKind = { call: 1, unfinished: 2, capture: 3, fork: 4, birth: 5, exit: 6, signal: 7 } as const;

export const RecordFlag = {
  /** The memory could not be read. */
  fault: 1,
  /** There was more than was copied. */
  truncated: 2,
  /** A 32-bit program's call. */
  compat: 4,
  /** The call began before the tracing did. */
  resumed: 8,
  /** A seccomp filter answered the call: it was never entered. */
  refused: 16,
} as const;

/** Bytes of data in a record of a capture: most are shorter than the first, texts of 256 bytes and more take the second. */
export const SHORT_DATA = 256;
export const SHORT_WORDS = 32;
export const LONG_DATA = 4096;

/** Each power of two of nanoseconds has four buckets; the last is 2^40 ns (18 minutes) and more. */
export const BUCKETS = 160;
