/** Attachments: one file per kind. */
export { attachCgroup, type CgroupOptions } from "./cgroup.ts";
export type { Attachable } from "./create-link.ts";
export { InterfaceError } from "./interface.ts";
export { attachIterator, IteratorLink, type IteratorOptions } from "./iterator.ts";
export { attachKprobe, attachKretprobe, type KprobeOptions } from "./kprobe.ts";
export { attachKprobeMulti, type KprobeMultiOptions } from "./kprobe-multi.ts";
export { Link } from "./link.ts";
export { attachNetfilter, attachNetns, type NetfilterOptions } from "./netns.ts";
export { attachPerfEvent, attachPerfEvents, type PerfEventName, type SamplingOptions } from "./perf-event.ts";
export { attachRawTracepoint } from "./raw-tracepoint.ts";
export { attachReuseport, attachSocketFilter, attachSockmap } from "./socket.ts";
export { attachStructOps } from "./struct-ops.ts";
export { attachNetkit, attachTc, attachTcx, type Direction, type TcOptions } from "./tc.ts";
export { TracepointError } from "./tracefs.ts";
export { attachTracepoint } from "./tracepoint.ts";
export { attachTracing, type TracingOptions } from "./tracing.ts";
export {
  attachUprobe,
  attachUprobeMulti,
  attachUretprobe,
  SymbolError,
  type UprobeMultiOptions,
  type UprobeOptions,
  type UprobeTarget,
} from "./uprobe.ts";
export { attachXdp, type XdpOptions } from "./xdp.ts";
