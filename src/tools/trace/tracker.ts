import type { RecordView } from "../../sdk/index.ts";
import { type CapturedBytes, type FdSnapshot, FdTable } from "./decode/index.ts";
import type { TracedCall, TraceSink } from "./events.ts";
import {
  BirthRecord,
  CallRecord,
  CaptureRecord,
  ForkRecord,
  Header,
  LifeRecord,
  RecordFlag,
  RecordKind,
} from "./kernel/index.ts";

const NONE: readonly CapturedBytes[] = [];
const CLONE_FILES = 0x400;
const EXECS = new Set(["execve", "execveat"]);

/** What the tracker knows of the machine and of what is wanted; everything else it learns from the records. */
export interface TrackerOptions {
  /** Name of a call by number; one is made up for a number no table has. */
  readonly nameOf: (nr: number, compat: boolean) => string;
  /** Open files and working directory of a process that was there before the tracing. */
  readonly snapshot: (pid: number) => FdSnapshot;
  /** Numbers of clone, whose first argument are the flags. */
  readonly cloneNumbers: ReadonlySet<number>;
  /** Numbers of the calls to show; all when undefined. Others come, too, because the table of files needs them. */
  readonly shown?: ReadonlySet<number> | undefined;
  /** The same for 32-bit programs. */
  readonly compatShown?: ReadonlySet<number> | undefined;
  readonly failedOnly?: boolean;
  readonly minNs?: number;
}

interface ThreadState {
  readonly tid: number;
  process: ProcessState;
  captures: CapturedBytes[] | undefined;
  captureSeq: number;
}

interface ProcessState {
  readonly pid: number;
  files: FdTable;
  threads: number;
  /** Seen from its birth on: all its threads are known. */
  readonly whole: boolean;
  /** Another process has the same table of files (clone(2), CLONE_FILES). */
  shared: boolean;
}

/** A child between its parent's fork record and its own birth record. */
interface Unborn {
  readonly files: FdTable;
  readonly parent: ProcessState;
  readonly sharesFiles: boolean;
}

/** The one call object of a tracker: filled anew for each call, because making one costs more than reading it. */
class CurrentCall implements TracedCall {
  nr = 0;
  name = "";
  readonly args = new Uint32Array(12);
  ret = 0;
  unfinished = false;
  captures: readonly CapturedBytes[] = NONE;
  files: FdTable = new FdTable({ files: new Map() });
  compat = false;
  pid = 0;
  tid = 0;
  start = 0;
  ns = 0;
  resumed = false;
  refused = false;
}

/**
 * Turns the records of the ring into calls: joins captures with their call, keeps each process's descriptors, follows
 * births and deaths. Records of one thread come in order; that is all it relies on.
 */
export class Tracker {
  readonly #sink: TraceSink;
  readonly #options: TrackerOptions;
  readonly #threads = new Map<number, ThreadState>();
  readonly #processes = new Map<number, ProcessState>();
  readonly #unborn = new Map<string, Unborn>();
  readonly #call = new CurrentCall();

  constructor(sink: TraceSink, options: TrackerOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  /** Takes one record of the ring. */
  take(record: RecordView): void {
    const kind = record.u8(Header.kind);
    const tid = record.u32(Header.tid);
    const pid = record.u32(Header.tgid);
    switch (kind) {
      case RecordKind.call:
        this.#ended(record, tid, pid, false);
        break;
      case RecordKind.unfinished:
        this.#ended(record, tid, pid, true);
        break;
      case RecordKind.capture:
        this.#capture(record, this.#thread(tid, pid));
        break;
      case RecordKind.fork:
        this.#fork(record, this.#thread(tid, pid));
        break;
      case RecordKind.birth:
        this.#birth(record, tid, pid);
        break;
      case RecordKind.exit:
        this.#sink.threadExit?.({ pid, tid, time: record.u64n(LifeRecord.time), last: this.#end(tid, pid) });
        break;
      case RecordKind.signal:
        this.#sink.signal?.({ pid, tid, signal: record.u16(Header.code), time: record.u64n(LifeRecord.time) });
        break;
      default:
        throw new RangeError(`A trace record of kind ${kind} is not known.`);
    }
  }

  /**
   * A call in which its thread still was when the tracing ended, as its state in the kernel tells. What was copied at its
   * entry has come by the ring already.
   */
  takePending(tid: number, pid: number, seq: number, fill: (call: { args: Uint32Array }) => PendingCall): void {
    const thread = this.#thread(tid, pid);
    const call = this.#call;
    const { nr, start, compat } = fill(call);
    call.ret = 0;
    call.ns = 0;
    call.start = start;
    call.unfinished = true;
    this.#deliver(call, thread, nr, compat ? RecordFlag.compat : 0, seq);
  }

  #ended(record: RecordView, tid: number, pid: number, unfinished: boolean): void {
    const thread = this.#thread(tid, pid);
    const call = this.#call;
    record.words(CallRecord.args, call.args, 12);
    call.ret = record.i64n(CallRecord.ret);
    call.start = record.u64n(CallRecord.start);
    call.ns = record.u64n(CallRecord.duration);
    call.unfinished = unfinished;
    const nr = record.u16(Header.codeHigh) * 0x10000 + record.u16(Header.code);
    this.#deliver(call, thread, nr, record.u8(Header.flags), record.u16(Header.seq));
  }

