import { type AttachTypeName, type ProgramSpec, sectionMeaning } from "../../../object/spec/index.ts";
import {
  attachCgroup,
  attachFreplace,
  attachIterator,
  attachKprobe,
  attachKprobeMulti,
  attachKretprobe,
  attachKretsyscall,
  attachKsyscall,
  attachNetkit,
  attachNetns,
  attachRawTracepoint,
  attachTcx,
  attachTracepoint,
  attachTracing,
  attachTracingMulti,
  attachUprobe,
  attachUprobeMulti,
  attachUretprobe,
  attachUsdt,
  attachXdp,
  type Link,
  type UsdtOptions,
} from "../../link/index.ts";
import type { BpfMap } from "../../map/index.ts";
import { splitModule } from "../attach-target.ts";
import type { Program } from "../program.ts";
import { AttachError } from "./attach-error.ts";

/** Where programs are attached whose sections do not say it. */
export interface AttachPlaces {
  /** The folder of a cgroup (v2), for the programs of cgroups. */
  readonly cgroup?: string;
  /** A network interface by name or index, for XDP, tcx and netkit programs. */
  readonly interface?: string | number;
  /** The file of a network namespace for `sk_lookup` and `flow_dissector`; this process's own when left out. */
  readonly netns?: string;
  /** The one process whose user functions are probed; all when left out. */
  readonly pid?: number;
  /** What `bpf_usdt_cookie` gives in programs at USDT probes (`cookie()` in kernel TypeScript); 0 when left out. */
  readonly cookie?: bigint;
}

/** What an attachment may need of the object besides the program. */
interface AttachContext {
  readonly places: AttachPlaces;
  readonly maps: Readonly<Record<string, BpfMap>>;
}

/** Attaches one program by what its section says; `where` is what stands behind the kind. */
type Attacher = (program: Program, where: string, context: AttachContext) => Link;

const kprobeMulti =
  (isReturn: boolean): Attacher =>
  (program, where) =>
    attachKprobeMulti(program, { ...functions(wanted(program, where, "FUNCTION")), isReturn });
const uprobeMulti =
  (isReturn: boolean): Attacher =>
  (program, where, { places }) =>
    attachUprobeMulti(program, { ...fileAndFunctions(program, where, places), isReturn });
const tracingMulti: Attacher = (program, where) => {
  const [module, names] = splitModule(where);
  const which = functions(wanted(program, names, "FUNCTION"));
  return attachTracingMulti(program, { ...which, ...(module !== undefined && { module }) });
};

/** Kinds by their section's name, where the section says all that is needed or an option does. */
const BY_SECTION: Readonly<Record<string, Attacher>> = {
  kprobe: (program, where) => attachKprobe(program, ...functionAndOffset(program, where)),
  kretprobe: (program, where) => attachKretprobe(program, wanted(program, where, "FUNCTION")),
  ksyscall: (program, where) => attachKsyscall(program, wanted(program, where, "CALL")),
  kretsyscall: (program, where) => attachKretsyscall(program, wanted(program, where, "CALL")),
  "kprobe.multi": kprobeMulti(false),
  "kprobe.session": kprobeMulti(false),
  "kretprobe.multi": kprobeMulti(true),
  uprobe: (program, where, { places }) => attachUprobe(program, fileAndSymbol(program, where, places)),
  uretprobe: (program, where, { places }) => attachUretprobe(program, fileAndSymbol(program, where, places)),
  "uprobe.multi": uprobeMulti(false),
  "uprobe.session": uprobeMulti(false),
  "uretprobe.multi": uprobeMulti(true),
  usdt: (program, where, { places, maps }) => attachUsdt({ maps }, program, probeOf(program, where, places)),
  "fentry.multi": tracingMulti,
  "fexit.multi": tracingMulti,
  "fsession.multi": tracingMulti,
  "netkit/primary": (program, _, { places }) => attachNetkit(program, interfaceOf(program, places), "primary"),
  "netkit/peer": (program, _, { places }) => attachNetkit(program, interfaceOf(program, places), "peer"),
};

/** Kinds by program type, where the section tells no more. */
const BY_TYPE: Readonly<Partial<Record<ProgramSpec["type"], Attacher>>> = {
  kprobe: BY_SECTION["kprobe"] as Attacher,
  tracepoint: (program, where) => attachTracepoint(program, wanted(program, where, "GROUP/NAME")),
  raw_tracepoint: (program, where) => attachRawTracepoint(program, wanted(program, where, "NAME")),
  raw_tracepoint_writable: (program, where) => attachRawTracepoint(program, wanted(program, where, "NAME")),
  tracing: (program) =>
    program.spec.expectedAttachType === "trace_iter" ? attachIterator(program) : attachTracing(program),
  lsm: (program, _, { places }) =>
    program.spec.expectedAttachType === "lsm_cgroup" ? inCgroup(program, places) : attachTracing(program),
  xdp: (program, _, { places }) => attachXdp(program, interfaceOf(program, places)),
  sched_cls: (program, _, { places }) => {
    const { expectedAttachType } = program.spec;
    if (expectedAttachType === undefined) throw needsFunction(program, "attachTc or attachTcx");
    return attachTcx(program, interfaceOf(program, places), expectedAttachType === "tcx_egress" ? "egress" : "ingress");
  },
  cgroup_skb: inCgroupAs,
  cgroup_sock: inCgroupAs,
  cgroup_sock_addr: inCgroupAs,
  cgroup_sockopt: inCgroupAs,
  cgroup_sysctl: inCgroupAs,
  cgroup_device: inCgroupAs,
  sock_ops: inCgroupAs,
  sk_lookup: (program, _, { places: { netns } }) => attachNetns(program, netns),
  flow_dissector: (program, _, { places: { netns } }) => attachNetns(program, netns),
  ext: (program) => attachFreplace(program),
  perf_event: byFunction("attachPerfEvents"),
  socket_filter: byFunction("attachSocketFilter"),
  sk_reuseport: byFunction("attachReuseport"),
  sk_skb: byFunction("attachSockmap"),
  sk_msg: byFunction("attachSockmap"),
  netfilter: byFunction("attachNetfilter"),
};

