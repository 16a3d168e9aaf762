// Facts a number means nothing without.
import { cpus, loadavg, release, totalmem } from "node:os";

export function machineFacts() {
  return {
    kernel: release(),
    cpu: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
    memory: `${Math.round(totalmem() / 2 ** 30)} GiB`,
    node: process.version,
    load: loadavg().map((value) => Number(value.toFixed(2))),
    date: new Date().toISOString(),
  };
}
