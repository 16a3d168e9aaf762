import type { Layout, ScalarLayout, StructLayout } from "../../object/codec/index.ts";

/** What a column of a scalar is: numbers, or bigints for `u64` and `i64`. */
type ScalarColumn<T> = [T] extends [bigint] ? BigUint64Array | BigInt64Array : ArrayLike<number> & Iterable<number>;

/** The columns of a struct's fields: typed arrays of scalars; of texts and bytes all of them in a row. */
export type Columns<L> =
  L extends StructLayout<infer F>
    ? { readonly [K in keyof F]: F[K] extends string | Uint8Array ? Uint8Array : ScalarColumn<F[K]> }
    : never;

/** One column: where its values stand in a record, and where in a chunk. */
export interface Column {
  readonly name: string;
  /** `bytes` also for texts. */
  readonly kind: Exclude<ScalarLayout["kind"], "be16" | "be32" | "be64"> | "bytes";
  /** Bytes of a value. */
  readonly size: number;
  /** Its place in a record. */
  readonly offset: number;
  /** Its place in a chunk. */
  readonly at: number;
}

/** How many rows a chunk has, and what it is made of. Plain data: it goes to the worker as it is. */
export interface ChunkLayout {
  readonly rows: number;
  readonly columns: readonly Column[];
  /** Bytes of a chunk. */
  readonly size: number;
  /** Bytes a record must have. */
  readonly recordSize: number;
}

const SCALARS: ReadonlySet<string> = new Set([
  "u8",
  "i8",
  "bool",
  "u16",
  "i16",
  "u32",
  "i32",
  "u64",
  "i64",
  "u64n",
  "i64n",
]);

/** The chunk of so many rows of a struct. Throws TypeError for fields that make no column. */
export function chunkLayout(layout: Layout, rows: number): ChunkLayout {
  if (layout.kind !== "struct")
    throw new TypeError(
      `Columns are made of a struct's fields, and a ${layout.kind} has none: put it into a struct({…}).`,
    );
  if (!Number.isInteger(rows) || rows < 1) throw new TypeError(`A chunk of ${rows} rows makes no sense.`);
  let at = 0;
  const columns = (layout as StructLayout).fields.map(({ name, offset, layout: field }) => {
    const { kind, size } = field;
    const isText = kind === "str" || kind === "bytes";
    if (!isText && !SCALARS.has(kind))
      throw new TypeError(
        `Field "${name}" (${kind}) makes no column: numbers, booleans, texts and bytes do. Take it apart into fields, or as bytes(${size}).`,
      );
    // What the lease reads must stand as aligned in the record as it does in memory.
    if (!isText && offset % Math.min(size, 4) !== 0)
      throw new TypeError(
        `Field "${name}" stands at byte ${offset}, where a ${kind} is not aligned: take it as bytes(${size}).`,
      );
    const column = { name, kind: isText ? "bytes" : (kind as Column["kind"]), size, offset, at };
    at = Math.ceil((at + size * rows) / 8) * 8;
    return column;
  });
  return { rows, columns, size: at, recordSize: layout.size };
}

/** The typed array of a column's first `count` values in a chunk. */
export function columnArray(
  { kind, size, at }: Column,
  buffer: SharedArrayBuffer,
  chunkAt: number,
  count: number,
):
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float64Array
  | BigUint64Array
  | BigInt64Array {
  const from = chunkAt + at;
  switch (kind) {
    case "u8":
    case "bool":
      return new Uint8Array(buffer, from, count);
    case "i8":
      return new Int8Array(buffer, from, count);
    case "u16":
      return new Uint16Array(buffer, from, count);
    case "i16":
      return new Int16Array(buffer, from, count);
    case "u32":
      return new Uint32Array(buffer, from, count);
    case "i32":
      return new Int32Array(buffer, from, count);
    case "u64":
      return new BigUint64Array(buffer, from, count);
    case "i64":
      return new BigInt64Array(buffer, from, count);
    case "u64n":
    case "i64n":
      return new Float64Array(buffer, from, count);
    case "bytes":
      return new Uint8Array(buffer, from, count * size);
  }
}
