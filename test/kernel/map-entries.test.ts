// Iterating over live maps: each entry once, whatever the loop does meanwhile.
import assert from "node:assert/strict";
import { inspect } from "node:util";
import {
  bytes,
  CodecError,
  createMap,
  MapFlag,
  possibleCpus,
  str,
  struct,
  u8,
  u32,
  u64,
  u64n,
} from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";

const point = struct({ x: u8, y: u32 });
const cpus = possibleCpus();

kernelTest("iterating sees every entry once; a loop may delete what it sees, and use the map", () => {
  using map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 5000 }, "many");
  for (let i = 0; i < 5000; i++) map.set(i, i);
  assert.deepEqual(new Set([...map].map(([k]) => k)).size, 5000);
  let seen = 0;
  for (const [key, value] of map) {
    assert.equal(value, key);
    seen++;
    // The map's own memory is used meanwhile: the loop must not lose its place.
    map.has((key + 1) % 5000);
    if (key % 2 === 0) assert.equal(map.delete(key), true);
  }
  assert.equal(seen, 5000);
  assert.equal([...map].length, 2500);
  const visited = new Set<number>();
  map.forEach((value, key) => {
    assert.equal(value, key);
    visited.add(key);
  });
  assert.equal(visited.size, 2500);
  for (const [key] of map) map.delete(key);
  assert.deepEqual([...map], []);
});

kernelTest("a loop that is left in the middle leaves the map usable", () => {
  using map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 100 }, "left");
  for (let i = 0; i < 100; i++) map.set(i, i);
  for (const _ of map) break;
  const one = map.entries();
  const two = map.entries();
  const firsts = [one.next().value?.[0], two.next().value?.[0]];
  assert.equal(firsts[0], firsts[1]);
  assert.equal([...one].length + [...two].length, 198);
});

kernelTest("a step of an iterator stays what it was, however often it is read and whatever follows", () => {
  using hash = createMap({ type: "hash", key: u32, value: point, maxEntries: 60_000 }, "steps");
  // Larger than the zeros that are read at the end: no value is decoded there.
  using large = createMap(
    { type: "hash", key: u32, value: struct({ text: str(8), bytes: bytes(8192) }), maxEntries: 3 },
    "steps",
  );
  using none = createMap({ type: "hash", key: u32, value: point, maxEntries: 3 }, "steps");
  // A trie has no batches that can be relied on.
  using trie = createMap(
    {
      type: "lpm_trie",
      key: struct({ bits: u32, name: str(4) }),
      value: point,
      maxEntries: 3,
      flags: MapFlag.no_prealloc,
    },
    "steps",
  );
  // More than a batch: the second is read into the memory of the first.
  hash.setMany(Array.from({ length: 60_000 }, (_, i) => [i, { x: i & 255, y: i }] as const));
  for (const key of [1, 2, 3]) large.set(key, { text: `${key}`, bytes: new Uint8Array(8192).fill(key) });
  for (const [i, name] of ["a", "b", "c"].entries()) trie.set({ bits: 8, name }, { x: i, y: i });
  for (const map of [hash, large, none, trie]) {
    const entries = map.entries();
    const steps: IteratorResult<unknown, undefined>[] = [];
    let step = entries.next();
    for (; step.done !== true; step = entries.next()) steps.push(step);
    const all = steps.map(({ value }) => value);
    assert.deepEqual(all, [...map]);
    assert.deepEqual(
      steps.map(({ value }) => value),
      all,
    );
    assert.deepEqual([step.value, steps.every(({ done }) => done === false)], [undefined, true]);
    assert.equal(inspect(step), "{ done: true, value: undefined }");
    assert.equal(JSON.stringify(step), '{"done":true}');
    if (steps.length > 0) {
      assert.equal(inspect(steps[0]), inspect({ done: false, value: all[0] }));
      assert.equal(JSON.stringify(steps[0]), JSON.stringify({ done: false, value: all[0] }));
    }
    assert.deepEqual([entries.next().done, entries.next().value], [true, undefined]);
    const left = map.entries();
    left.next();
    assert.deepEqual(left.return?.(), { done: true, value: undefined });
    assert.equal(inspect(left.next()), "{ done: true, value: undefined }");
    const early = map.entries();
    early.return?.();
    assert.deepEqual([early.next().value, early.next().done], [undefined, true]);
  }
});

