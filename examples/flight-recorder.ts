// A flight recorder: a perf buffer that programs overwrite keeps the last system calls of this process, and costs no reader
// anything until something has gone wrong. Then it is read, the newest first. Linux 5.8 (the buffer itself 4.7); root, or
// CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/flight-recorder.js
import { readdirSync, statSync } from "node:fs";
import { Assembler, loadObject, PerfBufferReader, r0, r1, r2, r3, r4, r5, r6, r10, struct, u32, u64n } from "skep";

const Call = struct({ time: u64n, nr: u32, tid: u32 });
const CURRENT_CPU = -1;

/** `raw_tp/sys_enter`: the context is u64[2], the second being the number of the system call. */
function program() {
  const a = new Assembler();
  const namespace = statSync("/proc/self/ns/pid");
  a.mov(r6, r1).loadImm64(r1, namespace.dev).loadImm64(r2, namespace.ino);
  a.mov(r3, r10).add(r3, -8).mov(r4, 8).call("get_ns_current_pid_tgid").jne(r0, 0, "end");
  a.load("u32", r1, r10, -4).jne(r1, process.pid, "end");
  // The event is built on the stack, below the ids, and copied from there.
  a.call("ktime_get_ns").store("u64", r10, -24, r0);
  a.load("u64", r1, r6, 8).store("u32", r10, -16, r1).load("u32", r1, r10, -8).store("u32", r10, -12, r1);
  a.mov(r1, r6).loadMap(r2, "events").mov32(r3, CURRENT_CPU).mov(r4, r10).add(r4, -24).mov(r5, Call.size);
  a.call("perf_event_output").label("end").mov(r0, 0).exit();
  return a.instructions();
}

using object = loadObject({
  maps: { events: { type: "perf_event_array", maxEntries: 4096 } },
  programs: { enter: { type: "raw_tracepoint", instructions: program(), license: "GPL" } },
});
using recorder = PerfBufferReader.of(object.maps.events, Call, { overwrite: true, bytesPerCpu: 1 << 16 });
using link = object.programs.enter.attachRawTracepoint("sys_enter");

for (let i = 0; i < 5000; i++) statSync("/"); // more than it holds
try {
  readdirSync("/nonexistent/folder");
} catch (error) {
  link.close();
  console.log(`${(error as NodeJS.ErrnoException).code}; before that:`);
}
const calls: { time: number; nr: number }[] = [];
recorder.consume((call) => calls.push(call));
calls.sort((a, b) => b.time - a.time);
for (const { nr, time } of calls.slice(0, 10))
  console.log(`${((time - (calls[0]?.time ?? 0)) / 1000).toFixed(0)} µs: system call ${nr}`);
console.log(`${calls.length} calls were kept`);
