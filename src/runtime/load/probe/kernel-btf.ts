import { readFileSync } from "node:fs";

export const VMLINUX_BTF = "/sys/kernel/btf/vmlinux";

/** Kinds of BTF types that probes look for (Documentation/bpf/btf.rst). */
export const BtfKind = { struct: 4, typedef: 8, func: 12 } as const;
export type BtfKindName = keyof typeof BtfKind;

const MAGIC = 0xeb9f;

/** Bytes after the 12 of `struct btf_type`, by kind: [fixed, per vlen]. */
const TAIL: readonly (readonly [number, number])[] = [
  [0, 0], // void
  [4, 0], // int
  [0, 0], // ptr
  [12, 0], // array
  [0, 12], // struct
  [0, 12], // union
  [0, 8], // enum
  [0, 0], // fwd
  [0, 0], // typedef
  [0, 0], // volatile
  [0, 0], // const
  [0, 0], // restrict
  [0, 0], // func
  [0, 8], // func_proto
  [4, 0], // var
  [0, 12], // datasec
  [0, 0], // float
  [4, 0], // decl_tag
  [0, 0], // type_tag
  [0, 12], // enum64
];

let cached: Buffer | undefined;

/**
 * The ids of types of the running kernel, by `kind:name`, in one pass over its BTF. Names that it lacks are left out;
 * without a readable BTF the answer is empty. A probe's need only: CO-RE wants the real reader.
 */
export function findKernelTypes(wanted: readonly `${BtfKindName}:${string}`[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  try {
    cached ??= readFileSync(VMLINUX_BTF);
  } catch {
    return found;
  }
  const btf = cached;
  if (btf.length < 24 || btf.readUInt16LE(0) !== MAGIC) return found;
  const header = btf.readUInt32LE(4);
  const types = header + btf.readUInt32LE(8);
  const typesEnd = types + btf.readUInt32LE(12);
  const strings = header + btf.readUInt32LE(16);
  const byOffset = new Map<number, [kind: number, key: string]>();
  for (const key of wanted) {
    const [kind, name] = key.split(":") as [BtfKindName, string];
    // Every string is stored once, with a NUL before (the table begins with one) and after it.
    const at = btf.indexOf(`\0${name}\0`, strings, "latin1");
    if (at >= 0) byOffset.set(at + 1 - strings, [BtfKind[kind], key]);
  }
  for (let at = types, id = 1; at + 12 <= typesEnd && found.size < byOffset.size; id++) {
    const info = btf.readUInt32LE(at + 4);
    const kind = (info >>> 24) & 0x1f;
    const hit = byOffset.get(btf.readUInt32LE(at));
    if (hit !== undefined && hit[0] === kind && !found.has(hit[1])) found.set(hit[1], id);
    const tail = TAIL[kind];
    // A kind newer than this table: its size is not known, so nothing behind it can be found.
    if (tail === undefined) break;
    at += 12 + tail[0] + tail[1] * (info & 0xffff);
  }
  return found;
}
