import { findSymbols, matchSymbols, readTables } from "../../object/elf/index.ts";
import { hasCapability, kernelSince, openPerfEvent } from "../sys/index.ts";
import { type Attachable, createLink } from "./create-link.ts";
import { debugFileOf } from "./debug-file.ts";
import { withElfFile } from "./elf-file.ts";
import { findBinary } from "./find-binary.ts";
import { globMatcher } from "./glob.ts";
import type { Link } from "./link.ts";
import { expectOneEach, isSession, MultiLink } from "./multi-link.ts";
import { attachToPerfEvent } from "./perf-link.ts";
import { probeDevice } from "./probe-device.ts";
import { defineProbe } from "./tracefs.ts";
import { wordBytes } from "./words.ts";

/** A symbol that a program or library does not have. */
export class SymbolError extends Error {
  override readonly name = "SymbolError";
  readonly code = "SKEP_SYMBOL";
}

/** A place in a program or library. */
export interface UprobeTarget {
  /**
   * The file, as this process sees it, or a bare name: `node`, `libssl.so.3`, `libc`, `c`; with `pid` that of the file which the
   * process has loaded, in its container, too. Throws BinaryError where there is none.
   */
  readonly path: string;
  /** A function in its symbol tables (`.symtab`, `.dynsym`). */
  readonly symbol?: string;
  /** Bytes into the symbol, or without one into the file. */
  readonly offset?: number;
}

/** Where `attachUprobe` attaches, for which process, and by which way. */
export interface UprobeOptions extends UprobeTarget {
  /** Only in this process; in all that run the file when left out. */
  readonly pid?: number;
  /** What `bpf_get_attach_cookie` gives in the program (Linux 5.15). */
  readonly cookie?: bigint;
  /** Where in the file a counter is that the kernel raises while the probe is there (USDT semaphores). */
  readonly counterOffset?: number;
  /** As for kprobes: `tracefs` is the fall-back of kernels before 4.17. */
  readonly through?: "perf" | "tracefs";
}

/**
 * Attaches a program of type `kprobe` to a function of a program or library, also one that was loaded for many
 * (`trace_uprobe_multi`). Needs CAP_BPF and CAP_PERFMON, from Linux 6.16 on (and in later versions of older kernels)
 * CAP_SYS_ADMIN; `attachUprobeMulti` still needs the former only. Throws SystemError;
 * SymbolError where the file has no such function. The caller closes the link.
 */
export function attachUprobe(program: Attachable, options: UprobeOptions): Link {
  return attach(program, false, options);
}

/** `attachUprobe` at the function's return. */
export function attachUretprobe(program: Attachable, options: UprobeOptions): Link {
  return attach(program, true, options);
}

function attach(program: Attachable, isReturn: boolean, options: UprobeOptions): Link {
  const { pid, cookie, counterOffset = 0, through } = options;
  const path = findBinary(options.path, pid);
  const place = fileOffset({ ...options, path });
  if (program.spec?.expectedAttachType === "trace_uprobe_multi") {
    // Loaded for many places, it can be attached to one in no other way.
    const process = pid === undefined ? {} : { pid };
    const [cookies, counterOffsets] = [[cookie ?? 0n], [counterOffset]];
    return attachUprobeMulti(program, { path, offsets: [place], cookies, counterOffsets, isReturn, ...process });
  }
  const name = options.symbol === undefined ? `0x${place.toString(16)}` : options.symbol;
  const description = `${isReturn ? "uretprobe" : "uprobe"} ${path}:${name}${pid === undefined ? "" : ` in process ${pid}`}`;
  const what = `perf event of ${description}`;
  // For one process any CPU, for all processes one CPU has to be named: the kernel takes it for all.
  const target = pid === undefined ? { pid: -1, cpu: 0 } : { pid, cpu: -1 };
  const device = through === "tracefs" ? undefined : probeDevice("uprobe");
  if (device === undefined) {
    const counter = counterOffset === 0 ? "" : `(0x${counterOffset.toString(16)})`;
    const probe = defineProbe("uprobe_events", isReturn, `${path}:0x${place.toString(16)}${counter}`);
    try {
      const event = openPerfEvent({ type: "tracepoint", config: probe.id, ...target }, what);
      return attachToPerfEvent(program, event, description, { cookie, undo: probe.remove });
    } catch (error) {
      probe.remove();
      throw error;
    }
  }
  const config = (isReturn ? device.returnBit : 0n) | (BigInt(counterOffset) << 32n);
  const event = openPerfEvent({ type: device.type, config, config1: path, config2: place, ...target }, what, needs);
  return attachToPerfEvent(program, event, description, { cookie });
}

/**
 * Kernels from 5.8 on took CAP_PERFMON for uprobes of perf, until 6.16 and later versions of older ones went back to
 * CAP_SYS_ADMIN: who has the first and is refused lacks the second.
 */
