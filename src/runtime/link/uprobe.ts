import { findSymbols, readTables } from "../../object/elf/index.ts";
import { openPerfEvent } from "../sys/index.ts";
import { type Attachable, createLink } from "./create-link.ts";
import { debugFileOf } from "./debug-file.ts";
import { withElfFile } from "./elf-file.ts";
import { findBinary } from "./find-binary.ts";
import { Link } from "./link.ts";
import { attachToPerfEvent } from "./perf-link.ts";
import { probeDevice } from "./probe-device.ts";
import { defineProbe } from "./tracefs.ts";

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
 * Attaches a program of type `kprobe` to a function of a program or library. Needs CAP_BPF and CAP_PERFMON. Throws
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
  const name = options.symbol === undefined ? `0x${place.toString(16)}` : options.symbol;
  const description = `${isReturn ? "uretprobe" : "uprobe"} ${path}:${name}${pid === undefined ? "" : ` in process ${pid}`}`;
  const what = `perf event of ${description}`;
  // For one process any CPU, for all processes one CPU has to be named: the kernel takes it for all.
  const target = pid === undefined ? { pid: -1, cpu: 0 } : { pid, cpu: -1 };
  const device = through === "tracefs" ? undefined : probeDevice("uprobe");
  if (device === undefined) {
    const probe = defineProbe("uprobe_events", isReturn, `${path}:0x${place.toString(16)}`);
    try {
      const event = openPerfEvent({ type: "tracepoint", config: probe.id, ...target }, what);
      return attachToPerfEvent(program, event, description, { cookie, undo: probe.remove });
    } catch (error) {
      probe.remove();
      throw error;
    }
  }
  const config = (isReturn ? device.returnBit : 0n) | (BigInt(counterOffset) << 32n);
  const event = openPerfEvent({ type: device.type, config, config1: path, config2: place, ...target }, what);
  return attachToPerfEvent(program, event, description, { cookie });
}

export interface UprobeMultiOptions {
  /** As for uprobes. */
  readonly path: string;
  readonly symbols?: readonly string[];
  /** Bytes into the file. */
  readonly offsets?: readonly number[];
  /** One for each place: first the symbols, then the offsets. */
  readonly cookies?: readonly bigint[];
  /** As for uprobes, one for each place; 0 for none. */
  readonly counterOffsets?: readonly number[];
  readonly pid?: number;
  readonly isReturn?: boolean;
}

/**
 * Attaches a program, loaded with the attach type `trace_uprobe_multi`, to many places of a file at once (Linux 6.6).
 * Throws SymbolError naming each symbol that the file lacks. The caller closes the link.
 */
export function attachUprobeMulti(program: Attachable, options: UprobeMultiOptions): Link {
  const { symbols = [], offsets = [], cookies, counterOffsets, pid, isReturn = false } = options;
  const path = findBinary(options.path, pid);
  const places = [...symbolOffsets(path, symbols), ...offsets];
  for (const [what, list] of Object.entries({ cookies, counterOffsets })) {
    if (list !== undefined && list.length !== places.length)
      throw new RangeError(`There are ${places.length} places and ${list.length} ${what}: each place has one.`);
  }
  const description = `${places.length} uprobes in ${path}`;
  const bytes = (numbers: readonly (number | bigint)[]) =>
    new Uint8Array(BigUint64Array.from(numbers, (n) => BigInt(n)).buffer);
  const link = createLink(program, {
    description,
    attachType: program.spec?.expectedAttachType ?? "trace_uprobe_multi",
    fill: (attr) => {
      attr.cString(16, path).pointer(24, bytes(places)).u32(48, places.length);
      if (counterOffsets !== undefined) attr.pointer(32, bytes(counterOffsets));
      if (cookies !== undefined) attr.pointer(40, bytes(cookies));
      if (isReturn) attr.u32(52, 1);
      if (pid !== undefined) attr.u32(56, pid);
    },
    hints: { 22: "uprobe.multi needs Linux 6.6, and a program loaded with the attach type trace_uprobe_multi." },
  });
  return new Link(description, { link });
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
