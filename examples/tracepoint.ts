// A tracepoint in C: the paths that this process opens. Linux 5.8; root, or CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/tracepoint.js [FILE …]
import { existsSync, readFileSync } from "node:fs";
import { loadObject } from "skep";
import type { Tracepoint } from "./tracepoint.bpf.d.ts";

const files = process.argv.length > 2 ? process.argv.slice(2) : ["/etc/passwd"];
const path = new URL("tracepoint.bpf.o", import.meta.url);
using object = loadObject<Tracepoint>(path, { variables: { pid: process.pid } });

object.attach(); // by its section: SEC("tracepoint/syscalls/sys_enter_openat")
for (const file of files) if (existsSync(file)) readFileSync(file);
for (const [opened, times] of object.maps.opened) console.log(`${opened}: ${times}`);
