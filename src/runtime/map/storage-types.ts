import { BpfAttr, Fd, SystemError, TOKEN_FLAG } from "../sys/index.ts";

const HEADER = 24;
const INT = 1 << 24;
const ARRAY = 3 << 24;
const SIGNED = 1 << 24;

/** Loaded types, and the ids in them of a storage's key and value. */
export interface StorageTypes {
  readonly fd: Fd;
  readonly key: number;
  readonly value: number;
}

/**
 * Types for local storage made without an object: the kernel wants to know them, so it is told `int` for the key and
 * `char[n]` for the value. The caller closes it. Throws SystemError.
 */
export function storageTypes(valueSize: number, token?: Fd): StorageTypes {
  const names = "\0int\0char\0";
  const words = [
    ...[1, INT, 4, SIGNED | 32],
    ...[5, INT, 1, 8],
    // An array has its element, the type of its index and its length behind.
    ...[0, ARRAY, 0, 2, 1, valueSize],
  ];
  const bytes = new Uint8Array(HEADER + words.length * 4 + names.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0xeb9f, true);
  view.setUint8(2, 1);
  for (const [i, word] of [HEADER, 0, words.length * 4, words.length * 4, names.length].entries())
    view.setUint32(4 + i * 4, word, true);
  for (const [i, word] of words.entries()) view.setUint32(HEADER + i * 4, word, true);
  bytes.set(Buffer.from(names, "latin1"), HEADER + words.length * 4);
  const attr = new BpfAttr().pointer(0, bytes).u32(16, bytes.length);
  if (token !== undefined) attr.u32(32, TOKEN_FLAG).u32(36, token.number);
  const result = attr.call("BPF_BTF_LOAD");
  if (result < 0)
    throw new SystemError({
      errno: -result,
      syscall: "bpf(BPF_BTF_LOAD)",
      doing: "tell the kernel the types of a storage map",
      needs: ["CAP_BPF"],
    });
  return { fd: new Fd(result, "types of a storage map"), key: 1, value: 3 };
}
