import type { BtfKind } from "./type.ts";

/** Kinds by their number (linux/btf.h, BTF_KIND_*). */
export const KIND_NAMES = [
  "void",
  "int",
  "pointer",
  "array",
  "struct",
  "union",
  "enum",
  "forward",
  "typedef",
  "volatile",
  "const",
  "restrict",
  "function",
  "prototype",
  "variable",
  "section",
  "float",
  "declTag",
  "typeTag",
  "enum64",
] as const satisfies readonly BtfKind[];

/** Bytes behind the 12 of `struct btf_type`, by kind: fixed, and for each of `vlen`. */
const FIXED = [0, 4, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0, 0];
const EACH = [0, 0, 0, 0, 12, 12, 8, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 12];

/** Bytes of a type with that `info` word; undefined for a kind that is not known. */
export function kindSize(info: number): number | undefined {
  const kind = (info >>> 24) & 0x1f;
  const fixed = FIXED[kind];
  // Kind 0 is void, which has no entry of its own.
  return fixed === undefined || kind === 0 ? undefined : 12 + fixed + (EACH[kind] as number) * (info & 0xffff);
}