  /** `seq` is the lower half of the call's sequence number. */
  #deliver(call: CurrentCall, thread: ThreadState, nr: number, flags: number, seq: number): void {
    const { process } = thread;
    const compat = (flags & RecordFlag.compat) !== 0;
    call.nr = nr;
    call.name = this.#options.nameOf(nr, compat);
    call.resumed = (flags & RecordFlag.resumed) !== 0;
    call.refused = (flags & RecordFlag.refused) !== 0;
    call.compat = compat;
    call.captures =
      thread.captures !== undefined && (thread.captureSeq & 0xffff) === (seq & 0xffff) ? thread.captures : NONE;
    thread.captures = undefined;
    call.files = process.files;
    call.pid = process.pid;
    call.tid = thread.tid;
    if (this.#isShown(call)) this.#sink.call(call);
    if (call.unfinished || call.refused) return;
    if (call.ret === 0 && EXECS.has(call.name)) this.#executed(thread);
    process.files.apply(call);
  }

  /** The process goes on with this thread alone, which takes the first one's id; and with a table of files of its own. */
  #executed(thread: ThreadState): void {
    const { process } = thread;
    if (process.shared) {
      process.files = process.files.copy();
      process.shared = false;
    }
    if (thread.tid === process.pid) return;
    this.#threads.delete(thread.tid);
    process.threads--;
  }

  #isShown(call: CurrentCall): boolean {
    const { shown, compatShown, failedOnly, minNs } = this.#options;
    const numbers = call.compat ? compatShown : shown;
    if (numbers !== undefined && !numbers.has(call.nr)) return false;
    if (failedOnly === true && (call.ret >= 0 || call.ret < -4095)) return false;
    return minNs === undefined || call.ns >= minNs || call.resumed;
  }

  #capture(record: RecordView, thread: ThreadState): void {
    const seq = record.u32(Header.seq);
    if (thread.captures === undefined || thread.captureSeq !== seq) {
      thread.captures = [];
      thread.captureSeq = seq;
    }
    const code = record.u16(Header.code);
    const flags = record.u8(Header.flags);
    const length = record.u32(CaptureRecord.length);
    const there = Math.min(record.length - CaptureRecord.data, length);
    thread.captures.push({
      arg: code & 0xff,
      index: code >> 8,
      bytes: record.copy(CaptureRecord.data, there),
      length,
      truncated: (flags & RecordFlag.truncated) !== 0 || there < length || length === CaptureRecord.longData,
      fault: (flags & RecordFlag.fault) !== 0,
    });
  }

  #fork(record: RecordView, parent: ThreadState): void {
    const sharesFiles =
      this.#options.cloneNumbers.has(record.u16(Header.code)) && (record.u32(ForkRecord.arg0) & CLONE_FILES) !== 0;
    const { process } = parent;
    this.#unborn.set(addressKey(record, ForkRecord.child), {
      files: process.files.copy(),
      parent: process,
      sharesFiles,
    });
  }

  #birth(record: RecordView, tid: number, pid: number): void {
    const key = addressKey(record, BirthRecord.self);
    const unborn = this.#unborn.get(key);
    this.#unborn.delete(key);
    let process = this.#processes.get(pid);
    if (process === undefined && unborn !== undefined) {
      const { sharesFiles, parent } = unborn;
      process = { pid, files: sharesFiles ? parent.files : unborn.files, threads: 0, whole: true, shared: sharesFiles };
      if (sharesFiles) parent.shared = true;
      this.#processes.set(pid, process);
    }
    this.#thread(tid, pid);
  }

  #thread(tid: number, pid: number): ThreadState {
    const known = this.#threads.get(tid);
    // Exec from a thread that is not the first gives it the process's id; a recycled id belongs to another process.
    if (known !== undefined && known.process.pid === pid) return known;
    let process = this.#processes.get(pid);
    if (process === undefined) {
      const files = new FdTable(this.#options.snapshot(pid));
      process = { pid, files, threads: 0, whole: false, shared: false };
      this.#processes.set(pid, process);
    }
    process.threads++;
    const thread: ThreadState = { tid, process, captures: undefined, captureSeq: 0 };
    this.#threads.set(tid, thread);
    return thread;
  }

  /** Whether its process ended with it. */
  #end(tid: number, pid: number): boolean {
    const process = this.#processes.get(pid);
    if (this.#threads.delete(tid) && process !== undefined) process.threads--;
    if (process === undefined) return tid === pid;
    if (process.threads > 0) return false;
    this.#processes.delete(pid);
    // Of one that was there before, threads that did nothing yet may live on.
    return process.whole || tid === pid;
  }
}

/** What a thread's state in the kernel says of the call it is in. */
export interface PendingCall {
  readonly nr: number;
  readonly start: number;
  readonly compat: boolean;
}

/** A kernel address as a map key. */
function addressKey(record: RecordView, offset: number): string {
  return `${record.u32(offset)}:${record.u32(offset + 4)}`;
}
