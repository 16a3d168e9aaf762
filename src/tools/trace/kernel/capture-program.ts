import {
  Assembler,
  type Instruction,
  type Register,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r9,
  r10,
} from "../../../sdk/index.ts";
import { callHeader, count, lookupThread, unique } from "./common.ts";
import {
  ALL_PLANS,
  CaptureKind,
  CaptureRecord,
  Control,
  Header,
  LengthKind,
  Plan,
  PlanCapture,
  RecordFlag,
  RecordKind,
  Step,
  Thread,
  ThreadFlag,
} from "./layout.ts";

const ARGV_MAX = 24;
const IOVECS = 8;
const IOVEC_SIZE = 16;
const MSGHDR_SIZE = 56;
const NAME_MAX = 128;

// The stack: KEY, a few words, one record with a short data part.
const WORD = -16;
const SAVED = -24;
const CONTEXT = -32;
const BUFFER = -(CaptureRecord.data + CaptureRecord.shortData) - 32;
const DATA = BUFFER + CaptureRecord.data;

/**
 * Copies what one argument points to into the ring, then calls itself for the next one: a step of its own, so that the
 * verifier walks through it once and not once for each argument of each program (a hundred milliseconds less to load).
 *
 * Memory that is not readable at entry is only noted: the page may become resident until the call returns, and then it
 * is read again. Text up to 255 bytes goes by way of the stack, so that a record is as long as its text; only longer
 * text takes a record of the full 4 KiB.
 */
export function captureProgram(): readonly Instruction[] {
  const a = new Assembler();
  a.mov(r9, r1).store("u64", r10, CONTEXT, r9);
  lookupThread(a);
  a.jeq(r0, 0, "gone").mov(r6, r0);
  a.load("u16", r1, r6, Thread.plan)
    .and(r1, ALL_PLANS - 1)
    .mul(r1, Plan.size)
    .load("u8", r2, r6, Thread.next)
    .and(r2, PlanCapture.count - 1);
  a.loadMapValue(r7, "syscalls", 0).add(r7, r1);
  // At exit, captures of the entry are only made up for.
  a.load("u8", r1, r6, Thread.ending).jeq(r1, 0, "due").load("u8", r1, r7, Plan.atEntry).jge(r2, r1, "due");
  a.load("u32", r1, r6, Thread.faulted).rsh(r1, r2).and(r1, 1).jeq(r1, 0, "capture_end");
  a.label("due").lsh(r2, 3).add(r7, r2);
  a.load("u8", r1, r7, Plan.captures + PlanCapture.arg).and(r1, 7);
  a.store("u32", r10, BUFFER + Header.kind, RecordKind.capture).store("u8", r10, BUFFER + Header.code, r1);
  a.lsh(r1, 3).add(r1, r6).load("u64", r8, r1, Thread.args).jeq(r8, 0, "capture_end");
  callHeader(a, r10, BUFFER, r6);
  a.store("u64", r10, BUFFER + CaptureRecord.length, 0);
  // The verifier wants every byte written that a copy of variable length may read.
  for (let at = 0; at < CaptureRecord.shortData; at += 8) a.store("u64", r10, DATA + at, 0);
  a.load("u8", r9, r7, Plan.captures + PlanCapture.kind);
  a.jeq(r9, CaptureKind.string, "string").jeq(r9, CaptureKind.bytes, "bytes").jeq(r9, CaptureKind.argv, "argv");
  a.jeq(r9, CaptureKind.iov, "iov").jeq(r9, CaptureKind.msghdr, "msghdr").ja("capture_end");

  string(a);
  bytes(a);
  argv(a);
  iov(a);
  msghdr(a);

  // Memory that is not there: noted at entry, told at exit.
  a.label("fault")
    .load("u8", r1, r6, Thread.ending)
    .jne(r1, 0, "tell_fault")
    .load("u8", r1, r6, Thread.next)
    .and(r1, 31);
  a.mov(r2, 1)
    .lsh(r2, r1)
    .load("u32", r3, r6, Thread.faulted)
    .or(r3, r2)
    .store("u32", r6, Thread.faulted, r3)
    .ja("capture_end");
  a.label("tell_fault")
    .store("u8", r10, BUFFER + Header.flags, RecordFlag.fault)
    .store("u32", r10, BUFFER + CaptureRecord.length, 0)
    .mov(r4, 0);
  a.label("output_last");
  output(a);
  a.label("capture_end")
    .store("u8", r6, Thread.part, 0)
    .load("u8", r1, r6, Thread.next)
    .add(r1, 1)
    .store("u8", r6, Thread.next, r1);
  a.load("u8", r2, r6, Thread.end).jge(r1, r2, "finished");
  a.label("again")
    .load("u64", r1, r10, CONTEXT)
    .loadMap(r2, "steps")
    .mov(r3, Step.capture)
    .call("tail_call")
    .ja("stuck");
  a.label("finished").load("u8", r1, r6, Thread.ending).jeq(r1, 0, "gone");
  a.load("u64", r1, r10, CONTEXT).loadMap(r2, "steps").mov(r3, Step.report).call("tail_call");
  // Only when the kernel's limit of 33 steps is exceeded, which four captures cannot do; if ever, it is counted.
  a.label("stuck").load("u8", r1, r6, Thread.ending).jeq(r1, 0, "gone").store("u64", r6, Thread.start, 0);
  count(a, Control.droppedCalls);
  a.label("gone").mov(r0, 0).exit();
  return a.instructions();
}

