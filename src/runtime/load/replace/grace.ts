import { u32 } from "../../../object/codec/index.ts";
import type { MapSpec } from "../../../object/spec/index.ts";
import { createMap } from "../../map/index.ts";
import { BackgroundCalls, BpfAttr, type Fd } from "../../sys/index.ts";

const INNER = { type: "array", value: u32, maxEntries: 1 } as const;

/**
 * Waits until every program that was running when this was called has ended (sleepable ones excepted). The kernel promises
 * it for updates of a map of maps (`maybe_wait_bpf_programs` in kernel/bpf/syscall.c, Linux 4.20): one is made for it. The
 * wait, some ten milliseconds, is on a thread beside. `token`: the rights that it is made by.
 */
export async function runningProgramsEnd(token: Fd | undefined): Promise<void> {
  const make = <const S extends MapSpec>(spec: S) => createMap(spec, "skep_grace", undefined, undefined, token);
  using inner = make(INNER);
  using outer = make({ type: "array_of_maps", inner: INNER, maxEntries: 1 });
  const key = new Uint8Array(4);
  const value = new Uint8Array(Uint32Array.of(inner.fd.number).buffer);
  const attr = new BpfAttr().u32(0, outer.fd.number).pointer(8, key).pointer(16, value).u64(24, 0);
  const [result = -1] = (await BackgroundCalls.start([attr.later("BPF_MAP_UPDATE_ELEM")])?.finish()) ?? [];
  // Without a thread of its own the wait is here.
  if (result < 0) outer.set(0, inner);
}
