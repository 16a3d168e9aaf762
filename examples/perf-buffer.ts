// A perf buffer, a buffer for each CPU, as it was done before there were ring buffers: the threads that this process starts, as
// it does. Linux 5.8; root, or CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/perf-buffer.js
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { loadObject, PerfBufferReader, str, struct, u32 } from "skep";
import type { PerfBuffer } from "./perf-buffer.bpf.d.ts";

const path = new URL("perf-buffer.bpf.o", import.meta.url);
using object = loadObject<PerfBuffer>(path, { variables: { pid: process.pid } });
using reader = PerfBufferReader.of(object.maps.events, struct({ by: u32, tid: u32, name: str(16) }));
object.attach(); // by its section: SEC("tracepoint/task/task_newtask")
reader.listen(({ by, tid, name }) => console.log(`thread ${by} (${name}) started ${tid}`));

await once(new Worker("1", { eval: true }), "exit");
reader.close();
console.log(reader.books);
