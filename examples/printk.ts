// bpf_printk: what a program prints while somebody looks for its faults. The kernel prints for every program into one place;
// the lines are read from a copy of this process's own. Linux 5.9 with tracefs; root.
//
//   node dist-test/examples/printk.js
import { loadObject, TracePipe } from "skep";
import type { Printk } from "./printk.bpf.d.ts";

const path = new URL("printk.bpf.o", import.meta.url);
using object = loadObject<Printk>(path, { variables: { pid: process.pid } });
using pipe = new TracePipe();
object.attach(); // by its section: SEC("tracepoint/syscalls/sys_enter_kill")

process.kill(process.pid, 0); // no signal: only asks whether the process is there
pipe.consume(({ tid, cpu, text }) => {
  if (tid === process.pid) console.log(`CPU ${cpu}, thread ${tid}: ${text}`);
});
console.log(pipe.books);