const needs = () => [hasCapability("CAP_PERFMON") ? ("CAP_SYS_ADMIN" as const) : ("CAP_PERFMON" as const)];

/** Which places of a file `attachUprobeMulti` attaches to: symbols, offsets or patterns. */
export interface UprobeMultiOptions {
  /** As for uprobes. */
  readonly path: string;
  readonly symbols?: readonly string[];
  /** All functions of the file that fit one of these: `SSL_*`. One function by several names is attached to once. */
  readonly pattern?: string | readonly string[];
  /** Bytes into the file. */
  readonly offsets?: readonly number[];
  /** One for each place: first the symbols, then the offsets. Not for patterns. */
  readonly cookies?: readonly bigint[];
  /** As for uprobes, one for each place; 0 for none. */
  readonly counterOffsets?: readonly number[];
  readonly pid?: number;
  readonly isReturn?: boolean;
}

/**
 * Attaches a program to many places of a file at once: one loaded with the attach type `trace_uprobe_multi` (Linux 6.6), or with
 * `trace_uprobe_session` (Linux 6.13), which runs at the function's beginning and, when it returned 0 there, at its end.
 * Throws SymbolError naming each symbol that the file lacks, or that nothing fits the pattern; BinaryError, ElfError, SystemError.
 * The caller closes the link.
 */
export function attachUprobeMulti(program: Attachable, options: UprobeMultiOptions): MultiLink {
  const { symbols = [], offsets = [], pattern, cookies, counterOffsets, pid, isReturn = false } = options;
  const both = isSession(program, "uprobe", isReturn);
  const path = findBinary(options.path, pid);
  const matched = pattern === undefined ? new Map<number, string>() : matchingOffsets(path, pattern);
  const places = [...symbolOffsets(path, symbols), ...matched.keys(), ...offsets];
  expectOneEach(places.length, "place", { cookies, counterOffsets });
  const description = `${places.length} ${both ? "uprobe sessions" : isReturn ? "uretprobes" : "uprobes"} in ${path}`;
  const link = createLink(program, {
    description,
    attachType: program.spec?.expectedAttachType ?? "trace_uprobe_multi",
    fill: (attr) => {
      attr.cString(16, path).pointer(24, wordBytes(places)).u32(48, places.length);
      if (counterOffsets !== undefined) attr.pointer(32, wordBytes(counterOffsets));
      if (cookies !== undefined) attr.pointer(40, wordBytes(cookies));
      if (isReturn) attr.u32(52, 1);
      if (pid !== undefined) attr.u32(56, pid);
    },
    hints: {
      ...(pid !== undefined && { 3: `There is no process ${pid}.` }),
      22:
        (both ? kernelSince("uprobe.session", "6.13") : undefined) ??
        "uprobe.multi needs Linux 6.6, a program loaded with the attach type trace_uprobe_multi, and at least one place.",
    },
  });
  return new MultiLink(description, { link }, [...symbols, ...matched.values()]);
}

/** Where the functions that fit stand in the file, each once, and what they are called. */
function matchingOffsets(path: string, pattern: string | readonly string[]): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  for (const [name, { fileOffset }] of withElfFile(path, (read) => matchSymbols(read, globMatcher(pattern))))
    if (!found.has(fileOffset)) found.set(fileOffset, name);
  if (found.size > 0) return found;
  throw new SymbolError(
    `${path} has no function in its symbol tables that fits ${[pattern].flat().join(", ")}: it was stripped, or its names are longer (mangled). nm -D lists them.`,
  );
}

/** Where in the file the target stands. */
function fileOffset({ path, symbol, offset = 0 }: UprobeTarget): number {
  return symbol === undefined ? offset : (symbolOffsets(path, [symbol])[0] as number) + offset;
}

function symbolOffsets(path: string, symbols: readonly string[]): readonly number[] {
  if (symbols.length === 0) return [];
  const found = new Map(withElfFile(path, (read) => findSymbols(read, new Set(symbols))));
  const stripped = symbols.filter((name) => !found.has(name));
  const debug = stripped.length === 0 ? undefined : debugFileOf(path);
  if (debug !== undefined) {
    const loaded = withElfFile(path, readTables);
    const others = withElfFile(debug, (read) => findSymbols(read, new Set(stripped), loaded));
    for (const [name, place] of others) found.set(name, place);
  }
  const missing = symbols.filter((name) => !found.has(name));
  if (missing.length > 0) {
    throw new SymbolError(
      `${path} has no function ${missing.join(", ")} in its symbol tables: it was stripped, inlined, or has a longer (mangled) name. nm -D lists them.${debug === undefined ? " No file with its debugging symbols was found either." : ""}`,
    );
  }
  return symbols.map((name) => found.get(name)?.fileOffset ?? 0);
}