/** Continues with the capture step; what follows runs only if that is impossible. `context` holds the raw arguments. */
export function continueWithCaptures(a: Assembler, context: Register): void {
  a.mov(r1, context).loadMap(r2, "steps").mov(r3, Step.capture).call("tail_call");
}

function string(a: Assembler): void {
  a.label("string").mov(r1, r10).add(r1, DATA).mov(r2, CaptureRecord.shortData).mov(r3, r8).call("probe_read_user_str");
  a.jslt(r0, 0, "fault").jge(r0, CaptureRecord.shortData, "long_string");
  a.store("u32", r10, BUFFER + CaptureRecord.length, r0).mov(r4, r0);
  output(a);
  a.ja("capture_end");

  a.label("long_string")
    .loadMap(r1, "events")
    .mov(r2, CaptureRecord.data + CaptureRecord.longData)
    .mov(r3, 0);
  a.call("ringbuf_reserve").jne(r0, 0, "long_reserved");
  count(a, Control.droppedCaptures);
  a.ja("capture_end").label("long_reserved").mov(r9, r0);
  a.mov(r1, r9).add(r1, CaptureRecord.data).mov(r2, CaptureRecord.longData).mov(r3, r8).call("probe_read_user_str");
  a.jsge(r0, 0, "long_read").mov(r1, r9).mov(r2, 0).call("ringbuf_discard").ja("fault").label("long_read");
  for (let at = 0; at < CaptureRecord.length; at += 8) a.load("u64", r1, r10, BUFFER + at).store("u64", r9, at, r1);
  a.store("u64", r9, CaptureRecord.length, r0).mov(r1, r9).mov(r2, 0).call("ringbuf_submit").ja("capture_end");
}

function bytes(a: Assembler): void {
  a.label("bytes");
  wantedLength(a);
  a.store("u32", r10, BUFFER + CaptureRecord.length, r4);
  a.load("u16", r5, r7, Plan.captures + PlanCapture.max);
  clip(a);
  copy(a, "fault");
  a.ja("capture_end");
}

/** r4 = the length the plan asks for, not yet clipped; jumps to capture_end when there is nothing. */
function wantedLength(a: Assembler): void {
  a.load("u8", r1, r7, Plan.captures + PlanCapture.lengthKind)
    .load("u8", r2, r7, Plan.captures + PlanCapture.lengthArg)
    .and(r2, 7)
    .lsh(r2, 3)
    .add(r2, r6);
  a.jeq(r1, LengthKind.const, "length_const").jeq(r1, LengthKind.ret, "length_ret").load("u64", r4, r2, Thread.args);
  a.jeq(r1, LengthKind.arg, "length_scale");
  // *(u32 *)argument, a socklen_t.
  a.mov(r3, r4).mov(r1, r10).add(r1, WORD).mov(r2, 4).call("probe_read_user").jne(r0, 0, "fault");
  a.load("u32", r4, r10, WORD).ja("length_scale");
  a.label("length_ret").load("u64", r4, r6, Thread.ret).jslt(r4, 1, "capture_end").ja("length_scale");
  a.label("length_const")
    .load("u16", r4, r7, Plan.captures + PlanCapture.max)
    .ja("length_known");
  a.label("length_scale")
    .load("u8", r1, r7, Plan.captures + PlanCapture.scale)
    .jeq(r1, 0, "length_known")
    .mul(r4, r1);
  a.label("length_known").jeq(r4, 0, "capture_end");
}

/** r4 = min(r4, r5, room), never 0. */
function clip(a: Assembler): void {
  const small = unique("small");
  const fits = unique("fits");
  a.jle(r4, r5, small).mov(r4, r5).label(small);
  a.jle(r4, CaptureRecord.shortData, fits).mov(r4, CaptureRecord.shortData).label(fits);
  a.jeq(r4, 0, "capture_end");
}

/** Copies r4 bytes (1…256) from r8 and sends them; at unreadable memory jumps to `fault`. */
function copy(a: Assembler, fault: string): void {
  a.store("u64", r10, WORD, r4)
    .mov(r1, r10)
    .add(r1, DATA)
    .mov(r2, r4)
    .mov(r3, r8)
    .call("probe_read_user")
    .jne(r0, 0, fault);
  a.load("u64", r4, r10, WORD);
  output(a);
}

