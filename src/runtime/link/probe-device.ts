import { readFileSync } from "node:fs";

/** A device of perf's that makes probes (Linux 4.17). */
export interface ProbeDevice {
  readonly type: number;
  /** The bit of `config` that makes it a return probe. */
  readonly returnBit: bigint;
}

/** The device `kprobe` or `uprobe`; undefined where the kernel has none, or sysfs is not mounted. */
export function probeDevice(name: "kprobe" | "uprobe"): ProbeDevice | undefined {
  const folder = `/sys/bus/event_source/devices/${name}`;
  try {
    const type = Number(readFileSync(`${folder}/type`, "latin1"));
    // `config:0`
    const bit = /config:(\d+)/.exec(readFileSync(`${folder}/format/retprobe`, "latin1"))?.[1] ?? "0";
    return { type, returnBit: 1n << BigInt(bit) };
  } catch {
    return undefined;
  }
}
