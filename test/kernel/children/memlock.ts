// Lifts the limit of locked memory, twice, and prints what came of it.
import { readFileSync } from "node:fs";
import { raiseMemlock } from "../../../src/runtime/sys/index.ts";
import { createMap } from "../../../src/sdk/index.ts";

const limit = () => /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "latin1"))?.slice(1);
const before = limit();
// Where eBPF's memory counts against the limit, this is far above it: it is lifted on the way, if that is allowed.
let made = true;
try {
  createMap({ type: "array", keySize: 4, valueSize: 4096, maxEntries: 1024 }, "large").close();
} catch {
  made = false;
}
const raised = [raiseMemlock(), raiseMemlock()];
console.log(JSON.stringify({ before, made, raised, after: limit() }));
