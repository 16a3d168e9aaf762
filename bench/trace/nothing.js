// Runs a command while two programs that do nothing see every call begin and end: the least that any tracer built on these
// tracepoints adds.  node nothing.js COMMAND [ARGUMENTS]
import { spawnSync } from "node:child_process";
import { Assembler, loadObject, r0 } from "skep";

const nothing = {
  type: "raw_tracepoint",
  instructions: new Assembler().mov(r0, 0).exit().instructions(),
  license: "Dual MIT/GPL",
};
const [file, ...args] = process.argv.slice(2);
const object = loadObject({ maps: {}, programs: { enter: nothing, exit: nothing } });
const links = [
  object.programs.enter.attachRawTracepoint("sys_enter"),
  object.programs.exit.attachRawTracepoint("sys_exit"),
];
try {
  process.exitCode = spawnSync(file, args, { stdio: "inherit" }).status ?? 1;
} finally {
  for (const link of links) link.close();
  object.close();
}
