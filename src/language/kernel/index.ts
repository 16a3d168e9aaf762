// oxlint-disable-next-line typescript/triple-slash-reference -- a file that declares a module for everybody cannot be imported
/// <reference path="./btf-modules.d.ts" preserve="true" />
/**
 * The words of kernel TypeScript: what a `*.bpf.ts` module imports. Evaluated by JavaScript they make descriptors of types, maps,
 * parameters and programs and run no kernel code; `load(module)` of `skep` compiles and loads what they describe.
 *
 * @module
 */
export {
  type AggregateOptions,
  Average,
  avg,
  Counter,
  counter,
  Histogram,
  type HistogramOptions,
  histogram,
  Linear,
  type LinearOptions,
  linear,
  Maximum,
  Minimum,
  max,
  min,
  Sum,
  sum,
} from "./aggregate.ts";
export {
  bucketCount,
  bucketOf,
  bucketRange,
  type LinearBuckets,
  linearBucketCount,
  linearBucketOf,
  linearBucketRange,
} from "./buckets.ts";
export { type Cell, cell, type Ref } from "./cell.ts";
// All of it: only what comes through a star can be filled by the declarations of a project.
export * from "./context.ts";
export {
  EACCES,
  EAGAIN,
  EBUSY,
  ECONNREFUSED,
  EEXIST,
  EINTR,
  EINVAL,
  EIO,
  ENOENT,
  ENOMEM,
  ENOSYS,
  EPERM,
} from "./errno.ts";
export {
  abs,
  atMost,
  cgroupId,
  clz32,
  comm,
  cookie,
  cpu,
  exists,
  funcIp,
  gid,
  htonl,
  htonll,
  htons,
  jiffies,
  kernelStr,
  kernelStrInto,
  ktime,
  ktimeBoot,
  log2,
  nsPidTgid,
  ntohl,
  ntohll,
  ntohs,
  numaNode,
  pid,
  pidTgid,
  print,
  type RangeOptions,
  random,
  range,
  readKernel,
  readKernelInto,
  readUser,
  readUserInto,
  signal,
  signalThread,
  task,
  taskAddress,
  taskRegisters,
  tid,
  uid,
  userStr,
  userStrInto,
  zeros,
} from "./helper.ts";
export { KernelOnlyError } from "./kernel-only.ts";
export {
  ArrayMap,
  type ArrayOptions,
  arrayMap,
  CgroupArray,
  cgroupArray,
  HashMap,
  hash,
  type MapOptions,
  PerCpuArrayMap,
  PerCpuHashMap,
  ProgramArray,
  progArray,
  StackTraces,
  stackTraces,
  TaskStorage,
  taskStorage,
  type WriteMode,
} from "./map.ts";
export { ORIGIN } from "./origin.ts";
export {
  fentry,
  fexit,
  interval,
  iter,
  KernelProgram,
  kprobe,
  kretprobe,
  lsm,
  type Packet,
  type ProgramResult,
  profile,
  rawTracepoint,
  type Schedule,
  syscall,
  tpBtf,
  tracepoint,
  uprobe,
  uretprobe,
  usdt,
  XDP,
  xdp,
} from "./program.ts";
export { Records, Ring, type RingOptions, ringbuf, type Slot } from "./ring.ts";
export * from "./scalar.ts";
export * from "./type.ts";
export type { Address, Bytes, Fixed, KernelPtr, Str, UserPtr } from "./value.ts";
export { Global, global, type Param, ParamDescriptor, param } from "./variable.ts";