/** Sends the header and r4 bytes (0…256) of data from the stack. */
function output(a: Assembler): void {
  const sent = unique("sent");
  // Said anew for the verifier, which forgets the bounds of a value that was kept in memory on older kernels.
  const bounded = unique("bounded");
  a.jle(r4, CaptureRecord.shortData, bounded).mov(r4, CaptureRecord.shortData).label(bounded);
  a.loadMap(r1, "events")
    .mov(r2, r10)
    .add(r2, BUFFER)
    .mov(r3, r4)
    .add(r3, CaptureRecord.data)
    .mov(r4, 0)
    .call("ringbuf_output");
  a.jeq(r0, 0, sent);
  count(a, Control.droppedCaptures);
  a.label(sent);
}

/** One string of a vector, its number in the header's part; the next one is a step of its own. */
function argv(a: Assembler): void {
  a.label("argv")
    .load("u8", r9, r6, Thread.part)
    .store("u8", r10, BUFFER + Header.code + 1, r9);
  // A 32-bit program's pointers have four bytes.
  a.store("u64", r10, WORD, 0).mov(r2, 8).mov(r3, r9).lsh(r3, 3);
  a.load("u32", r1, r6, Thread.flags).and(r1, ThreadFlag.compat).jeq(r1, 0, "argv_wide");
  a.mov(r2, 4).rsh(r3, 1).label("argv_wide");
  a.mov(r1, r10).add(r1, WORD).add(r3, r8).call("probe_read_user").jne(r0, 0, "fault");
  a.load("u64", r3, r10, WORD).jeq(r3, 0, "capture_end");
  // There are more than are copied: an empty record with the next number says so.
  a.mov(r4, 0)
    .store("u8", r10, BUFFER + Header.flags, RecordFlag.truncated)
    .jge(r9, ARGV_MAX, "output_last");
  a.mov(r1, r10).add(r1, DATA).mov(r2, CaptureRecord.shortData).call("probe_read_user_str").jslt(r0, 0, "fault");
  a.store("u32", r10, BUFFER + CaptureRecord.length, r0)
    .mov(r4, r0)
    .jge(r0, CaptureRecord.shortData, "argv_cut");
  a.store("u8", r10, BUFFER + Header.flags, 0).label("argv_cut");
  output(a);
  a.add(r9, 1).store("u8", r6, Thread.part, r9).ja("again");
}

/** The vector itself as part 0, and the beginning of what its first element points to as part 2. */
function iov(a: Assembler): void {
  a.label("iov")
    .load("u8", r2, r7, Plan.captures + PlanCapture.lengthArg)
    .and(r2, 7)
    .lsh(r2, 3)
    .add(r2, r6)
    .load("u64", r4, r2, Thread.args);
  a.jeq(r4, 0, "capture_end").jle(r4, IOVECS, "iov_count").mov(r4, IOVECS).label("iov_count").mul(r4, IOVEC_SIZE);
  a.store("u32", r10, BUFFER + CaptureRecord.length, r4);
  copy(a, "fault");
  a.load("u64", r8, r10, DATA)
    .load("u64", r4, r10, DATA + 8)
    .ja("first_buffer");
}

/** The header as part 0, the name as part 1, the first buffer's beginning as part 2. */
function msghdr(a: Assembler): void {
  a.label("msghdr")
    .mov(r4, MSGHDR_SIZE)
    .store("u32", r10, BUFFER + CaptureRecord.length, r4);
  copy(a, "fault");
  // struct msghdr: name 0, namelen 8, iov 16, iovlen 24.
  a.load("u64", r1, r10, DATA + 24)
    .load("u64", r9, r10, DATA + 16)
    .jne(r1, 0, "msg_iov")
    .mov(r9, 0)
    .label("msg_iov");
  a.store("u64", r10, SAVED, r9);
  a.load("u64", r8, r10, DATA)
    .load("u32", r4, r10, DATA + 8)
    .jeq(r8, 0, "msg_data")
    .jeq(r4, 0, "msg_data");
  a.store("u8", r10, BUFFER + Header.code + 1, 1).store("u32", r10, BUFFER + CaptureRecord.length, r4);
  a.jle(r4, NAME_MAX, "msg_name").mov(r4, NAME_MAX).label("msg_name");
  copy(a, "msg_data");
  a.label("msg_data").load("u64", r9, r10, SAVED).jeq(r9, 0, "capture_end");
  a.mov(r1, r10).add(r1, DATA).mov(r2, IOVEC_SIZE).mov(r3, r9).call("probe_read_user").jne(r0, 0, "capture_end");
  a.load("u64", r8, r10, DATA).load("u64", r4, r10, DATA + 8);

  a.label("first_buffer").jeq(r4, 0, "capture_end").jeq(r8, 0, "capture_end");
  // At exit no more than the call transferred; at entry the return value is not known and given as the largest number.
  a.load("u64", r5, r6, Thread.ret)
    .jslt(r5, 1, "capture_end")
    .jle(r4, r5, "first_clip")
    .mov(r4, r5)
    .label("first_clip");
  a.store("u32", r10, BUFFER + CaptureRecord.length, r4).store("u8", r10, BUFFER + Header.code + 1, 2);
  a.load("u16", r5, r7, Plan.captures + PlanCapture.max);
  clip(a);
  copy(a, "capture_end");
  a.ja("capture_end");
}
