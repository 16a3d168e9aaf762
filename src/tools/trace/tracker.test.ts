import { describe, expect, it } from "vitest";
import { memoryOf } from "../../object/codec/index.ts";
import { RecordView } from "../../sdk/index.ts";
import type { FdSnapshot } from "./decode/index.ts";
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
import { Tracker, type TrackerOptions } from "./tracker.ts";

const NAMES = ["read", "openat", "close", "clone", "execve", "getpid"] as const;
type Name = (typeof NAMES)[number];
const nr = (name: Name) => NAMES.indexOf(name);
const AT_FDCWD = -100;
const CLONE_FILES = 0x400;

/** The `task_struct` of a thread: above 2^53, as the kernel's addresses are. */
const address = (tid: number) => 0xffff_8880_0000_0000n + BigInt(tid) * 64n;

interface Who {
  readonly tid: number;
  readonly pid: number;
}

interface Call {
  readonly args?: readonly number[];
  readonly ret?: number;
  readonly seq?: number;
  readonly flags?: number;
  readonly ns?: number;
  /** Instead of the name's. */
  readonly number?: number;
}

/** A tracker, records written as the kernel side writes them, and what came of them. */
function tracking(options: Partial<TrackerOptions> = {}, snapshot: FdSnapshot = { files: new Map(), cwd: "/home" }) {
  const buffer = new ArrayBuffer(8192);
  const memory = memoryOf(buffer);
  const bytes = new DataView(buffer);
  const view = new RecordView(memory);
  const seen: string[] = [];
  const snapshots: number[] = [];
  const tracker = new Tracker(
    {
      call: (call) => {
        const fd = call.args[0] as number;
        const path = call.captures.map(({ arg, bytes: text, truncated }) =>
          [arg, Buffer.from(text).toString().replace("\0", ""), ...(truncated ? ["…"] : [])].join(":"),
        );
        const marks = (["unfinished", "resumed", "refused", "compat"] as const).filter((mark) => call[mark]);
        const words = [`${call.pid}/${call.tid}`, call.name, ...path, call.files.text(fd) ?? "-", call.ret, ...marks];
        seen.push(words.join(" "));
      },
      signal: ({ pid, tid, signal, time }) => seen.push(`${pid}/${tid} signal ${signal} at ${time}`),
      threadExit: ({ pid, tid, last }) => seen.push(`${pid}/${tid} ended${last ? ", the last" : ""}`),
    },
    {
      nameOf: (number) => NAMES[number] ?? `syscall_${number}`,
      snapshot: (pid) => {
        snapshots.push(pid);
        return snapshot;
      },
      cloneNumbers: new Set([nr("clone")]),
      ...options,
    },
  );
  const start = (kind: number, { tid, pid }: Who, seq: number) => {
    new Uint8Array(buffer).fill(0);
    bytes.setUint8(Header.kind, kind);
    bytes.setUint32(Header.seq, seq, true);
    bytes.setUint32(Header.tid, tid, true);
    bytes.setUint32(Header.tgid, pid, true);
  };
  const take = (size: number) => {
    view._move(0, size);
    tracker.take(view);
  };
  return {
    tracker,
    seen,
    snapshots,
    /** A call that ended, or that never will. */
    call(who: Who, name: Name, parts: Call = {}, kind: number = RecordKind.call) {
      start(kind, who, parts.seq ?? 1);
      bytes.setUint8(Header.flags, parts.flags ?? 0);
      const number = parts.number ?? nr(name);
      bytes.setUint16(Header.code, number & 0xffff, true);
      bytes.setUint16(Header.codeHigh, number >>> 16, true);
      bytes.setBigUint64(CallRecord.duration, BigInt(parts.ns ?? 5), true);
      bytes.setBigInt64(CallRecord.ret, BigInt(parts.ret ?? 0), true);
      for (const [i, arg] of (parts.args ?? []).entries())
        bytes.setBigUint64(CallRecord.args + 8 * i, BigInt.asUintN(64, BigInt(arg)), true);
      take(CallRecord.size);
    },
    capture(who: Who, arg: number, text: string, seq = 1, length = text.length + 1) {
      start(RecordKind.capture, who, seq);
      bytes.setUint16(Header.code, arg, true);
      bytes.setUint32(CaptureRecord.length, length, true);
      new Uint8Array(buffer).set(Buffer.from(text), CaptureRecord.data);
      take(CaptureRecord.data + text.length + 1);
    },
    fork(who: Who, child: number, name: Name, arg0 = 0) {
      start(RecordKind.fork, who, 1);
      bytes.setUint16(Header.code, nr(name), true);
      bytes.setBigUint64(ForkRecord.child, address(child), true);
      bytes.setBigUint64(ForkRecord.arg0, BigInt(arg0), true);
      take(ForkRecord.size);
    },
    birth(who: Who) {
      start(RecordKind.birth, who, 0);
      bytes.setBigUint64(BirthRecord.self, address(who.tid), true);
      take(BirthRecord.size);
    },
    life(kind: number, who: Who, code = 0) {
      start(kind, who, 0);
      bytes.setUint16(Header.code, code, true);
      bytes.setBigUint64(LifeRecord.time, 77n, true);
      take(LifeRecord.size);
    },
  };
}

