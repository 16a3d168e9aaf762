// `skep trace` as a library: which files does a command look for in vain? Linux 5.8; root, or CAP_BPF and CAP_PERFMON.
//
//   node dist-test/examples/trace-library.js [COMMAND [ARGUMENT …]]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { argsOf, findCommand, parseSyscallFilter, type TracedCall, Tracing } from "skep/trace";

const [command = "cat", ...words] = process.argv.length > 2 ? process.argv.slice(2) : ["cat", "/nonexistent"];
const missing = new Map<string, number>();

using tracing = Tracing.start({
  target: { kind: "command" },
  calls: parseSyscallFilter("%file", process.arch),
  failedOnly: true, // decided in the kernel: calls that succeed are never copied
  sink: {
    call(call: TracedCall) {
      const path = String(argsOf(call)["pathname"] ?? argsOf(call)["filename"]);
      missing.set(path, (missing.get(path) ?? 0) + 1);
    },
  },
});
tracing.awaitChild();
const child = spawn(findCommand(command), words, { stdio: "ignore" });
await once(child, "exit");
tracing.stop();

for (const [path, times] of missing) console.log(`${path}${times > 1 ? `  (${times} times)` : ""}`);
console.log("lost:", tracing.losses());