kernelTest("iterations that nobody ends, and such that fail, take nothing from others", () => {
  const count = 100;
  using numbers = createMap({ type: "hash", key: u32, value: u64n, maxEntries: count }, "numbers");
  using texts = createMap(
    { type: "hash", key: u32, value: struct({ name: str(16), n: u32 }), maxEntries: count },
    "texts",
  );
  // Keys so large that a batch has not the usual number of them.
  using large = createMap({ type: "hash", key: bytes(480), value: u32, maxEntries: count }, "large");
  using wrong = createMap({ type: "hash", key: u32, value: u64n, maxEntries: count }, "wrong");
  numbers.setMany(Array.from({ length: count }, (_, i) => [i, 2 * i] as const));
  texts.setMany(Array.from({ length: count }, (_, i) => [i, { name: `n${i}`, n: 2 * i }] as const));
  large.setMany(Array.from({ length: count }, (_, i) => [new Uint8Array(480).fill(i), 2 * i] as const));
  wrong.setMany(Array.from({ length: count }, (_, i) => [i, i] as const));
  wrong.setRaw(Uint8Array.of(7, 0, 0, 0), new Uint8Array(8).fill(0xff));
  const left: Iterator<unknown>[] = [];
  for (let i = 0; i < 60; i++) {
    for (const map of [numbers, texts, large]) {
      const entries = map.entries();
      entries.next();
      left.push(entries);
    }
    assert.throws(() => [...wrong], CodecError);
    assert.throws(() => wrong.forEach(() => {}), CodecError);
    let sum = 0;
    for (const [key, value] of numbers) {
      sum += value - 2 * key;
      if (key % 10 !== i % 10) continue;
      for (const [other, { name, n }] of texts) sum += name === `n${other}` ? n - 2 * other : 1;
      for (const [bytes, n] of large) sum += n - 2 * (bytes[479] as number);
    }
    assert.equal(sum, 0);
  }
  assert.equal(inspect(left[0]), "BatchedEntries {}");
  // Those that were left lying are what they were.
  for (const entries of left) {
    let rest = 0;
    while (entries.next().done !== true) rest++;
    assert.equal(rest, count - 1);
  }
});

kernelTest("loops over maps within each other, and beside, read what is theirs", () => {
  const count = 300;
  using a = createMap({ type: "hash", key: u32, value: point, maxEntries: count }, "a");
  using b = createMap({ type: "hash", key: u64n, value: u64n, maxEntries: count }, "b");
  a.setMany(Array.from({ length: count }, (_, i) => [i, { x: i & 255, y: 2 * i }] as const));
  b.setMany(Array.from({ length: count }, (_, i) => [i, 3 * i] as const));
  const ofA = ([key, { x, y }]: readonly [number, { x: number; y: number }]) => {
    assert.deepEqual([x, y], [key & 255, 2 * key]);
    return key;
  };
  const ofB = ([key, value]: readonly [number, number]) => {
    assert.equal(value, 3 * key);
    return key;
  };
  // Three at once, a step of each in turn; one is left in the middle, one is begun behind it.
  const loops = [a.entries(), b.entries(), a.entries()] as const;
  const seen: [Set<number>, Set<number>, Set<number>] = [new Set(), new Set(), new Set()];
  for (let i = 0; i < count; i++) {
    seen[0].add(ofA(loops[0].next().value));
    seen[1].add(ofB(loops[1].next().value));
    if (i === count / 2) {
      loops[2].return?.();
      for (const entry of b) ofB(entry);
    } else if (i < count / 2) seen[2].add(ofA(loops[2].next().value));
  }
  assert.deepEqual(
    loops.map((loop) => loop.next().done),
    [true, true, true],
  );
  assert.deepEqual(
    seen.map(({ size }) => size),
    [count, count, count / 2],
  );
  let inner = 0;
  a.forEach((_, key) => {
    if (key % 50 === 0)
      b.forEach((value, other) => {
        ofB([other, value]);
        inner++;
      });
  });
  assert.equal(inner, 6 * count);
  for (const entry of a) {
    if (ofA(entry) % 50 === 0) b.setMany([[1, 3]]);
    if (ofA(entry) % 60 === 0) a.deleteMany([count + 1]);
  }
});

kernelTest("maps of types without batches are iterated key by key", () => {
  // LPM tries have batches only since Linux 5.17 or so and queues never; a per-CPU hash has them since 5.13: each of
  // these must work on every kernel.
  using map = createMap({ type: "percpu_hash", key: u32, value: u64, maxEntries: 16 }, "percpu");
  for (let i = 0; i < 10; i++) map.set(i, new Array<bigint>(cpus).fill(BigInt(i)));
  const entries = [...map];
  assert.deepEqual(
    entries.map(([k]) => k).sort((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  for (const [k, v] of entries) assert.deepEqual(v, new Array<bigint>(cpus).fill(BigInt(k)));
});
