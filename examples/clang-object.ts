// An object that clang made (calls.bpf.c), loaded and read with the types that `skep gen` wrote of it: counts this process's
// system calls. Linux 5.8; root, or CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/clang-object.js
import { readdirSync } from "node:fs";
import { loadObject } from "skep";
import type { Calls } from "./calls.bpf.d.ts";

const file = new URL("calls.bpf.o", import.meta.url);
using object = loadObject<Calls>(file, { variables: { pid: process.pid } });

const link = object.programs.count.attachRawTracepoint("sys_enter");
readdirSync("/");
link.close();
for (const [number, times] of object.maps.calls) console.log(`system call ${number}: ${times}`);
