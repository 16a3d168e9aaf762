import { MapFlag, MapType, type MapTypeName } from "../../../object/spec/index.ts";
import { BpfAttr, Fd, pageSize, raiseMemlock } from "../../sys/index.ts";
import { judge, type ProbeResult } from "./result.ts";

interface TrialMap {
  readonly since: string;
  readonly key?: number;
  readonly value?: number;
  readonly entries?: number;
  readonly flags?: number;
  /** Local storage wants to know the types of its key and value. */
  readonly btf?: true;
  /** Maps of maps want a map to be like. */
  readonly inner?: true;
  /** An errno that only a kernel gives that knows the type. */
  readonly known?: number;
}

const EPERM = 1;
const ENOTSUPP = 524;
const STORAGE = { key: 4, value: 4, entries: 0, flags: MapFlag.no_prealloc, btf: true } as const;
/** sizeof(struct bpf_cgroup_storage_key). */
const CGROUP_KEY = 16;

/** Each map type with the first kernel that has it and, where 4-byte keys and values do not do, the smallest that does. */
const MAPS: Readonly<Record<MapTypeName, TrialMap>> & { readonly insn_array: TrialMap } = {
  hash: { since: "3.19" },
  array: { since: "3.19" },
  prog_array: { since: "4.2" },
  perf_event_array: { since: "4.3" },
  percpu_hash: { since: "4.6" },
  percpu_array: { since: "4.6" },
  stack_trace: { since: "4.6", value: 8 },
  cgroup_array: { since: "4.8" },
  lru_hash: { since: "4.10" },
  lru_percpu_hash: { since: "4.10" },
  lpm_trie: { since: "4.11", key: 8, value: 8, flags: MapFlag.no_prealloc },
  array_of_maps: { since: "4.12", inner: true },
  hash_of_maps: { since: "4.12", inner: true },
  devmap: { since: "4.14" },
  sockmap: { since: "4.14" },
  cpumap: { since: "4.15" },
  xskmap: { since: "4.18" },
  sockhash: { since: "4.18" },
  cgroup_storage: { since: "4.19", key: CGROUP_KEY, value: 8, entries: 0 },
  reuseport_sockarray: { since: "4.19" },
  percpu_cgroup_storage: { since: "4.20", key: CGROUP_KEY, value: 8, entries: 0 },
  queue: { since: "4.20", key: 0 },
  stack: { since: "4.20", key: 0 },
  sk_storage: { since: "5.2", ...STORAGE },
  devmap_hash: { since: "5.4" },
  struct_ops: { since: "5.6", known: ENOTSUPP },
  ringbuf: { since: "5.8", key: 0, value: 0, entries: -1 },
  inode_storage: { since: "5.10", ...STORAGE },
  task_storage: { since: "5.11", ...STORAGE },
  bloom_filter: { since: "5.16", key: 0 },
  user_ringbuf: { since: "6.1", key: 0, value: 0, entries: -1 },
  cgrp_storage: { since: "6.2", ...STORAGE },
  arena: { since: "6.9", key: 0, value: 0, flags: MapFlag.mmapable },
  insn_array: { since: "6.19", value: 16 },
};
/** Types that belong to networking, for which the kernel wants CAP_NET_ADMIN (kernel/bpf/syscall.c, map_create). */
const NETWORK: ReadonlySet<string> = new Set(["devmap", "devmap_hash", "sockmap", "sockhash", "xskmap"]);
/** Types that come after the table in object/spec. */
const NUMBERS: Readonly<Record<string, number>> = { ...MapType, insn_array: 34 };

/** Which map types the kernel creates for this process; each is made as small as can be and closed at once. */
export function probeMapTypes(): ProbeResult[] {
  const btfResult = loadIntBtf();
  using btf = open(btfResult);
  return Object.entries(MAPS).map(([name, map]) => {
    // Without its BTF the kernel would call the map's attributes invalid, as if it did not know the type.
    if (map.btf === true && btf === undefined) return judge(name, -btfResult, map.since, ["CAP_BPF"]);
    let errno = tryMap(name, map, btf);
    if (errno === EPERM && raiseMemlock()) errno = tryMap(name, map, btf);
    return judge(
      name,
      errno === map.known ? 0 : errno,
      map.since,
      NETWORK.has(name) ? ["CAP_BPF", "CAP_NET_ADMIN"] : ["CAP_BPF"],
    );
  });
}

/** 0 or a positive errno. */
function tryMap(name: string, map: TrialMap, btf: Fd | undefined): number {
  const innerResult = map.inner === true ? create(MapType.hash, MAPS.hash) : 0;
  if (innerResult < 0) return -innerResult;
  using inner = map.inner === true ? open(innerResult) : undefined;
  const result = create(NUMBERS[name] as number, map, inner, map.btf === true ? btf : undefined);
  open(result)?.close();
  return Math.max(0, -result);
}

function create(type: number, map: TrialMap, inner?: Fd, btf?: Fd): number {
  const entries = map.entries === -1 ? pageSize() : (map.entries ?? 1);
  const attr = new BpfAttr()
    .u32(0, type)
    .u32(4, map.key ?? 4)
    .u32(8, map.value ?? 4)
    .u32(12, entries)
    .u32(16, map.flags ?? 0);
  if (inner !== undefined) attr.u32(20, inner.number);
  if (btf !== undefined) attr.u32(48, btf.number).u32(52, 1).u32(56, 1);
  // Names the kernel's structure that the map is to hold; 1 is none, which only struct_ops looks at.
  if (map.known !== undefined) attr.u32(60, 1);
  return attr.call("BPF_MAP_CREATE");
}

function open(result: number): Fd | undefined {
  return result < 0 ? undefined : new Fd(result, "trial map or BTF");
}

/** Loads BTF of one type, `int`, as local storage needs it: a descriptor or −errno. */
function loadIntBtf(): number {
  const HEADER = 24;
  const TYPE = 16;
  const names = "\0int\0";
  const bytes = new Uint8Array(HEADER + TYPE + names.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  [HEADER, 0, TYPE, TYPE, names.length].forEach((value, i) => {
    view.setUint32(4 + i * 4, value, true);
  });
  view.setUint32(HEADER, 1, true); // name
  view.setUint32(HEADER + 4, 1 << 24, true); // kind: int
  view.setUint32(HEADER + 8, 4, true); // bytes
  view.setUint32(HEADER + 12, (1 << 24) | 32, true); // signed, 32 bits
  bytes.set(Buffer.from(names, "latin1"), HEADER + TYPE);
  return new BpfAttr().pointer(0, bytes).u32(16, bytes.length).call("BPF_BTF_LOAD");
}
