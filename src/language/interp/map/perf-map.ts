import { E2BIG } from "./errno.ts";
import { MachineMap } from "./machine-map.ts";

/** A perf buffer: what `perf_event_output` put into it, in order, until `records()` takes it out. */
export class PerfMachineMap extends MachineMap {
  #records: { readonly cpu: number; readonly bytes: Uint8Array }[] = [];

  /** Takes the records out, with the CPU whose buffer they went to. */
  records(): { readonly cpu: number; readonly bytes: Uint8Array }[] {
    const records = this.#records;
    this.#records = [];
    return records;
  }

  /** @internal */
  _output(cpu: number, bytes: Uint8Array): number {
    if (cpu >= this.maxEntries && this.maxEntries !== 0) return E2BIG;
    this.#records.push({ cpu, bytes: bytes.slice() });
    return 0;
  }
}
