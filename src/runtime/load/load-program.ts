import { AttachType, encodeProgram, type ProgramSpec, ProgramType } from "../../object/spec/index.ts";
import type { BpfMap } from "../map/index.ts";
import {
  BpfAttr,
  type Call,
  despiteSignals,
  Fd,
  lacking,
  raiseMemlock,
  SystemError,
  TOKEN_FLAG,
} from "../sys/index.ts";
import { own } from "./own.ts";
import { isLaterAttachType, probeAttachType } from "./probe/attach-types.ts";
import { probeProgramType } from "./probe/program-types.ts";
import { neededCapabilities, Program } from "./program.ts";
import { VerifierError } from "./verifier-error.ts";

const EPERM = 1;
const EAGAIN = 11;
const E2BIG = 7;
const ENOSPC = 28;
const LOG_START = 64 * 1024;
const LOG_MAX = 64 * 1024 * 1024;
/** Of a program that is too much for the verifier: its log has millions of lines, and why it gave up stands at its end. */
const LOG_OF_TOO_MUCH = 1024 * 1024;
/** Of BPF_PROG_LOAD's attributes: what the whole log would take (Linux 6.4, which keeps a log's end where it does not fit). */
const LOG_TRUE_SIZE = 140;
/** BPF_LOG_LEVEL1: what the verifier does; BPF_LOG_STATS: only what it says in the end (linux/bpf_verifier.h). */
const LOG_STEPS = 1;
const LOG_STATS = 4;

const HINTS: Readonly<Record<number, string>> = {
  7: "A program has at least one instruction, and at most a million (4096 before Linux 5.2 and without CAP_BPF).",
  22: "An attribute or a flag does not suit the program's type, or is newer than this kernel.",
};

/** A program refers to a map that the object does not have. */
export class UnknownMapError extends Error {
  override readonly name = "UnknownMapError";
  readonly code = "SKEP_UNKNOWN_MAP";
}

/** What a program of an object with types has besides its spec. */
export interface LoadDetails {
  /** The object's types, which the info below is about. */
  readonly types?: Fd | undefined;
  /** `struct bpf_func_info`s and `struct bpf_line_info`s. */
  readonly info?: { readonly functions: Uint8Array; readonly lines: Uint8Array } | undefined;
  /** What it attaches to: the id of a type, and the types of the module, or the program, when it is not the kernel's own. */
  readonly attach?: { readonly id: number; readonly types?: Fd | undefined } | undefined;
  /** For struct_ops: the number of the member, which stands where others have their attach type. */
  readonly member?: number | undefined;
  /** Descriptors that calls refer to by index; entry 0 stands for the kernel itself. */
  readonly descriptors?: Int32Array | undefined;
  readonly kernelVersion?: number | undefined;
  /** Delegates the right to load (BPF_TOKEN_CREATE, Linux 6.9). */
  readonly token?: Fd | undefined;
}

const FUNCTION_INFO_SIZE = 8;
const LINE_INFO_SIZE = 16;

/**
 * Loads one program; `maps` are what its instructions' map names stand for. The first try is without a log, which is
 * several times cheaper; only when the verifier refuses is it asked again for its reasons.
 */
export function loadProgram(
  name: string,
  spec: ProgramSpec,
  maps: Readonly<Record<string, BpfMap>>,
  details: LoadDetails = {},
): Program {
  const code = resolveMaps(name, spec, maps);
  let errno = -load(name, spec, code, details).result;
  if (errno === EPERM && raiseMemlock()) errno = -load(name, spec, code, details).result;
  if (errno <= 0) return new Program(name, spec, new Fd(-errno, `program "${name}"`));
  const log = errno === EPERM ? "" : readLog(name, spec, code, details, errno === E2BIG);
  if (log !== "") throw new VerifierError(name, errno, log, spec.instructions);
  throw new SystemError({
    errno,
    syscall: "bpf(BPF_PROG_LOAD)",
    doing: `load program "${name}" (${spec.type}, ${code.length / 8} instructions)`,
    hint: errno === EPERM ? undefined : (sinceOf(spec) ?? HINTS[errno]),
    needs: neededCapabilities(spec.type),
  });
}

/** "Programs of type syscall need Linux 5.14; …", where the kernel has not what the program is. */
function sinceOf({ type, expectedAttachType }: ProgramSpec): string | undefined {
  if (type === "unspec") return undefined;
  const byType = lacking(`Programs of type ${type}`, probeProgramType(type));
  if (byType !== undefined || expectedAttachType === undefined || !isLaterAttachType(expectedAttachType)) return byType;
  return lacking(`Programs with the attach type ${expectedAttachType}`, probeAttachType(expectedAttachType));
}

/** The call that loads the program, to be made on a thread beside: its result is a descriptor, or −errno. */
export function programCall(
  name: string,
  spec: ProgramSpec,
  maps: Readonly<Record<string, BpfMap>>,
  details: LoadDetails = {},
): Call {
  const code = resolveMaps(name, spec, maps);
  return loadAttr(name, spec, code, details).later("BPF_PROG_LOAD");
}

/** What a try came to: a descriptor or −errno, and how long its whole log is where the kernel tells. */
interface Try {
  readonly result: number;
  readonly logSize: number;
}

