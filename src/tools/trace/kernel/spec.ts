import { bytes, MapFlag, type MapSpec, type ObjectSpec, u8, u32 } from "../../../sdk/index.ts";
import { type Image, imageKind, imageName, unpackImage } from "./image.ts";
import { readImage } from "./images.ts";
import { ALL_PLANS, Control, PLANS, Plan, STATS_SIZE, Thread } from "./layout.ts";
import type { KernelOptions } from "./options.ts";

/** Every map of the trace programs, with the sizes that the options ask for. `threads` is allocated as needed where the kernel does that safely for tracing (Linux 6.1). */
export function traceMaps(
  { maxThreads, ringBytes }: Pick<KernelOptions, "maxThreads" | "ringBytes">,
  preallocate: boolean,
): Readonly<Record<string, MapSpec>> {
  const flags = preallocate ? 0 : MapFlag.no_prealloc;
  return {
    threads: { type: "hash", keySize: 8, valueSize: Thread.size, maxEntries: maxThreads, flags },
    control: { type: "array", key: u32, value: bytes(Control.size), maxEntries: 1 },
    syscalls: { type: "array", key: u32, value: bytes(Plan.size * ALL_PLANS), maxEntries: 1 },
    events: { type: "ringbuf", maxEntries: ringBytes },
    stats: { type: "percpu_array", key: u32, value: bytes(STATS_SIZE), maxEntries: PLANS },
    roots: { type: "hash", key: u32, value: u8, maxEntries: 1024 },
    cgroup: { type: "cgroup_array", keySize: 4, valueSize: 4, maxEntries: 1 },
    steps: {
      type: "prog_array",
      keySize: 4,
      valueSize: 4,
      maxEntries: 2,
      slots: { 0: "capture", 1: "report" },
    },
  };
}

/**
 * The raw tracepoint each program goes to, in the order they are attached: exits before entries, so none is half seen. A
 * program of type `tracepoint` goes to the one of the same name in `perfGroup`.
 */
export const TRACEPOINTS = {
  thread_exit: "sched_process_exit",
  fork: "sched_process_fork",
  fork_2: "sched_process_fork",
  signal_sent: "signal_generate",
  signal_sent_2: "signal_generate",
  signal: "signal_deliver",
  exit: "sys_exit",
  enter: "sys_enter",
} as const;

/** What the second copy of a program is called besides (Linux 7, where one may be skipped). */
export const AGAIN = "_2";

/** The group that perf's tracepoint of a program is in. */
export function perfGroup(program: string): string {
  if (program === "thread_exit") return "sched";
  return program === "signal" ? "signal" : "raw_syscalls";
}

/** The whole object for these options, and what its parameters are to be: the value of its map `.rodata`, if it has one. */
export function traceSpec(
  options: KernelOptions,
  preallocate: boolean,
): { readonly spec: ObjectSpec; readonly params: Uint8Array | undefined } {
  const image = readImage(imageName(imageKind(options)));
  const programs = unpackImage(image);
  const known = traceMaps(options, preallocate);
  const maps: Record<string, MapSpec> = {};
  for (const { maps: referred } of Object.values(image.programs))
    for (const { map } of referred) maps[map] ??= known[map] ?? dataMap(map, image.data[map] ?? 0);
  return { spec: { maps, programs }, params: image.data[".rodata"] === undefined ? undefined : params(image, options) };
}

/** A map that the compiler made: parameters, which programs only read, or counters of what was lost. */
function dataMap(name: string, size: number): MapSpec {
  const flags = name === ".rodata" ? MapFlag.rdonly_prog : 0;
  return { type: "array", name, key: u32, value: bytes(size), maxEntries: 1, flags };
}

function params({ data, params: places }: Image, { failedOnly, minNs, pidNamespace }: KernelOptions): Uint8Array {
  const value = new Uint8Array(data[".rodata"] ?? 0);
  const view = new DataView(value.buffer);
  const set = (name: string, to: bigint) => {
    const at = places[name];
    if (at !== undefined) view.setBigUint64(at, to, true);
  };
  const flag = places["failedOnly"];
  if (flag !== undefined) value[flag] = failedOnly ? 1 : 0;
  set("minNs", BigInt(minNs));
  set("nsDevice", BigInt(pidNamespace?.device ?? 0));
  set("nsInode", BigInt(pidNamespace?.inode ?? 0));
  return value;
}
