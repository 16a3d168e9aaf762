// A uprobe: what JavaScript opens, seen at a function of Node's own binary. Linux 5.8; root. uprobe.bpf.o is for x86-64;
// compile it elsewhere.
//
//   node dist-test/examples/uprobe.js [FILE …]
import { readFileSync } from "node:fs";
import { attachUprobe, loadObject, RingBufferReader, str } from "skep";
import type { Uprobe } from "./uprobe.bpf.d.ts";

const files = process.argv.length > 2 ? process.argv.slice(2) : ["/etc/passwd"];
using object = loadObject<Uprobe>(new URL("uprobe.bpf.o", import.meta.url));
const { dropped } = object.variables;
using reader = RingBufferReader.of(object.maps.paths, str(64), { dropped: () => Number(dropped.get()) });

const { pid, execPath } = process;
using _link = attachUprobe(object.programs.on_open, { path: execPath, symbol: "uv_fs_open", pid });
for (const file of files) readFileSync(file);
reader.consume((path) => console.log(`uv_fs_open ${path}`));
console.log(reader.books);
