import { type ChunkLayout, columnArray } from "./column-layout.ts";
import type { RecordView } from "./record-view.ts";
import { specialiseBody } from "./specialise.ts";

/** Writes a record into a row. */
export type RowWriter = (record: RecordView, row: number) => void;

const READ: Readonly<Record<string, string>> = {
  u8: "u8",
  i8: "u8",
  bool: "u8",
  u16: "u16",
  i16: "u16",
  u32: "u32",
  i32: "i32",
  u64: "u64",
  i64: "i64",
  u64n: "u64n",
  i64n: "i64n",
};

/** Makes the writer of one chunk: a function of its own for each layout, with the chunk's columns as constants. */
export function makeRowWriter(
  { columns, rows, recordSize }: ChunkLayout,
  buffer: SharedArrayBuffer,
  chunkAt: number,
  tooShort: (length: number) => never,
): RowWriter {
  const arrays = columns.map((column) => columnArray(column, buffer, chunkAt, rows));
  const lines = columns.map(({ kind, offset, size }, i) =>
    kind === "bytes"
      ? `record.bytes(${offset},${size},c${i},row*${size});`
      : kind === "bool"
        ? `c${i}[row]=record.u8(${offset})!==0?1:0;`
        : `c${i}[row]=record.${READ[kind]}(${offset});`,
  );
  const parts = Object.fromEntries(arrays.map((array, i) => [`c${i}`, array]));
  const check = `if(record.length<${recordSize})tooShort(record.length);`;
  return (
    specialiseBody<RowWriter>({ ...parts, tooShort }, `return function(record,row){${check}${lines.join("")}}`) ??
    ((record, row) => {
      if (record.length < recordSize) tooShort(record.length);
      for (const [i, { kind, offset, size }] of columns.entries()) {
        const array = arrays[i] as Uint8Array;
        if (kind === "bytes") record.bytes(offset, size, array, row * size);
        else if (kind === "bool") array[row] = record.u8(offset) !== 0 ? 1 : 0;
        else array[row] = (record[READ[kind] as "u32"] as (offset: number) => number).call(record, offset);
      }
    })
  );
}