/** Where a log goes, and what it is to tell. */
interface LogRequest {
  readonly bytes: Uint8Array;
  readonly level: number;
}

function load(name: string, spec: ProgramSpec, code: Uint8Array, details: LoadDetails, log?: LogRequest): Try {
  const attempt = (): Try => {
    const attr = loadAttr(name, spec, code, details, log);
    const result = attr.call("BPF_PROG_LOAD");
    return { result, logSize: log === undefined ? 0 : attr.read32(LOG_TRUE_SIZE) };
  };
  // The verifier gives up with EAGAIN when a signal is pending.
  return despiteSignals(attempt, ({ result }) => result === -EAGAIN);
}

function loadAttr(name: string, spec: ProgramSpec, code: Uint8Array, details: LoadDetails, log?: LogRequest): BpfAttr {
  const { types, info, attach, descriptors, kernelVersion, member, token } = details;
  const attr = new BpfAttr()
    .u32(0, ProgramType[spec.type])
    .u32(4, code.length / 8)
    .pointer(8, code)
    .pointer(16, licenseText(spec.license))
    .u32(44, (spec.flags ?? 0) | (token === undefined ? 0 : TOKEN_FLAG))
    .name(48, spec.name ?? name);
  if (kernelVersion !== undefined) attr.u32(40, kernelVersion);
  if (spec.expectedAttachType !== undefined) attr.u32(68, AttachType[spec.expectedAttachType]);
  if (member !== undefined) attr.u32(68, member);
  if (types !== undefined && info !== undefined) {
    attr.u32(72, types.number);
    if (info.functions.length > 0)
      attr
        .u32(76, FUNCTION_INFO_SIZE)
        .pointer(80, info.functions)
        .u32(88, info.functions.length / FUNCTION_INFO_SIZE);
    if (info.lines.length > 0)
      attr
        .u32(92, LINE_INFO_SIZE)
        .pointer(96, info.lines)
        .u32(104, info.lines.length / LINE_INFO_SIZE);
  }
  const target = spec.attachBtfId ?? attach?.id;
  if (target !== undefined) attr.u32(108, target);
  if (attach?.types !== undefined) attr.u32(112, attach.types.number);
  if (descriptors !== undefined && descriptors.length > 0) attr.pointer(120, new Uint8Array(descriptors.buffer));
  if (token !== undefined) attr.u32(144, token.number);
  if (log !== undefined) attr.u32(24, log.level).u32(28, log.bytes.length).pointer(32, log.bytes).u32(LOG_TRUE_SIZE, 0);
  return attr;
}

let license: { readonly text: string; readonly bytes: Uint8Array } | undefined;

/** The programs of an object have one licence, as bytes that end with a NUL. */
function licenseText(text: string): Uint8Array {
  if (license?.text !== text) license = { text, bytes: new Uint8Array(Buffer.from(`${text}\0`, "utf8")) };
  return license.bytes;
}

/**
 * Asks again with a log that grows until the whole of it fits. Of what is too much for the verifier the end must do, where the
 * kernel keeps that, or the last word: all the steps before are millions.
 */
function readLog(name: string, spec: ProgramSpec, code: Uint8Array, details: LoadDetails, isTooMuch: boolean): string {
  let level = LOG_STEPS;
  for (let size = isTooMuch ? LOG_OF_TOO_MUCH : LOG_START; ; ) {
    const bytes = new Uint8Array(size);
    const { result, logSize } = load(name, spec, code, details, { bytes, level });
    if (result >= 0) {
      // Now it was taken: whatever failed the first time, the verifier's log does not tell.
      new Fd(result, `program "${name}"`).close();
      return "";
    }
    const isWhole = result !== -ENOSPC || size >= LOG_MAX;
    if (isWhole || (isTooMuch && (logSize > 0 || level === LOG_STATS))) {
      const end = bytes.indexOf(0);
      return Buffer.from(bytes.buffer, 0, end < 0 ? bytes.length : end).toString("utf8");
    }
    if (isTooMuch) level = LOG_STATS;
    else size = Math.min(logSize > size ? logSize : size * 8, LOG_MAX);
  }
}

/** The code with the maps' file descriptors put in. */
function resolveMaps(program: string, spec: ProgramSpec, maps: Readonly<Record<string, BpfMap>>): Uint8Array {
  const code = spec.code ?? encodeProgram(spec.instructions);
  const bytes = code.bytes.slice();
  const view = new DataView(bytes.buffer);
  for (const { slot, map: name, valueOffset } of code.maps) {
    const map = own(maps, name);
    if (map === undefined) {
      throw new UnknownMapError(
        `Program "${program}" refers to map "${name}", which the object does not have (it has: ${Object.keys(maps).join(", ") || "none"}).`,
      );
    }
    // The two halves of a wide load's immediate (BPF_PSEUDO_MAP_FD, BPF_PSEUDO_MAP_VALUE in linux/bpf.h).
    view.setInt32(slot * 8 + 4, map.fd.number, true);
    view.setInt32(slot * 8 + 12, valueOffset ?? 0, true);
  }
  return bytes;
}
