// A ring buffer from end to end: a program at the kernel's sys_enter tracepoint sends a record for each system call of
// this process, and this process reads them back as typed objects. Linux 5.8; root, or CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/ring-buffer.js
import { readdirSync, statSync } from "node:fs";
import { Assembler, loadObject, RingBufferReader, r0, r1, r2, r3, r4, r6, r7, r10, struct, u32, u64n } from "skep";

/** What the kernel side writes and this side reads. Fields lie as in C: time at byte 0, nr at 8, tid at 12. */
const Call = struct({ time: u64n, nr: u32, tid: u32 });

/** `raw_tp/sys_enter`: the context is u64[2], the second being the number of the system call. */
function program() {
  const a = new Assembler();
  // Whose call is it? Asked in this process's own pid namespace, so that it works inside containers, too.
  const namespace = statSync("/proc/self/ns/pid");
  a.mov(r6, r1).loadImm64(r1, namespace.dev).loadImm64(r2, namespace.ino);
  a.mov(r3, r10).add(r3, -8).mov(r4, 8).call("get_ns_current_pid_tgid").jne(r0, 0, "end");
  a.load("u32", r1, r10, -4).jne(r1, process.pid, "end");
  // The event is built in the ring itself; a full ring is counted, because the kernel does not.
  a.loadMap(r1, "events").mov(r2, Call.size).mov(r3, 0).call("ringbuf_reserve").jne(r0, 0, "reserved");
  a.loadMapValue(r1, "dropped", 0).mov(r2, 1).atomicAdd("u64", r1, 0, r2).ja("end");
  a.label("reserved").mov(r7, r0).call("ktime_get_ns").store("u64", r7, 0, r0);
  a.load("u64", r1, r6, 8).store("u32", r7, 8, r1).load("u32", r1, r10, -8).store("u32", r7, 12, r1);
  a.mov(r1, r7).mov(r2, 0).call("ringbuf_submit");
  a.label("end").mov(r0, 0).exit();
  return a.instructions();
}

using object = loadObject({
  maps: {
    events: { type: "ringbuf", maxEntries: 1 << 20 },
    dropped: { type: "array", value: u64n, maxEntries: 1 },
  },
  programs: { enter: { type: "raw_tracepoint", instructions: program(), license: "Dual MIT/GPL" } },
});
const { events, dropped } = object.maps;
using reader = RingBufferReader.of(events, Call, { dropped: () => dropped.get(0) ?? 0 });
using link = object.programs.enter.attachRawTracepoint("sys_enter");

readdirSync("/"); // something to see
link.close();

const counts = new Map<number, number>();
reader.consume(({ nr }) => counts.set(nr, (counts.get(nr) ?? 0) + 1));
for (const [nr, count] of [...counts].sort((a, b) => b[1] - a[1])) console.log(`system call ${nr}: ${count}`);
console.log(reader.books);
