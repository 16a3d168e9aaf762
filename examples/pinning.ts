// Pinning: a program goes on counting when the process that attached it is gone; the next run finds what it counted. It counts
// the executions of commands on this machine, and nothing else of them. Linux 5.8 with bpffs; root.
//
//   node dist-test/examples/pinning.js          begins, and tells from the second time on
//   node dist-test/examples/pinning.js stop     ends it
import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { Assembler, loadObject, openPinnedLink, openPinnedMap, r0, r1, r2, u64n } from "skep";

const FOLDER = "/sys/fs/bpf/skep-pinning";
const [MAP, LINK] = [`${FOLDER}/executions`, `${FOLDER}/link`];
const executions = { type: "array", value: u64n, maxEntries: 1 } as const;

if (existsSync(FOLDER)) {
  using map = openPinnedMap(MAP, executions);
  console.log(`${map.get(0)} commands so far`);
  if (process.argv[2] === "stop") {
    using link = openPinnedLink(LINK);
    link.unpin();
    map.unpin();
    rmdirSync(FOLDER);
    console.log("ended");
  }
} else if (process.argv[2] === "stop") {
  console.log("nothing to end");
} else {
  const a = new Assembler().loadMapValue(r1, "executions", 0).mov(r2, 1).atomicAdd("u64", r1, 0, r2);
  const instructions = a.mov(r0, 0).exit().instructions();
  using object = loadObject({
    maps: { executions },
    programs: { count: { type: "raw_tracepoint", instructions, license: "Dual MIT/GPL" } },
  });
  mkdirSync(FOLDER);
  using link = object.programs.count.attachRawTracepoint("sched_process_exec");
  object.maps.executions.pin(MAP);
  link.pin(LINK);
  console.log("begun");
}
