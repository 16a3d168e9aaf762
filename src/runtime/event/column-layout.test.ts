import { expect, test } from "vitest";
import { array, bool, bytes, i8, memoryOf, str, struct, u8, u16, u32, u64, u64n } from "../../object/codec/index.ts";
import { chunkLayout, columnArray } from "./column-layout.ts";
import { makeRowWriter } from "./column-writer.ts";
import { RecordView } from "./record-view.ts";
import { tooShortFor } from "./too-short.ts";

const Event = struct({ time: u64n, id: u64, small: i8, yes: bool, port: u16, pid: u32, comm: str(8), raw: bytes(5) });

test("columns lie side by side, each aligned, and none over another", () => {
  const chunk = chunkLayout(Event, 7);
  expect(chunk.recordSize).toBe(Event.size);
  let end = 0;
  for (const { at, size } of chunk.columns) {
    expect(at).toBeGreaterThanOrEqual(end);
    expect(at % 8).toBe(0);
    end = at + 7 * size;
  }
  expect(chunk.size).toBeGreaterThanOrEqual(end);
});

test("a row has the record's values, also in the second chunk, also without generated code", () => {
  const chunk = chunkLayout(Event, 3);
  const record = memoryOf(new ArrayBuffer(64));
  record.view.setBigUint64(8, 5_000_000_000n, true);
  record.view.setBigUint64(16, 2n ** 63n, true);
  record.u8.set([0xfe, 7, 0x34, 0x12], 24);
  record.view.setUint32(28, 0xfffffff0, true);
  record.u8.set(new TextEncoder().encode("bash\0xyz"), 32);
  record.u8.set([1, 2, 3, 4, 5], 40);
  const lease = new RecordView(record);
  lease._move(8, Event.size);
  const { Function: real } = globalThis;
  for (const forbidden of [false, true]) {
    const buffer = new SharedArrayBuffer(2 * chunk.size);
    if (forbidden)
      globalThis.Function = class {
        constructor() {
          throw new EvalError("forbidden");
        }
      } as unknown as FunctionConstructor;
    const write = makeRowWriter(chunk, buffer, chunk.size, tooShortFor(chunk.recordSize));
    globalThis.Function = real;
    write(lease, 2);
    const values = chunk.columns.map((column) => columnArray(column, buffer, chunk.size, 3));
    const last = values.map((value, i) => {
      const size = chunk.columns[i]?.kind === "bytes" ? (chunk.columns[i]?.size ?? 0) : 1;
      return size === 1 ? value[2] : [...(value as Uint8Array).slice(2 * size, 3 * size)];
    });
    expect(last).toEqual([
      5_000_000_000,
      2n ** 63n,
      -2,
      1,
      0x1234,
      0xfffffff0,
      [...new TextEncoder().encode("bash\0xyz")],
      [1, 2, 3, 4, 5],
    ]);
    expect([...(values[0] ?? [])].slice(0, 2)).toEqual([0, 0]);
    lease._move(8, 10);
    expect(() => write(lease, 0)).toThrow(/10 bytes is too short/);
    lease._move(8, Event.size);
  }
});

test("fields that make no column are refused by name", () => {
  expect(() => chunkLayout(struct({ a: array(u8, 3) }), 1)).toThrow(/"a" \(array\)/);
  expect(() => chunkLayout(u32, 1)).toThrow(/struct/);
  const packed = { ...struct({ a: u8, b: u32 }), fields: [{ name: "b", offset: 1, layout: u32 }] };
  expect(() => chunkLayout(packed, 1)).toThrow(/"b" stands at byte 1/);
  for (const rows of [0, 1.5, Number.NaN]) expect(() => chunkLayout(Event, rows)).toThrow(TypeError);
});
