// An iterator: a program is run once for each thread, and prints what it likes about those of this process. Linux 5.8 with BTF;
// root, or CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/iterator.js
import { attachIterator, loadObject } from "skep";
import type { Iterator as Threads } from "./iterator.bpf.d.ts";

const path = new URL("iterator.bpf.o", import.meta.url);
using object = loadObject<Threads>(path, { variables: { pid: process.pid } });
using link = attachIterator(object.programs.show);
process.stdout.write(link.text()); // each reading walks through all of them
