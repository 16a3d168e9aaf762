import type { Decoder, Encoder, Layout } from "../../../object/codec/index.ts";
import { type Memory, makeDecoder, makeEncoder, memoryOf } from "../../../object/codec/index.ts";
import { MapFlag, type MapSpec } from "../../../object/spec/index.ts";
import type { AddressSpace } from "../memory/address-space.ts";
import type { Region } from "../memory/region.ts";

/** What a map is made with. */
export interface MapPlace {
  readonly name: string;
  readonly spec: MapSpec;
  readonly space: AddressSpace;
  /** How many values a per-CPU map has for each key. */
  readonly cpus: number;
  /** The byte order that programs have. */
  readonly little: boolean;
  readonly key: Layout | undefined;
  readonly value: Layout | undefined;
  /** Called with regions that stay until the run has ended: elements that were deleted while a program holds them. */
  readonly bury: (region: Region) => void;
}

/** What all maps of the machine have in common: a name, sizes, and an address that programs hand to helpers. */
export class MachineMap {
  /** The key in `ObjectSpec.maps`. */
  readonly name: string;
  /** What it was made from. */
  readonly spec: MapSpec;
  /** Bytes of a key. */
  readonly keySize: number;
  /** Bytes of a value. */
  readonly valueSize: number;
  /** The most entries it has; bytes for rings. */
  readonly maxEntries: number;
  /** @internal */
  readonly _place: MapPlace;
  /** @internal What programs load as the map. */
  readonly _handle: Region;

  /** Made by a `Machine`. */
  constructor(place: MapPlace) {
    const { name, spec, space } = place;
    this._place = place;
    this.name = name;
    this.spec = spec;
    this.keySize = spec.keySize ?? place.key?.size ?? 0;
    this.valueSize = spec.valueSize ?? place.value?.size ?? 0;
    this.maxEntries = spec.maxEntries;
    this._handle = space.add("map", name, new Uint8Array(0), false);
    this._handle.owner = this;
  }

  /** @internal Whether programs may write to its values. */
  get _writable(): boolean {
    return ((this.spec.flags ?? 0) & MapFlag.rdonly_prog) === 0;
  }

  /** @internal The address of a byte of its value, for maps that have just one. */
  _valueAddress(_offset: number): bigint | undefined {
    return undefined;
  }
}

/** Bytes to values and back by a layout; bytes as they are without one. */
export class Codec<T> {
  readonly size: number;
  readonly #layout: Layout | undefined;
  #memory: Memory | undefined;
  #decode: Decoder<unknown> | undefined;
  #encode: Encoder<unknown> | undefined;

  constructor(layout: Layout | undefined, size: number) {
    this.#layout = layout;
    this.size = size;
  }

  decode(bytes: Uint8Array): T {
    const layout = this.#layout;
    if (layout === undefined) return bytes.slice() as T;
    const memory = this.#room();
    memory.u8.set(bytes.subarray(0, layout.size));
    this.#decode ??= makeDecoder(layout) as Decoder<unknown>;
    return this.#decode(memory, 0) as T;
  }

  /** Throws CodecError for a value that does not fit, RangeError for bytes of another length. */
  encode(value: T): Uint8Array {
    const layout = this.#layout;
    if (layout === undefined || (value instanceof Uint8Array && layout.kind !== "bytes")) {
      const bytes = value as Uint8Array;
      if (!(bytes instanceof Uint8Array) || bytes.length !== this.size)
        throw new RangeError(`Without a layout this takes a Uint8Array of ${this.size} bytes.`);
      return bytes.slice();
    }
    const memory = this.#room();
    memory.u8.fill(0);
    this.#encode ??= makeEncoder(layout) as Encoder<unknown>;
    this.#encode(memory, 0, value);
    return memory.u8.slice(0, this.size);
  }

  #room(): Memory {
    this.#memory ??= memoryOf(new ArrayBuffer(Math.ceil(Math.max(this.size, this.#layout?.size ?? 0) / 8) * 8));
    return this.#memory;
  }
}
