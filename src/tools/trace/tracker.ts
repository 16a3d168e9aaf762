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

/** What the tracker knows of the machine; everything else it learns from the records. */
export interface TrackerOptions {
  /** Name of a call by number; undefined for a number no table has. */
  readonly nameOf: (nr: number, compat: boolean) => string;
  /** Open files and working directory of a process that was there before the tracing. */
  readonly snapshot: (pid: number) => FdSnapshot;
  /** Numbers of clone, whose first argument are the flags. */
  readonly cloneNumbers: ReadonlySet<number>;
}

interface ThreadState {
  readonly tid: number;
  process: ProcessState;
  captures: CapturedBytes[] | undefined;
  captureSeq: number;
}

interface ProcessState {
  readonly pid: number;
  readonly files: FdTable;
  threads: number;
}

/** A child between its parent's fork record and its own birth record. */
interface Unborn {
  readonly files: FdTable;
  readonly parent: ProcessState;
  readonly sharesFiles: boolean;
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
        this.#call(record, tid, pid, false);
        break;
      case RecordKind.unfinished:
        this.#call(record, tid, pid, true);
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
        this.#sink.threadExit?.({ pid, tid, time: record.u64n(LifeRecord.time) });
        this.#end(tid);
        break;
      case RecordKind.signal:
        this.#sink.signal?.({ pid, tid, signal: record.u16(Header.code), time: record.u64n(LifeRecord.time) });
        break;
      default:
        throw new RangeError(`A trace record of kind ${kind} is not known.`);
    }
  }

  #call(record: RecordView, tid: number, pid: number, unfinished: boolean): void {
    const thread = this.#thread(tid, pid);
    const flags = record.u8(Header.flags);
    const nr = record.u16(Header.code);
    const compat = (flags & RecordFlag.compat) !== 0;
    const args = new Uint32Array(12);
    for (let i = 0; i < 12; i++) args[i] = record.u32(CallRecord.args + 4 * i);
    const captures =
      thread.captures !== undefined && thread.captureSeq === record.u32(Header.seq) ? thread.captures : NONE;
    thread.captures = undefined;
    const { files } = thread.process;
    const call: TracedCall = {
      nr,
      name: this.#options.nameOf(nr, compat),
      args,
      ret: record.i64n(CallRecord.ret),
      unfinished,
      captures,
      files,
      pid,
      tid,
      start: record.u64n(CallRecord.start),
      ns: record.u64n(CallRecord.duration),
      resumed: (flags & RecordFlag.resumed) !== 0,
      compat,
    };
    this.#sink.call(call);
    if (!compat && !unfinished) files.apply(call);
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
      process = { pid, files: unborn.sharesFiles ? unborn.parent.files : unborn.files, threads: 0 };
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
      process = { pid, files: new FdTable(this.#options.snapshot(pid)), threads: 0 };
      this.#processes.set(pid, process);
    }
    process.threads++;
    const thread: ThreadState = { tid, process, captures: undefined, captureSeq: 0 };
    this.#threads.set(tid, thread);
    return thread;
  }

  #end(tid: number): void {
    const thread = this.#threads.get(tid);
    if (thread === undefined) return;
    this.#threads.delete(tid);
    if (--thread.process.threads === 0) this.#processes.delete(thread.process.pid);
  }
}

/** A kernel address as a map key. */
function addressKey(record: RecordView, offset: number): string {
  return `${record.u32(offset)}:${record.u32(offset + 4)}`;
}
