// Asks for what needs rights, and prints how each was refused. Run with fewer rights than the tests have.

import { loadProgram } from "../../../src/runtime/load/index.ts";
import { openPerfEvent } from "../../../src/runtime/sys/index.ts";
import { Assembler, createMap, type ProgramTypeName, r0 } from "../../../src/sdk/index.ts";

const instructions = new Assembler().mov(r0, 0).exit().instructions();
const load = (type: ProgramTypeName) => () => loadProgram("p", { type, license: "GPL", instructions }, {}).close();
const attempts = {
  map: () => createMap({ type: "hash", keySize: 4, valueSize: 4, maxEntries: 1 }, "m").close(),
  socket_filter: load("socket_filter"),
  raw_tracepoint: load("raw_tracepoint"),
  xdp: load("xdp"),
  // A clock for all processes on CPU 0, which takes more than a clock of one's own.
  perf: () => openPerfEvent({ type: "software", config: 0, pid: -1, cpu: 0 }, "clock of CPU 0").close(),
};
const results = Object.entries(attempts).map(([name, attempt]) => {
  try {
    attempt();
    return [name, null];
  } catch (error) {
    const { message, code, errno, syscall, hint } = error as Record<string, unknown>;
    return [name, { message, code, errno, syscall, hint }];
  }
});
console.log(JSON.stringify(Object.fromEntries(results)));
