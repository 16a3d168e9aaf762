// Copies what one argument points to into the ring, then calls itself for the next one: a step of its own, so that the verifier
// walks through it once and not once for each argument of each program (a hundred milliseconds less to load).
//
// Memory that is not readable at entry is only noted: the page may become resident until the call returns, and then it is read
// again. Text up to 255 bytes goes by way of the stack, so that a record is as long as its text; only longer text takes a record
// of the full 4 KiB.
import { cell, type Kernel, min, readUserInto, struct, u32, u64, userStrInto, zeros } from "skep/kernel";
import { CAPTURES, CaptureKind, LengthKind, RecordFlag, RecordKind, SHORT_DATA, ThreadFlag } from "./protocol.bpf.ts";
import { CaptureRecord, events, LongCaptureRecord, type Plan, type PlanCapture } from "./records.bpf.ts";
import { control, type Thread } from "./threads.bpf.ts";

const ARGV_MAX = 24;
const IOVECS = 8;
const IOVEC_SIZE = 16;
const MSGHDR_SIZE = 56;
const NAME_MAX = 128;
/** Bytes of a record before its data. */
const BEFORE = 24;

/** What became of one argument: all is done, the same argument goes on, or its memory is not there. */
const DONE = 0;
const AGAIN = 1;
const FAULT = 2;

const Word = struct({ value: u64 });

function dropped(): void {
  cell(control.get(0).droppedCaptures).add(1);
}

/** Sends the record with so many bytes of its data. */
function output(record: Kernel<typeof CaptureRecord>, length: u64): void {
  if (!events.output(record, BEFORE + min(length, SHORT_DATA))) dropped();
}

function captureText(state: Kernel<typeof Thread>, record: Kernel<typeof CaptureRecord>, address: u64): u32 {
  const length = userStrInto(record.data, address);
  if (length < 0) return FAULT;
  if (length < SHORT_DATA) {
    record.length = u64(length);
    output(record, u64(length));
    return DONE;
  }
  const long = events.reserve(LongCaptureRecord);
  if (long === undefined) {
    dropped();
    return DONE;
  }
  const whole = userStrInto(long.data, address);
  if (whole < 0) {
    long.discard();
    return FAULT;
  }
  long.kind = RecordKind.capture;
  long.arg = record.arg;
  long.seq = state.seq;
  long.ids = state.ids;
  long.length = u64(whole);
  long.submit();
  return DONE;
}

function captureBytes(
  state: Kernel<typeof Thread>,
  capture: Kernel<typeof PlanCapture>,
  record: Kernel<typeof CaptureRecord>,
  address: u64,
): u32 {
  let wanted: u64 = capture.max;
  if (capture.lengthKind !== LengthKind.const) {
    if (capture.lengthKind === LengthKind.ret) {
      if (state.ret < 1) return DONE;
      wanted = u64(state.ret);
    } else {
      wanted = state.args[capture.lengthArg & 7]!;
      if (capture.lengthKind === LengthKind.deref) {
        // A socklen_t.
        const word = zeros(Word);
        if (readUserInto(word, wanted, 4) !== 0) return FAULT;
        wanted = word.value;
      }
    }
    if (capture.scale !== 0) wanted *= capture.scale;
  }
  if (wanted === 0) return DONE;
  record.length = u32(wanted);
  const length = min(min(wanted, capture.max), SHORT_DATA);
  if (length === 0) return DONE;
  if (readUserInto(record.data, address, length) !== 0) return FAULT;
  output(record, length);
  return DONE;
}

/** One string of a vector, its number in the record's part; the next one is a step of its own. */
function captureVector(state: Kernel<typeof Thread>, record: Kernel<typeof CaptureRecord>, address: u64): u32 {
  const { part } = state;
  record.part = part;
  const pointer = zeros(Word);
  // A 32-bit program's pointers have four bytes.
  const wide = (state.flags & ThreadFlag.compat) === 0 ? 8 : 4;
  if (readUserInto(pointer, address + part * wide, wide) !== 0) return FAULT;
  if (pointer.value === 0) return DONE;
  if (part >= ARGV_MAX) {
    // There are more than are copied: an empty record with the next number says so.
    record.flags = RecordFlag.truncated;
    output(record, 0);
    return DONE;
  }
  const length = userStrInto(record.data, pointer.value);
  if (length < 0) return FAULT;
  record.length = u64(length);
  if (length >= SHORT_DATA) record.flags = RecordFlag.truncated;
  output(record, u64(length));
  state.part = part + 1;
  return AGAIN;
}

