// An object that clang made (calls.bpf.c), loaded and read with the types it carries: counts this process's system calls.
// Linux 5.8 with BTF; root, or CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/clang-object.js
import { readdirSync } from "node:fs";
import { type KeyedMap, loadObject } from "skep";

const file = new URL("../../examples/calls.bpf.o", import.meta.url);
using object = loadObject(file, { variables: { pid: process.pid } });
const { count } = object.programs;
const calls = object.maps["calls"] as unknown as KeyedMap<bigint, bigint>;

const link = count?.attachRawTracepoint("sys_enter");
readdirSync("/");
link?.close();
for (const [number, times] of calls) console.log(`system call ${number}: ${times}`);
