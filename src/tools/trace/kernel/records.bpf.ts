// What the trace programs tell the reader: plans of what to copy, and the records in the ring (layout.ts has the meaning of the
// fields).
import { array, arrayMap, bytes, cell, i64, type Kernel, ringbuf, struct, u8, u16, u32, u64 } from "skep/kernel";
import {
  ALL_PLANS,
  CAPTURES,
  LONG_DATA,
  OTHER_PLAN,
  PLANS,
  RecordFlag,
  SHORT_WORDS,
  ThreadFlag,
} from "./protocol.bpf.ts";
import { control, type Thread } from "./threads.bpf.ts";

export const PlanCapture = struct({
  kind: u8,
  arg: u8,
  lengthKind: u8,
  lengthArg: u8,
  max: u16,
  scale: u8,
  unused: u8,
});

export const Plan = struct({
  enabled: u8,
  atEntry: u8,
  atExit: u8,
  evenFailed: u8,
  unused: u32,
  captures: array(PlanCapture, CAPTURES),
});

/** By number; those of 32-bit programs' calls behind. One value: its place is known when the program is loaded. */
export const syscalls = arrayMap(array(Plan, ALL_PLANS), 1);

/** Notes which plan is in force, and says which. */
export function choosePlan(state: Kernel<typeof Thread>, number: u32, flags: u32): u32 {
  const index = number < PLANS ? number : OTHER_PLAN;
  const plan = (flags & ThreadFlag.compat) !== 0 ? index + PLANS : index;
  state.plan = u16(plan);
  return u32(plan);
}

export const events = ringbuf({ bytes: 4 << 20 });

export const CallRecord = struct({
  kind: u8,
  flags: u8,
  code: u16,
  seq: u16,
  codeHigh: u16,
  ids: u64,
  start: u64,
  duration: u64,
  ret: i64,
  args: array(u64, 6),
});

/** A call that ended, or (`unfinished`) whose thread did. */
export function reportCall(state: Kernel<typeof Thread>, kind: u8, duration: u64, ret: i64): void {
  const sent = events.emit(CallRecord, {
    kind,
    // These three have the same bits in both.
    flags: u8(state.flags & (RecordFlag.compat | RecordFlag.resumed | RecordFlag.refused)),
    code: u16(state.nr),
    seq: u16(state.seq),
    codeHigh: u16(state.nr >> 16),
    ids: state.ids,
    start: state.start,
    duration,
    ret,
    args: [state.args[0], state.args[1], state.args[2], state.args[3], state.args[4], state.args[5]],
  });
  if (!sent) cell(control.get(0).droppedCalls).add(1);
}

/** Most captures: the record is as long as its data. What they copy is seen as words, for the vectors among it. */
export const CaptureRecord = struct({
  kind: u8,
  flags: u8,
  arg: u8,
  part: u8,
  seq: u32,
  ids: u64,
  length: u64,
  data: array(u64, SHORT_WORDS),
});

export const LongCaptureRecord = struct({
  kind: u8,
  flags: u8,
  arg: u8,
  part: u8,
  seq: u32,
  ids: u64,
  length: u64,
  data: bytes(LONG_DATA),
});

export const ForkRecord = struct({ kind: u8, flags: u8, code: u16, seq: u32, ids: u64, child: u64, arg0: u64 });
export const BirthRecord = struct({ kind: u8, flags: u8, code: u16, seq: u32, ids: u64, self: u64 });
/** The end of a thread, or a signal that reached it. */
export const LifeRecord = struct({ kind: u8, flags: u8, code: u16, seq: u32, ids: u64, time: u64 });

/** A birth, an end or a signal that found the ring full. */
export function lifeDropped(): void {
  cell(control.get(0).droppedLife).add(1);
}
