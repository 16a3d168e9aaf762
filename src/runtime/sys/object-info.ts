import { BpfAttr } from "./bpf.ts";
import type { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { SystemError } from "./system-error.ts";

/** Bytes that the kernel is told the address of, at a place in the structure. */
export type InfoBuffer = readonly [offset: number, bytes: Uint8Array];

/** The text in bytes that the kernel filled: up to its NUL. */
export function cText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.buffer, bytes.byteOffset, end < 0 ? bytes.length : end).toString("utf8");
}

/**
 * What the kernel tells of a map, program, link or BTF object (BPF_OBJ_GET_INFO_BY_FD, Linux 4.13): `info` is filled as far
 * as both sides know the structure; what it says of itself (how many ids there is room for) must stand in it. Throws
 * SystemError.
 */
export function objectInfo(fd: Fd, info: Uint8Array, buffers: readonly InfoBuffer[] = []): DataView {
  const view = new DataView(info.buffer, info.byteOffset, info.length);
  for (const [offset, bytes] of buffers) view.setBigUint64(offset, BigInt(native().addressOf(bytes)), true);
  const attr = new BpfAttr().u32(0, fd.number).u32(4, info.length).pointer(8, info);
  const result = attr.call("BPF_OBJ_GET_INFO_BY_FD");
  if (result < 0)
    throw new SystemError({ errno: -result, syscall: "bpf(BPF_OBJ_GET_INFO_BY_FD)", doing: `look at ${fd.what}` });
  return view;
}
