import { type Btf, MACHINE_ORDER } from "../btf/index.ts";
import { BytesCodec } from "./bytes-codec.ts";
import { CodecError } from "./codec-error.ts";
import { layoutOf } from "./from-btf.ts";

/** Made on first use and kept as long as the types are: the second value of a type costs no generated code. */
const codecs = new WeakMap<Btf, Map<number, BytesCodec>>();

/**
 * The value that `bytes` hold, by a type of BTF (its id, or its name): no bindings need to be generated before. How each
 * kind reads: `layoutOf`. Throws BtfError for a type that there is not or that has no size, CodecError when the bytes are
 * fewer than it has, or of the other byte order.
 */
export function decodeValue(btf: Btf, type: number | string, bytes: Uint8Array): unknown {
  const codec = codecOf(btf, type);
  const { size } = codec.layout;
  if (bytes.length < size) throw new CodecError(`The type has ${size} bytes, and these are ${bytes.length}.`);
  return codec.decode(bytes);
}

/** The bytes of a value, by a type of BTF (its id, or its name). Throws BtfError, and CodecError for a value that does not fit. */
export function encodeValue(btf: Btf, type: number | string, value: unknown): Uint8Array {
  return codecOf(btf, type).encode(value);
}

function codecOf(btf: Btf, type: number | string): BytesCodec {
  if (btf.byteOrder !== MACHINE_ORDER)
    throw new CodecError(
      `The types are of a ${btf.byteOrder}-endian machine, and this one is ${MACHINE_ORDER}-endian.`,
    );
  const id = typeof type === "number" ? type : btf.find(type);
  if (id === undefined) throw new CodecError(`There is no type "${type}".`);
  const known = codecs.get(btf) ?? new Map<number, BytesCodec>();
  codecs.set(btf, known);
  const codec = known.get(id) ?? new BytesCodec(layoutOf(btf, id));
  known.set(id, codec);
  return codec;
}