/**
 * Vectors of buffers: the vector itself, or a message's header, as part 0, a message's name as part 1, and the beginning of what
 * the first element points to as part 2.
 */
function captureBuffers(
  state: Kernel<typeof Thread>,
  capture: Kernel<typeof PlanCapture>,
  record: Kernel<typeof CaptureRecord>,
  address: u64,
): u32 {
  let size: u64 = MSGHDR_SIZE;
  if (capture.kind === CaptureKind.iov) {
    const count = state.args[capture.lengthArg & 7]!;
    if (count === 0) return DONE;
    size = min(count, IOVECS) * IOVEC_SIZE;
  }
  record.length = size;
  if (readUserInto(record.data, address, size) !== 0) return FAULT;
  output(record, size);
  if (capture.kind === CaptureKind.msghdr) {
    // struct msghdr: name 0, namelen 8, iov 16, iovlen 24.
    const name = record.data[0];
    const nameLength = u32(record.data[1]);
    const vector = record.data[3] !== 0 ? record.data[2] : 0;
    if (name !== 0 && nameLength !== 0) {
      const length = min(nameLength, NAME_MAX);
      record.part = 1;
      record.length = nameLength;
      if (readUserInto(record.data, name, length) === 0) output(record, length);
    }
    if (vector === 0 || readUserInto(record.data, vector, IOVEC_SIZE) !== 0) return DONE;
  }
  const base = record.data[0];
  const whole = record.data[1];
  // At exit no more than the call transferred; at entry the return value is not known and given as the largest number.
  if (base === 0 || whole === 0 || state.ret < 1) return DONE;
  const there = min(whole, u64(state.ret));
  record.part = 2;
  record.length = u32(there);
  const length = min(min(there, capture.max), SHORT_DATA);
  if (length === 0) return DONE;
  if (readUserInto(record.data, base, length) === 0) output(record, length);
  return DONE;
}

/** One argument, or a part of one. */
function captureArgument(state: Kernel<typeof Thread>, capture: Kernel<typeof PlanCapture>): boolean {
  const arg = capture.arg & 7;
  const address = state.args[arg]!;
  if (address === 0) return false;
  const record = zeros(CaptureRecord);
  record.kind = RecordKind.capture;
  record.arg = arg;
  record.seq = state.seq;
  record.ids = state.ids;
  let outcome: u32 = DONE;
  switch (capture.kind) {
    case CaptureKind.string:
      outcome = captureText(state, record, address);
      break;
    case CaptureKind.bytes:
      outcome = captureBytes(state, capture, record, address);
      break;
    case CaptureKind.argv:
      outcome = captureVector(state, record, address);
      break;
    case CaptureKind.iov:
    case CaptureKind.msghdr:
      outcome = captureBuffers(state, capture, record, address);
      break;
    default:
  }
  if (outcome === FAULT) {
    // Noted at entry, told at exit.
    if (state.ending === 0) state.faulted |= 1 << (state.next & 31);
    else {
      record.flags = RecordFlag.fault;
      record.length = 0;
      output(record, 0);
    }
  }
  return outcome === AGAIN;
}

/** The capture that is next; false when it is done. */
export function captureNext(state: Kernel<typeof Thread>, plan: Kernel<typeof Plan>): boolean {
  const next = state.next & (CAPTURES - 1);
  // At exit, captures of the entry are only made up for.
  if (state.ending !== 0 && next < plan.atEntry && ((state.faulted >> next) & 1) === 0) return false;
  return captureArgument(state, plan.captures[next]!);
}
