import { u32 } from "../../../object/codec/index.ts";
import { createMap } from "../../map/index.ts";
import { BackgroundCalls, BpfAttr } from "../../sys/index.ts";

const INNER = { type: "array", value: u32, maxEntries: 1 } as const;

/**
 * Waits until every program that was running when this was called has ended (sleepable ones excepted). The kernel promises
 * it for updates of a map of maps (`maybe_wait_bpf_programs` in kernel/bpf/syscall.c, Linux 4.20): one is made for it. The
 * wait, some ten milliseconds, is on a thread beside.
 */
export async function runningProgramsEnd(): Promise<void> {
  using inner = createMap(INNER, "skep_grace");
  using outer = createMap({ type: "array_of_maps", inner: INNER, maxEntries: 1 }, "skep_grace");
  const key = new Uint8Array(4);
  const value = new Uint8Array(Uint32Array.of(inner.fd.number).buffer);
  const attr = new BpfAttr().u32(0, outer.fd.number).pointer(8, key).pointer(16, value).u64(24, 0);
  const [result = -1] = (await BackgroundCalls.start([attr.later("BPF_MAP_UPDATE_ELEM")])?.finish()) ?? [];
  // Without a thread of its own the wait is here.
  if (result < 0) outer.set(0, inner);
}
