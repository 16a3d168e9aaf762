/** Attachments: one file per kind. */
export type { Anchor, AnchorOptions } from "./anchor.ts";
export { attachCgroup, type CgroupOptions } from "./cgroup.ts";
export type { Attachable } from "./create-link.ts";
export { BinaryError, findBinary } from "./find-binary.ts";
export { attachFreplace, type FreplaceTarget } from "./freplace.ts";
export { InterfaceError } from "./interface.ts";
export { attachIterator, IteratorLink, type IteratorOptions } from "./iterator.ts";
export { attachKprobe, attachKretprobe, type KprobeOptions } from "./kprobe.ts";
export { attachKprobeMulti, type KprobeMultiOptions } from "./kprobe-multi.ts";
export { attachKretsyscall, attachKsyscall, type KsyscallOptions, syscallFunction } from "./ksyscall.ts";
export { Link, type Replacement } from "./link.ts";
export type {
  AttachTypeOrNumber,
  CgroupLinkDetails,
  IteratorLinkDetails,
  KprobeMultiLinkDetails,
  LinkDetails,
  NetfilterLinkDetails,
  NetnsLinkDetails,
  PerfEventDetails,
  PerfEventLinkDetails,
  RawTracepointLinkDetails,
  SockmapLinkDetails,
  StructOpsLinkDetails,
  TcLinkDetails,
  TracingLinkDetails,
  TracingMultiLinkDetails,
  UnknownLinkDetails,
  UprobeMultiLinkDetails,
  XdpLinkDetails,
} from "./link-details.ts";
export { LinkType, type LinkTypeName, linkIds } from "./link-info.ts";
export { attachLwt, type LwtOptions } from "./lwt.ts";
export { MultiLink } from "./multi-link.ts";
export { attachNetfilter, attachNetns, type NetfilterOptions } from "./netns.ts";
export { linkDetails, openLink, openPinnedLink } from "./open-link.ts";
export { attachPerfEvent, attachPerfEvents, type SamplingOptions } from "./perf-event.ts";
export type { BreakpointEvent, CacheEvent, PerfEventKind, PerfEventName } from "./perf-event-kind.ts";
export { type AttachedProgram, type AttachedPrograms, type QueryTarget, queryPrograms } from "./query.ts";
export { attachRawTracepoint } from "./raw-tracepoint.ts";
export { attachReuseport, attachSocketFilter, attachSockmap } from "./socket.ts";
export { attachStructOps } from "./struct-ops.ts";
export { attachNetkit, attachTc, attachTcx, type Direction, type TcOptions } from "./tc.ts";
export { TracepointError } from "./tracefs.ts";
export { attachTracepoint } from "./tracepoint.ts";
export { attachTracing, type TracingOptions } from "./tracing.ts";
export { attachTracingMulti, type TracingMultiOptions } from "./tracing-multi.ts";
export {
  attachUprobe,
  attachUprobeMulti,
  attachUretprobe,
  SymbolError,
  type UprobeMultiOptions,
  type UprobeOptions,
  type UprobeTarget,
} from "./uprobe.ts";
export { attachUsdt, type UsdtOptions, type UsdtProbe, usdtProbes } from "./usdt.ts";
export { attachXdp, type XdpOptions } from "./xdp.ts";
