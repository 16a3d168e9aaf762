import type { BtfKind, BtfType } from "./type.ts";

/** The types of an object, a kernel or a module. Immutable; types are decoded when they are first asked for. */
export interface Btf {
  /** The bytes it was read from. */
  readonly bytes: Uint8Array;
  readonly byteOrder: "little" | "big";
  /** For split BTF: what its ids and names go on from. */
  readonly base?: Btf | undefined;
  /** Its own types have the ids from `firstId` (1, or the base's `endId`) to before `endId`. */
  readonly firstId: number;
  readonly endId: number;
  /** The type of an id, of the base's too; id 0 is void. Throws BtfError for an id that there is not. */
  type(id: number): BtfType;
  /** The id of the first type of that name (and kind), the base's before its own; undefined when there is none. */
  find(name: string, kind?: BtfKind): number | undefined;
  /** All ids of that name (and kind). */
  findAll(name: string, kind?: BtfKind): readonly number[];
  /** The id behind typedefs, const, volatile, restrict and type tags. */
  resolve(id: number): number;
  /** Bytes a value of the type takes. Throws BtfError for void, functions and forward declarations. */
  sizeOf(id: number): number;
}