type Tracking = ReturnType<typeof tracking>;
const main = { pid: 10, tid: 10 };
const open = (t: Tracking, who: Who, path: string, fd: number) => {
  t.capture(who, 1, path);
  t.call(who, "openat", { args: [AT_FDCWD], ret: fd });
};

describe("calls", () => {
  it("get what was captured for them, and not what was captured for another", () => {
    const t = tracking();
    t.capture(main, 1, "/etc/hosts", 7);
    t.call(main, "openat", { args: [AT_FDCWD], ret: 3, seq: 7 });
    // The record of call 8 was lost: its text must not go to call 9.
    t.capture(main, 1, "/lost", 8);
    t.call(main, "openat", { args: [AT_FDCWD], ret: 4, seq: 9 });
    t.capture(main, 1, "/cut", 10, 300);
    t.call(main, "openat", { args: [AT_FDCWD], ret: -2, seq: 10 });
    expect(t.seen).toEqual([
      "10/10 openat 1:/etc/hosts - 3",
      "10/10 openat - 4",
      expect.stringMatching(/^10\/10 openat 1:\/cut:… - -2$/),
    ]);
  });

  it("of several threads have their captures apart", () => {
    const t = tracking();
    const second = { pid: 10, tid: 11 };
    t.capture(main, 1, "/first");
    t.capture(second, 1, "/second");
    t.call(second, "openat", { args: [AT_FDCWD], ret: 3 });
    t.call(main, "openat", { args: [AT_FDCWD], ret: 4 });
    expect(t.seen).toEqual(["10/11 openat 1:/second - 3", "10/10 openat 1:/first - 4"]);
    expect(t.snapshots).toEqual([10]);
  });

  it("keep the lower half of their sequence number beside a number above 65535", () => {
    const t = tracking();
    t.capture(main, 1, "/a", 0x50001);
    t.call(main, "read", { number: 0x12345, seq: 1 });
    expect(t.seen).toEqual([`10/10 syscall_${0x12345} 1:/a - 0`]);
  });

  it("say what is special about them", () => {
    const t = tracking();
    t.call(main, "read", { flags: RecordFlag.resumed });
    t.call(main, "read", { flags: RecordFlag.refused, ret: -1 });
    t.call(main, "read", { flags: RecordFlag.compat });
    t.call(main, "read", {}, RecordKind.unfinished);
    t.tracker.takePending(10, 10, 1, ({ args }) => {
      args[0] = 5;
      return { nr: nr("read"), start: 1, compat: true };
    });
    expect(t.seen.map((line) => line.split(" ").slice(4).join(" "))).toEqual([
      "resumed",
      "refused",
      "compat",
      "unfinished",
      "unfinished compat",
    ]);
  });

  it("are filtered; files are followed by those that are not shown, too", () => {
    const t = tracking({ shown: new Set([nr("read")]), compatShown: new Set([nr("close")]), failedOnly: true });
    open(t, main, "/a", 3);
    t.call(main, "read", { args: [3], ret: 1 });
    t.call(main, "read", { args: [3], ret: -9 });
    t.call(main, "read", { args: [3], ret: -9, flags: RecordFlag.compat });
    t.call(main, "close", { args: [4], ret: -9, flags: RecordFlag.compat });
    expect(t.seen).toEqual(["10/10 read /a -9", "10/10 close - -9 compat"]);
    const slow = tracking({ minNs: 1000 });
    slow.call(main, "read", { ns: 999 });
    slow.call(main, "read", { ns: 1000, ret: 7 });
    slow.call(main, "read", { ns: 0, ret: 8, flags: RecordFlag.resumed });
    expect(slow.seen).toEqual(["10/10 read - 7", "10/10 read - 8 resumed"]);
  });

  it("that were refused or never ended change no files", () => {
    const t = tracking();
    open(t, main, "/a", 3);
    t.call(main, "close", { args: [3], flags: RecordFlag.refused });
    t.call(main, "close", { args: [3] }, RecordKind.unfinished);
    t.call(main, "read", { args: [3], ret: 1 });
    expect(t.seen.at(-1)).toBe("10/10 read /a 1");
  });
});

