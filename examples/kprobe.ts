// A kprobe: the kernel's function vfs_read as this process comes by it, which files and how many bytes it wants of them.
// Linux 5.8 with BTF and CONFIG_KPROBES; root, or CAP_BPF and CAP_PERFMON. kprobe.bpf.o is for x86-64; compile it elsewhere.
//
//   node dist-test/examples/kprobe.js [FILE]
import { readFileSync } from "node:fs";
import { loadObject } from "skep";
import type { Kprobe } from "./kprobe.bpf.d.ts";

const [file = "/etc/passwd"] = process.argv.slice(2);
const path = new URL("kprobe.bpf.o", import.meta.url);
using object = loadObject<Kprobe>(path, { variables: { pid: process.pid } });

object.attach(); // by its section: SEC("kprobe/vfs_read")
readFileSync(file);
for (const [name, bytes] of object.maps.wanted) console.log(`${name}: ${bytes} bytes wanted`);
