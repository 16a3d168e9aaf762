import { readFileSync } from "node:fs";
import type { RecordedTarget } from "../../language/compiler/index.ts";
import { Helper, type HelperName } from "../../object/asm/index.ts";
import type { ProgramTypeName } from "../../object/spec/index.ts";
import { TracepointError } from "../../runtime/link/index.ts";
import { foldersInTracefs, noTracefs } from "../../runtime/sys/index.ts";
import { liveTarget } from "./target.ts";

const TYPES = "/sys/kernel/btf/vmlinux";
/** Types of the programs that kernel TypeScript has. */
const PROGRAM_TYPES: readonly ProgramTypeName[] = [
  "tracepoint",
  "raw_tracepoint",
  "kprobe",
  "perf_event",
  "tracing",
  "lsm",
  "xdp",
  "syscall",
];

/**
 * All that the compiler may want to know of the kernel that runs, as plain data. Needs CAP_BPF, CAP_PERFMON and tracefs: without
 * rights what is probed counts as missing. Throws TracepointError where tracefs cannot be read, and Node's own error.
 */
export function recordTarget(): RecordedTarget {
  const { release, arch, cpus, btf, features, hasHelper, tracepointFormat } = liveTarget();
  const names = Object.keys(Helper) as HelperName[];
  const helpers = PROGRAM_TYPES.map((type) => [type, names.filter((name) => hasHelper(name, type))]);
  const categories = foldersInTracefs("events");
  if (categories === undefined) throw new TracepointError(`A kernel is recorded with its tracepoints. ${noTracefs()}`);
  const formats: Record<string, string> = {};
  for (const category of categories)
    for (const name of foldersInTracefs(`events/${category}`) ?? []) {
      const format = tracepointFormat(category, name);
      // How events are printed is nothing to the compiler, and half of the text.
      if (format !== undefined) formats[`${category}/${name}`] = format.replace(/^print fmt:.*\n/m, "");
    }
  return {
    release,
    arch,
    cpus,
    features: { ...features },
    helpers: Object.fromEntries(helpers),
    formats,
    btf: btf === undefined ? undefined : new Uint8Array(readFileSync(TYPES)),
  };
}