describe("processes", () => {
  const child = { pid: 20, tid: 20 };
  const readers = (t: Tracking, fd: number, ...who: Who[]) => {
    const from = t.seen.length;
    for (const one of who) t.call(one, "read", { args: [fd], ret: 1 });
    return t.seen.slice(from).map((line) => line.split(" ")[2]);
  };

  it("inherit the files open at the fork, and go their own ways", () => {
    const t = tracking();
    open(t, main, "/before", 3);
    t.fork(main, 20, "clone");
    // After the fork and before the child is heard of.
    t.call(main, "close", { args: [3] });
    t.birth(child);
    expect(readers(t, 3, main, child)).toEqual(["-", "/before"]);
    open(t, child, "/child", 4);
    expect(readers(t, 4, main, child)).toEqual(["-", "/child"]);
    expect(t.snapshots).toEqual([10]);
  });

  it("share them where clone says so, until one executes", () => {
    const t = tracking();
    t.fork(main, 20, "clone", CLONE_FILES);
    t.birth(child);
    open(t, child, "/shared", 3);
    expect(readers(t, 3, main, child)).toEqual(["/shared", "/shared"]);
    t.call(child, "execve");
    open(t, child, "/own", 4);
    expect(readers(t, 4, main, child)).toEqual(["-", "/own"]);
    expect(readers(t, 3, main, child)).toEqual(["/shared", "/shared"]);
  });

  it("do not share them when another call has CLONE_FILES as its first argument", () => {
    const t = tracking();
    t.fork(main, 20, "getpid", CLONE_FILES);
    t.birth(child);
    open(t, child, "/own", 3);
    expect(readers(t, 3, main, child)).toEqual(["-", "/own"]);
  });

  it("keep sharing when an exec was refused, never came back, or failed", () => {
    const t = tracking();
    t.fork(main, 20, "clone", CLONE_FILES);
    t.birth(child);
    t.call(child, "execve", { flags: RecordFlag.refused });
    t.call(child, "execve", { ret: -2 });
    t.call(child, "execve", {}, RecordKind.unfinished);
    open(t, child, "/shared", 3);
    expect(readers(t, 3, main)).toEqual(["/shared"]);
  });

  it("that were there before are looked at, once", () => {
    const t = tracking({}, { files: new Map([[3, "/there"]]), cwd: "/home" });
    expect(readers(t, 3, main, { pid: 10, tid: 11 }, child)).toEqual(["/there", "/there", "/there"]);
    expect(t.snapshots).toEqual([10, 20]);
  });

  it("end with their last thread, and a number that comes again is another process", () => {
    const t = tracking();
    t.call(main, "getpid");
    t.fork(main, 20, "clone");
    t.birth(child);
    open(t, child, "/first", 3);
    t.birth({ pid: 20, tid: 21 });
    t.life(RecordKind.exit, child);
    t.life(RecordKind.exit, { pid: 20, tid: 21 });
    expect(t.seen.slice(-2)).toEqual(["20/20 ended", "20/21 ended, the last"]);
    t.fork(main, 20, "clone");
    t.birth(child);
    expect(readers(t, 3, child)).toEqual(["-"]);
  });

  it("go on with one thread after an exec, under the first one's number", () => {
    const t = tracking();
    t.call(main, "getpid");
    t.fork(main, 20, "clone");
    t.birth(child);
    t.birth({ pid: 20, tid: 21 });
    t.life(RecordKind.exit, child);
    // The call has the id its thread had when it was entered.
    t.call({ pid: 20, tid: 21 }, "execve");
    t.call(child, "getpid");
    t.life(RecordKind.exit, child);
    expect(t.seen.filter((line) => line.includes("ended"))).toEqual(["20/20 ended", "20/20 ended, the last"]);
  });

  it("tell of signals, and refuse records of a kind they do not know", () => {
    const t = tracking();
    t.life(RecordKind.signal, main, 15);
    expect(t.seen).toEqual(["10/10 signal 15 at 77"]);
    expect(() => t.life(99, main)).toThrow("A trace record of kind 99 is not known.");
  });
});
