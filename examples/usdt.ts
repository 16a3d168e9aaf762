// USDT: a probe that its makers have written into Python tells of each module that is looked for. Linux 5.8; root; a
// /usr/bin/python3 with probes (Debian, Ubuntu and Fedora have it). usdt.bpf.o is for x86-64; compile it elsewhere.
//
//   node dist-test/examples/usdt.js [MODULE]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { loadObject, RingBufferReader, str } from "skep";
import type { Usdt } from "./usdt.bpf.d.ts";

const [module = "json"] = process.argv.slice(2);
using object = loadObject<Usdt>(new URL("usdt.bpf.o", import.meta.url));
const { dropped } = object.variables;
using reader = RingBufferReader.of(object.maps.modules, str(64), { dropped: () => Number(dropped.get()) });

// It says a word when it is there, and then waits for what it is to run.
const code = "import sys; print('ready', flush=True); exec(sys.stdin.read())";
const child = spawn("/usr/bin/python3", ["-I", "-c", code], { stdio: ["pipe", "pipe", "inherit"] });
await once(child.stdout, "data");
object.attach({ pid: child.pid as number }); // by its section, at this one process
child.stdin.end(`import ${module}`);
await once(child, "exit");

reader.consume((name) => console.log(`import ${name}`));
console.log(reader.books);