/** Attach types of programs that stand in maps (devmap, cpumap): nothing attaches them. */
const HELD_IN_MAPS: ReadonlySet<AttachTypeName | undefined> = new Set(["xdp_devmap", "xdp_cpumap"] as const);

/** How a program is attached; undefined for those that are run or held by something else. */
export function attacherOf(spec: ProgramSpec): { readonly attach: Attacher; readonly where: string } | undefined {
  if (HELD_IN_MAPS.has(spec.expectedAttachType)) return undefined;
  const meaning = spec.section === undefined ? undefined : sectionMeaning(spec.section);
  const kind = meaning?.kind.name ?? "";
  const attach = BY_SECTION[kind.replace(/\.s$/, "")] ?? BY_TYPE[spec.type];
  return attach === undefined ? undefined : { attach, where: spec.attachTo ?? meaning?.attachTo ?? "" };
}

function wanted({ name, spec }: Program, where: string, form: string): string {
  if (where !== "") return where;
  const kind = spec.section?.replace(/^\?/, "") ?? spec.type;
  throw new AttachError(
    `Program "${name}" does not say what it attaches to: write SEC("${kind}/${form}"), set attachTo in its spec, or say how in attach({ programs: { ${name}: (program) => … } }).`,
  );
}

/** `do_unlinkat+0x10` */
function functionAndOffset(program: Program, where: string): [symbol: string, options: { offset: number }] {
  const [symbol, offset] = symbolAndOffset(wanted(program, where, "FUNCTION"));
  return [symbol, { offset }];
}

function symbolAndOffset(text: string): [symbol: string, offset: number] {
  const [, symbol = text, offset] = /^(.*)\+(0x[0-9a-f]+|\d+)$/i.exec(text) ?? [];
  return [symbol, offset === undefined ? 0 : Number(offset)];
}

/** `/usr/bin/bash:readline`, `libc:malloc+4`: the file up to the last colon. */
function splitFile(program: Program, where: string): [path: string, rest: string] {
  const colon = wanted(program, where, "FILE:FUNCTION").lastIndexOf(":");
  if (colon > 0 && colon < where.length - 1) return [where.slice(0, colon), where.slice(colon + 1)];
  throw new AttachError(`Program "${program.name}" attaches to "${where}", which is not FILE:FUNCTION.`);
}

function fileAndSymbol(program: Program, where: string, { pid }: AttachPlaces) {
  const [path, rest] = splitFile(program, where);
  const [symbol, offset] = symbolAndOffset(rest);
  // A bare number is a place in the file.
  const place = /^(0x[0-9a-f]+|\d+)$/i.test(symbol) ? { offset: Number(symbol) + offset } : { symbol, offset };
  return { path, ...place, ...(pid !== undefined && { pid }) };
}

function fileAndFunctions(program: Program, where: string, { pid }: AttachPlaces) {
  const [path, names] = splitFile(program, where);
  return { path, ...functions(names), ...(pid !== undefined && { pid }) };
}

/** One function by its name, or all that fit a pattern. */
function functions(names: string): { readonly symbols: readonly string[] } | { readonly pattern: string } {
  return /[*?[\]]/.test(names) ? { pattern: names } : { symbols: [names] };
}

/** `libc.so.6:libc:memory_sbrk_more`: file, provider, name. */
function probeOf(program: Program, where: string, { pid, cookie }: AttachPlaces): UsdtOptions {
  const [, path, provider, name] = /^(.+):([^:]+):([^:]+)$/.exec(wanted(program, where, "FILE:PROVIDER:NAME")) ?? [];
  if (path !== undefined && provider !== undefined && name !== undefined)
    return { path, provider, name, ...(pid !== undefined && { pid }), ...(cookie !== undefined && { cookie }) };
  throw new AttachError(`Program "${program.name}" attaches to "${where}", which is not FILE:PROVIDER:NAME.`);
}

function interfaceOf({ name, spec }: Program, places: AttachPlaces): string | number {
  if (places.interface !== undefined) return places.interface;
  throw new AttachError(
    `Program "${name}" (${spec.type}) needs a network interface: attach({ interface: "eth0" }), or leave it out with attach({ programs: { ${name}: false } }).`,
  );
}

function inCgroup(program: Program, { cgroup }: AttachPlaces): Link {
  if (cgroup !== undefined) return attachCgroup(program, cgroup);
  throw new AttachError(
    `Program "${program.name}" (${program.spec.type}) needs a cgroup: attach({ cgroup: "/sys/fs/cgroup/…" }), or leave it out with attach({ programs: { ${program.name}: false } }).`,
  );
}

/** `SEC("cgroup/skb")` says no direction. */
function inCgroupAs(program: Program, _: string, { places }: AttachContext): Link {
  if (program.spec.expectedAttachType === undefined) throw needsFunction(program, "attachCgroup");
  return inCgroup(program, places);
}

/** For kinds of which no section says enough. */
function byFunction(how: string): Attacher {
  return (program) => {
    throw needsFunction(program, how);
  };
}

function needsFunction({ name, spec }: Program, how: string): AttachError {
  return new AttachError(
    `Program "${name}" (${spec.section ?? spec.type}) does not say all that its attachment needs: attach({ programs: { ${name}: (program) => ${how}(program, …) } }), or leave it out with false in place of the function.`,
  );
}
