// Arrays mapped into memory: what is stored there, programs and look-ups see at once.
import assert from "node:assert/strict";
import {
  Assembler,
  array,
  bytes,
  ClosedError,
  CodecError,
  createMap,
  loadObject,
  MapFlag,
  MappedArray,
  r0,
  r1,
  r2,
  struct,
  u8,
  u32,
  u64,
} from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";

const needs = { kernel: "5.5" } as const;

kernelTest("a mapped array and look-ups see each other's values", needs, () => {
  const value = struct({ n: u64, tag: u8, more: bytes(4) });
  using map = createMap({ type: "array", value, maxEntries: 1000, flags: MapFlag.mmapable }, "mapped");
  using mapped = new MappedArray(map, value);
  assert.deepEqual([mapped.length, mapped.stride], [1000, 16]);
  for (const index of [0, 1, 511, 999]) {
    const stored = { n: BigInt(index) << 40n, tag: index & 0xff, more: Uint8Array.of(1, 2, 3, index & 0xff) };
    mapped.set(index, stored);
    assert.deepEqual(map.get(index), stored);
    map.set(index, { ...stored, tag: 9 });
    assert.deepEqual(mapped.get(index), { ...stored, tag: 9 });
  }
  assert.equal(map.get(2)?.n, 0n);
});

kernelTest("elements stand 8-aligned whatever their size", needs, () => {
  for (const size of [1, 4, 5, 8, 12, 4096, 5000]) {
    using map = createMap({ type: "array", value: bytes(size), maxEntries: 7, flags: MapFlag.mmapable }, `s${size}`);
    using mapped = new MappedArray(map, bytes(size));
    for (let i = 0; i < 7; i++) mapped.set(i, new Uint8Array(size).fill(i + 1));
    for (let i = 0; i < 7; i++) assert.deepEqual(map.get(i), new Uint8Array(size).fill(i + 1), `${size} bytes, ${i}`);
  }
});

kernelTest("a program's atomic addition shows in the memory", { kernel: "5.10" }, () => {
  const counters = array(u64, 4);
  const spec = {
    maps: { counts: { type: "array", value: counters, maxEntries: 1, flags: MapFlag.mmapable } },
    programs: {
      count: {
        type: "raw_tracepoint",
        license: "GPL",
        instructions: new Assembler()
          .loadMapValue(r1, "counts", 16)
          .mov(r2, 5)
          .atomicAdd("u64", r1, 0, r2)
          .mov(r0, 0)
          .exit()
          .instructions(),
      },
    },
  } as const;
  using object = loadObject(spec);
  using mapped = new MappedArray(object.maps.counts, counters);
  for (let i = 0; i < 10; i++) object.programs.count.testRun();
  assert.deepEqual(mapped.get(0), [0n, 0n, 50n, 0n]);
  assert.equal(Atomics.load(mapped.memory.u64, 2), 50n);
});

kernelTest("indices outside and values that do not fit change nothing", needs, () => {
  const value = struct({ a: u32, b: u8 });
  using map = createMap({ type: "array", value, maxEntries: 4, flags: MapFlag.mmapable }, "bounds");
  using mapped = new MappedArray(map, value);
  mapped.set(1, { a: 1, b: 2 });
  for (const index of [4, -1, 1.5, Number.NaN, 2 ** 32, 2 ** 32 + 1]) {
    assert.throws(() => mapped.get(index), /^RangeError: Index .* is outside 0…3\.$/);
    assert.throws(() => mapped.set(index, { a: 0, b: 0 }), RangeError);
  }
  // The first field fits, the second does not: programs must not see half of it.
  assert.throws(() => mapped.set(1, { a: 77, b: 256 }), CodecError);
  assert.deepEqual(mapped.get(1), { a: 1, b: 2 });
});

kernelTest("closed, it is gone for all who look", needs, () => {
  using map = createMap({ type: "array", value: u64, maxEntries: 4, flags: MapFlag.mmapable }, "closing");
  const mapped = new MappedArray(map, u64);
  const view = mapped.memory.u64;
  view[1] = 5n;
  mapped.close();
  mapped.close();
  assert.deepEqual([mapped.length, view.length, view[1]], [0, 0, undefined]);
  assert.throws(() => mapped.get(1), ClosedError);
  assert.throws(() => mapped.set(1, 1n), ClosedError);
  assert.equal(map.get(1), 5n);
});

kernelTest("the mapping outlives the map's descriptor", needs, () => {
  const map = createMap({ type: "array", value: u64, maxEntries: 4, flags: MapFlag.mmapable }, "short-lived");
  using mapped = new MappedArray(map, u64);
  map.close();
  mapped.set(3, 33n);
  assert.equal(mapped.get(3), 33n);
});

kernelTest("only arrays made for it can be mapped, and only with their own layout", needs, () => {
  using plain = createMap({ type: "array", value: u64, maxEntries: 4 }, "plain");
  assert.throws(() => new MappedArray(plain, u64), /^TypeError: Map "plain" cannot be mapped: .*MapFlag\.mmapable/);
  using hash = createMap({ type: "hash", key: u32, value: u64, maxEntries: 4 }, "hash");
  assert.throws(() => new MappedArray(hash, u64), TypeError);
  using map = createMap({ type: "array", value: u64, maxEntries: 4, flags: MapFlag.mmapable }, "right");
  assert.throws(
    () => new MappedArray(map, u32),
    /^RangeError: The value layout is 4 bytes, but values of map "right" are 8/,
  );
});

kernelTest("numbers are reached as typed arrays", needs, () => {
  const spec = { type: "array", maxEntries: 600, flags: MapFlag.mmapable } as const;
  using wide = createMap({ ...spec, value: u64 }, "wide");
  using narrow = createMap({ ...spec, value: u32 }, "narrow");
  using wideArray = new MappedArray(wide, u64);
  using narrowArray = new MappedArray(narrow, u32);
  const { values } = wideArray;
  assert.deepEqual([values.length, wideArray.step], [600, 1]);
  values[599] = 2n ** 63n;
  assert.equal(wide.get(599), 2n ** 63n);
  assert.deepEqual([narrowArray.values?.length, narrowArray.step], [1200, 2]);
  narrow.set(7, 0xfffffffe);
  assert.equal(narrowArray.values?.[7 * narrowArray.step], 0xfffffffe);
  wideArray.close();
  assert.equal(values.length, 0);
  assert.throws(() => wideArray.values, ClosedError);
  using texts = createMap({ ...spec, value: bytes(4) }, "bytes");
  using mapped = new MappedArray(texts, bytes(4));
  assert.equal(mapped.values, undefined);
});
