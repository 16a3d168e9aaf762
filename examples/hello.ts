// The smallest program: a counter in the kernel of the system calls that this process makes. Linux 5.8; root, or CAP_BPF and
// CAP_PERFMON.
//
//   node dist-test/examples/hello.js
import { readdirSync } from "node:fs";
import { Assembler, loadObject, r0, r1, r2, u64n } from "skep";

const a = new Assembler();
a.call("get_current_pid_tgid").rsh(r0, 32).jne(r0, process.pid, "end"); // only this process
a.loadMapValue(r1, "calls", 0).mov(r2, 1).atomicAdd("u64", r1, 0, r2);
a.label("end").mov(r0, 0).exit();

using object = loadObject({
  maps: { calls: { type: "array", value: u64n, maxEntries: 1 } },
  programs: {
    count: { type: "raw_tracepoint", attachTo: "sys_enter", instructions: a.instructions(), license: "Dual MIT/GPL" },
  },
});
object.attach();
readdirSync("/");
console.log(`Hello! So far ${object.maps.calls.get(0)} system calls.`);
