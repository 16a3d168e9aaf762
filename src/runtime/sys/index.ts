/**
 * The only room that calls the native part: bpf(2), perf_event_open(2), ioctl(2), memory mappings, waiting. Everything
 * above it works with owned descriptors and typed errors.
 */
export { allocate, getArena, release, type Slot } from "./arena.ts";
export { BackgroundCalls, type Call } from "./background.ts";
export { BpfAttr, BpfCommand, type BpfCommandName } from "./bpf.ts";
export { type BtfInfo, btfInfo, loadedBtf, openKernelBtf } from "./btf-info.ts";
export {
  Capability,
  type CapabilityName,
  effectiveCapabilities,
  explainPermission,
  hasCapability,
  insideUserNamespace,
  missingCapabilities,
} from "./capability.ts";
export { type Child, type ChildEnd, startChild } from "./child.ts";
export { DescriptorKindError, descriptorInfo, expectKind } from "./descriptor-kind.ts";
export { Fd, type OpenFd, openFds, trackFds } from "./fd.ts";
export { tryLock } from "./file-lock.ts";
export { idsOf, openId } from "./ids.ts";
export { interfaceIndexOf, interfaceNameOf } from "./interface-index.ts";
export { KallsymsError, kernelAddresses, kernelHasSymbols, kernelSymbols, matchKernelAddresses } from "./kallsyms.ts";
export { BTF_FOLDER, KernelBtfError, kernelBtf, moduleBtf } from "./kernel-btf.ts";
export { isKernelBefore, kernelRelease, kernelSince } from "./kernel-version.ts";
export { mapFile } from "./map-file.ts";
export { MapFlags, Mapping, Protection } from "./mapping.ts";
export { raiseMemlock } from "./memlock.ts";
export { NativeUnavailableError, native, nativePath, packageFile } from "./native.ts";
export { type NetlinkAttribute, type NetlinkRequest, netlinkText, netlinkU32, routeRequest } from "./netlink.ts";
export { cText, type InfoBuffer, objectInfo } from "./object-info.ts";
export { pageSize } from "./page-size.ts";
export { ioctl, openPerfEvent, type PerfEventOptions, PerfIoctl, PerfType, perfEventLost } from "./perf-event.ts";
export { openPidFd } from "./pid-fd.ts";
export { isBpffs, openPin, Pins } from "./pin.ts";
export {
  leavePollSet,
  pollSet,
} from "./poll-set.ts";
export { askedOnce, judge, lacking, type ProbeResult, type ProbeStatus } from "./probe-result.ts";
export { ProgramFunctionError, programFunction } from "./program-types.ts";
export { waitForPrograms } from "./rcu.ts";
export { Region } from "./region.ts";
export { despiteSignals, withSignalsBlocked } from "./signal-mask.ts";
export { SocketOption, setSocketOption } from "./socket-option.ts";
export { nr } from "./syscall-number.ts";
export { ClosedError, errnoName, SystemError, type SystemErrorOptions } from "./system-error.ts";
export { openTimer, setTimer } from "./timer-fd.ts";
export { createToken, TOKEN_FLAG } from "./token.ts";
export { foldersInTracefs, readTracefs } from "./tracefs-file.ts";
export { isInTracefs, noTracefs, TRACEFS_ROOTS, tracefsRefusal, tracefsRoot } from "./tracefs-root.ts";
export { Waiter } from "./waiter.ts";
