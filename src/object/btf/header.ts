import { BtfError } from "./btf-error.ts";

const MAGIC = 0xeb9f;
const HEADER_SIZE = 24;

/** Where the parts of BTF stand in its bytes. */
export interface BtfHeader {
  readonly little: boolean;
  readonly types: number;
  readonly typesEnd: number;
  readonly strings: number;
  readonly stringsEnd: number;
}

/** Reads and checks `struct btf_header`. */
export function readHeader(bytes: Uint8Array): BtfHeader {
  if (bytes.length < HEADER_SIZE)
    throw new BtfError(`These ${bytes.length} bytes are no BTF: its header alone has ${HEADER_SIZE}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = view.getUint16(0, true) === MAGIC;
  if (!little && view.getUint16(0, false) !== MAGIC)
    throw new BtfError(
      `These bytes are no BTF: they begin with 0x${view.getUint16(0, true).toString(16)} instead of 0x${MAGIC.toString(16)}.`,
    );
  const version = view.getUint8(2);
  if (version !== 1) throw new BtfError(`This is version ${version} of BTF, and only version 1 is known.`);
  const header = view.getUint32(4, little);
  if (header < HEADER_SIZE || header > bytes.length)
    throw new BtfError(`The BTF header says that it has ${header} bytes.`);
  const part = (at: number, what: string): readonly [number, number] => {
    const start = header + view.getUint32(at, little);
    const end = start + view.getUint32(at + 4, little);
    if (end > bytes.length)
      throw new BtfError(`The ${what} end at byte ${end} of BTF that has ${bytes.length}: it is cut short.`);
    return [start, end];
  };
  const [types, typesEnd] = part(8, "types");
  const [strings, stringsEnd] = part(16, "strings");
  if (types % 4 !== 0) throw new BtfError("The types do not begin at a multiple of 4 bytes.");
  if (stringsEnd === strings || bytes[stringsEnd - 1] !== 0) throw new BtfError("The strings do not end with a NUL.");
  return { little, types, typesEnd, strings, stringsEnd };
}
