/**
 * Skep: eBPF for TypeScript. Load programs into the Linux kernel, talk to them through maps, read their events.
 *
 * @module
 */
export {
  Assembler,
  disassemble,
  encode,
  Helper,
  type Instruction,
  type Register,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r9,
  r10,
} from "../object/asm/index.ts";
export {
  array,
  bool,
  bytes,
  CodecError,
  type Infer,
  i8,
  i16,
  i32,
  i64,
  i64n,
  type Layout,
  str,
  struct,
  u8,
  u16,
  u32,
  u64,
  u64n,
} from "../object/codec/index.ts";
export {
  AttachType,
  type AttachTypeName,
  MapFlag,
  type MapSpec,
  MapType,
  type MapTypeName,
  type ObjectSpec,
  type ProgramSpec,
  ProgramType,
  type ProgramTypeName,
} from "../object/spec/index.ts";
export {
  type Latency,
  RecordView,
  type RingBooks,
  type RingBufferOptions,
  RingBufferReader,
} from "../runtime/event/index.ts";
export { Link, TracepointError, type TracepointScope } from "../runtime/link/index.ts";
export {
  type LoadedObject,
  type LoadOptions,
  loadObject,
  Program,
  type ProgramStats,
  type TestRunOptions,
  type TestRunResult,
  UnknownMapError,
  VerifierError,
} from "../runtime/load/index.ts";
export {
  BpfMap,
  createMap,
  KeyedMap,
  type LiveMap,
  type MapInfo,
  MappedArray,
  openPinnedMap,
  possibleCpus,
  type UpdateMode,
} from "../runtime/map/index.ts";
export {
  ClosedError,
  Fd,
  NativeUnavailableError,
  type OpenFd,
  openFds,
  SystemError,
  trackFds,
} from "../runtime/sys/index.ts";
