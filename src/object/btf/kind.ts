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

const FIXED = [0, 4, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 4, 0, 0];
const EACH = [0, 0, 0, 0, 12, 12, 8, 0, 0, 0, 0, 0, 0, 8, 0, 12, 0, 0, 0, 12];

/**
 * Bytes of a type by the number of its kind, with the 12 of `struct btf_type`: fixed (0 for a number that is no kind; kind 0
 * is void, which has no entry of its own), and for each of `vlen`.
 */
export const KIND_BYTES = Uint8Array.from({ length: 32 }, (_, kind) => {
  const fixed = FIXED[kind];
  return fixed === undefined || kind === 0 ? 0 : 12 + fixed;
});
export const MEMBER_BYTES = Uint8Array.from({ length: 32 }, (_, kind) => EACH[kind] ?? 0);

/** Bytes of a type with that `info` word; undefined for a kind that is not known. */
export function kindSize(info: number): number | undefined {
  const kind = (info >>> 24) & 0x1f;
  const fixed = KIND_BYTES[kind] as number;
  return fixed === 0 ? undefined : fixed + (MEMBER_BYTES[kind] as number) * (info & 0xffff);
}
