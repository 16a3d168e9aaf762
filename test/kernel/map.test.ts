// Live maps, each kind against what a Map of JavaScript does, and at its edges.
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  bytes,
  ClosedError,
  CodecError,
  createMap,
  KeyedMap,
  MapFlag,
  type MapSpec,
  possibleCpus,
  SystemError,
  str,
  struct,
  type UpdateMode,
  u8,
  u16,
  u32,
  u64,
  u64n,
} from "../../src/sdk/index.ts";
import { run } from "../support/cli.ts";
import { errorCode as code } from "../support/error-code.ts";
import { kernelTest } from "../support/kernel-test.ts";

const point = struct({ x: u8, y: u32 });
const cpus = possibleCpus();

// ---------------------------------------------------------------------------------------------------------------------
// Hashes

kernelTest("a hash does what a Map does, whatever the order", () => {
  const key = fc.record({ x: fc.integer({ min: 0, max: 3 }), y: fc.integer({ min: 0, max: 3 }) });
  const step = fc.oneof(
    fc.tuple(fc.constantFrom("any", "noexist", "exist"), key, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    fc.tuple(fc.constantFrom("get", "has", "delete"), key, fc.constant(0n)),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      using map = createMap({ type: "hash", key: point, value: u64, maxEntries: 64 }, "model");
      const model = new Map<string, bigint>();
      for (const [action, at, value] of steps) {
        const id = `${at.x},${at.y}`;
        if (action === "get") assert.equal(map.get(at), model.get(id));
        else if (action === "has") assert.equal(map.has(at), model.has(id));
        else if (action === "delete") assert.equal(map.delete(at), model.delete(id));
        else {
          const expected =
            action === "noexist" && model.has(id)
              ? "EEXIST"
              : action === "exist" && !model.has(id)
                ? "ENOENT"
                : "no error";
          assert.equal(
            code(() => map.set(at, value, action as UpdateMode)),
            expected,
          );
          if (expected === "no error") model.set(id, value);
        }
        assert.equal(map.isEmpty(), model.size === 0);
      }
      const entries = [...map].map(([{ x, y }, value]): [string, bigint] => [`${x},${y}`, value]);
      assert.deepEqual(new Map(entries), model);
      assert.equal(entries.length, model.size);
    }),
    { numRuns: 60 },
  );
});

kernelTest("a full hash says so, and what it holds stays", () => {
  using map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 }, "small");
  for (let i = 0; i < 4; i++) map.set(i, i * 10);
  assert.throws(
    () => map.set(4, 40),
    (error: unknown) => {
      assert.ok(error instanceof SystemError);
      assert.deepEqual([error.code, error.errno], ["E2BIG", 7]);
      assert.match(error.message, /update a key of map "small".*The map is full: it holds at most 4 entries\./);
      return true;
    },
  );
  // A key that is there can be changed; a key that goes makes room.
  map.set(3, 33);
  assert.equal(map.delete(0), true);
  map.set(4, 40);
  assert.deepEqual(
    new Map(map),
    new Map([
      [1, 10],
      [2, 20],
      [3, 33],
      [4, 40],
    ]),
  );
});

kernelTest("update modes say why they refused, and change nothing", () => {
  using map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 4 }, "modes");
  assert.equal(
    code(() => map.set(1, 1, "exist")),
    "ENOENT",
  );
  assert.equal(map.has(1), false);
  map.set(1, 1, "noexist");
  assert.equal(
    code(() => map.set(1, 2, "noexist")),
    "EEXIST",
  );
  assert.equal(map.get(1), 1);
  map.set(1, 3, "exist");
  assert.equal(map.get(1), 3);
});

kernelTest("keys compare whole: padding does not make two keys of one", () => {
  using map = createMap({ type: "hash", key: point, value: u32, maxEntries: 8 }, "padded");
  map.set({ x: 1, y: 2 }, 1);
  // The slot held other bytes before: nothing of them may end up in the padding.
  map.set({ x: 255, y: 0xffffffff }, 2);
  map.set({ x: 1, y: 2 }, 3);
  assert.equal([...map].length, 2);
  assert.equal(map.get({ x: 1, y: 2 }), 3);
});

kernelTest("keys and values of every size go in and out unchanged", () => {
  for (const size of [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 64, 255, 512]) {
    using map = createMap({ type: "hash", keySize: size, valueSize: size + 3, maxEntries: 10 }, `s${size}`);
    const key = new Uint8Array(size).fill(size & 0xff);
    const value = Uint8Array.from({ length: size + 3 }, (_, i) => i & 0xff);
    map.set(key, value);
    key.fill(7, 0, 1);
    map.set(
      key,
      value.map((byte) => byte ^ 0xff),
    );
    assert.deepEqual(map.get(new Uint8Array(size).fill(size & 0xff)), size === 7 ? value.map((b) => b ^ 0xff) : value);
    assert.deepEqual(
      map.get(key),
      value.map((byte) => byte ^ 0xff),
    );
    for (const [k, v] of map) assert.deepEqual([k.length, v.length], [size, size + 3]);
  }
});

kernelTest("text, numbers and bytes are values as any other", () => {
  using map = createMap(
    { type: "hash", key: str(16), value: struct({ n: u64n, at: u64, raw: bytes(3) }), maxEntries: 8 },
    "typed",
  );
  map.set("eth0", { n: 2 ** 40, at: 2n ** 63n, raw: Uint8Array.of(1, 2, 3) });
  assert.deepEqual(map.get("eth0"), { n: 2 ** 40, at: 2n ** 63n, raw: Uint8Array.of(1, 2, 3) });
  assert.equal(map.get("eth1"), undefined);
  assert.deepEqual(
    [...map.entries()].map(([k]) => k),
    ["eth0"],
  );
  assert.throws(() => map.set("a name of more than 15", { n: 0, at: 0n, raw: new Uint8Array(3) }), CodecError);
  assert.throws(() => map.set("x", { n: -1, at: 0n, raw: new Uint8Array(3) }), CodecError);
  assert.equal(map.has("x"), false);
});

// ---------------------------------------------------------------------------------------------------------------------
// Batches

kernelTest("many entries are set at once and read in batches", () => {
  using map = createMap({ type: "hash", key: u32, value: struct({ a: u32, b: u16 }), maxEntries: 60_000 }, "bulk");
  const entries = Array.from({ length: 50_000 }, (_, i): [number, { a: number; b: number }] => [
    i * 7,
    { a: i, b: i & 0xffff },
  ]);
  map.setMany(entries);
  const back = new Map(map);
  assert.equal(back.size, 50_000);
  for (const [key, value] of entries) assert.deepEqual(back.get(key), value);
  // From any iterable, over what is there.
  map.setMany(new Map([[7, { a: 99, b: 1 }]]));
  assert.deepEqual(map.get(7), { a: 99, b: 1 });
  map.setMany([]);
  assert.equal([...map].length, 50_000);
});

kernelTest("a batch with large values is read and written in pieces", () => {
  const size = 4000;
  using map = createMap({ type: "hash", key: u32, value: bytes(size), maxEntries: 2000 }, "large");
  map.setMany(Array.from({ length: 1500 }, (_, i): [number, Uint8Array] => [i, new Uint8Array(size).fill(i & 0xff)]));
  let seen = 0;
  for (const [key, value] of map) {
    seen++;
    assert.ok(value.length === size && value[0] === (key & 0xff) && value[size - 1] === (key & 0xff));
  }
  assert.equal(seen, 1500);
});

kernelTest("a batch that does not fit says how many were written", { kernel: "5.6" }, () => {
  using map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 }, "tight");
  assert.throws(
    () => map.setMany(Array.from({ length: 15 }, (_, i): [number, number] => [i, i])),
    (error: unknown) => {
      assert.ok(error instanceof SystemError);
      assert.equal(error.code, "E2BIG");
      assert.match(
        error.message,
        /update 15 entries of map "tight".*holds at most 10 entries\. 10 of them were written/,
      );
      return true;
    },
  );
  assert.equal([...map].length, 10);
});

kernelTest("a value that does not fit stops a batch before anything of it is written", () => {
  using map = createMap({ type: "hash", key: u32, value: u8, maxEntries: 100 }, "bad value");
  assert.throws(
    () =>
      map.setMany([
        [1, 1],
        [2, 256],
        [3, 3],
      ]),
    CodecError,
  );
  assert.deepEqual([...map], []);
});

// ---------------------------------------------------------------------------------------------------------------------
// Arrays

kernelTest("an array has all its elements from the beginning, and keeps them", () => {
  using map = createMap({ type: "array", value: u64, maxEntries: 5 }, "array");
  assert.deepEqual(
    [...map],
    [
      [0, 0n],
      [1, 0n],
      [2, 0n],
      [3, 0n],
      [4, 0n],
    ],
  );
  map.set(4, 7n);
  assert.equal(map.get(4), 7n);
  assert.equal(map.get(5), undefined);
  assert.equal(
    code(() => map.set(5, 1n)),
    "E2BIG",
  );
  assert.equal(
    code(() => map.set(0, 1n, "noexist")),
    "EEXIST",
  );
  map.set(0, 2n, "exist");
  assert.equal(
    code(() => map.delete(0)),
    "EINVAL",
  );
  assert.throws(() => map.set(-1, 0n), CodecError);
  assert.throws(() => map.get(1.5), CodecError);
});

kernelTest("a per-CPU array has a value for each possible CPU", () => {
  using map = createMap({ type: "percpu_array", value: u32, maxEntries: 3 }, "percpu");
  assert.deepEqual(map.get(0), new Array<number>(cpus).fill(0));
  const values = Array.from({ length: cpus }, (_, cpu) => 100 + cpu);
  map.set(1, values);
  assert.deepEqual(map.get(1), values);
  // Values of less than 8 bytes stand 8 bytes apart: none may have slipped into another's place.
  assert.deepEqual(map.get(0), new Array<number>(cpus).fill(0));
  assert.deepEqual(map.get(2), new Array<number>(cpus).fill(0));
  for (const wrong of [[], values.slice(1), [...values, 1]]) {
    assert.throws(
      () => map.set(0, wrong),
      new RegExp(`RangeError.*per-CPU map "percpu" is an array of ${cpus} values, one per possible CPU`),
    );
  }
  assert.throws(() => map.set(0, 5 as unknown as number[]), RangeError);
  assert.throws(() => map.set(0, new Array<number>(cpus).fill(-1)), CodecError);
});

kernelTest("per-CPU values of odd sizes, in hashes and LRU hashes, too", () => {
  const odd = struct({ a: u8, b: u16, c: bytes(7) });
  for (const type of ["percpu_hash", "lru_percpu_hash", "percpu_array"] as const) {
    using map = createMap({ type, key: u32, value: odd, maxEntries: 4 }, type);
    const values = Array.from({ length: cpus }, (_, cpu) => ({
      a: cpu,
      b: 1000 + cpu,
      c: new Uint8Array(7).fill(cpu),
    }));
    map.set(1, values);
    assert.deepEqual(map.get(1), values);
    map.setMany([
      [2, values],
      [3, [...values].reverse()],
    ]);
    assert.deepEqual(map.get(3), [...values].reverse());
    assert.deepEqual(new Map(map as Iterable<[number, unknown]>).get(2), values);
  }
});

// ---------------------------------------------------------------------------------------------------------------------
// LRU

kernelTest("an LRU hash makes room for new keys by itself", () => {
  using map = createMap({ type: "lru_hash", key: u32, value: u32, maxEntries: 256 }, "lru");
  for (let i = 0; i < 10_000; i++) map.set(i, i);
  const entries = [...map];
  assert.ok(entries.length <= 256 && entries.length > 0, String(entries.length));
  for (const [key, value] of entries) assert.equal(value, key);
  assert.equal(map.get(9_999), 9_999);
});

// ---------------------------------------------------------------------------------------------------------------------
// What is refused

kernelTest("wrong sizes are refused before the kernel is asked", () => {
  using map = createMap({ type: "hash", keySize: 4, valueSize: 8, maxEntries: 4 }, "raw");
  const four = new Uint8Array(4);
  const eight = new Uint8Array(8);
  assert.throws(() => map.getRaw(eight), /^RangeError: A key of map "raw" is 4 bytes, not 8\.$/);
  assert.throws(() => map.setRaw(four, four), /^RangeError: A value of map "raw" is 8 bytes, not 4\.$/);
  assert.throws(() => map.deleteRaw(new Uint8Array(0)), RangeError);
  assert.throws(() => map.set(four, four), CodecError);
  assert.throws(() => map.get(eight), CodecError);
  map.setRaw(four, eight);
  assert.deepEqual(map.getRaw(four), eight);
  assert.equal(map.deleteRaw(four), true);
  assert.equal(map.deleteRaw(four), false);
});

kernelTest("layouts that contradict the sizes are refused", () => {
  for (const spec of [
    { type: "hash", keySize: 8, valueSize: 8, maxEntries: 1, key: u32 },
    { type: "hash", keySize: 8, valueSize: 8, maxEntries: 1, value: u32 },
  ] as const satisfies MapSpec[]) {
    assert.throws(() => createMap(spec, "contradiction"), RangeError);
  }
});

kernelTest("a map the kernel does not make is an error that says what was asked for", () => {
  const cases: [MapSpec, RegExp][] = [
    [{ type: "hash", keySize: 4, valueSize: 4, maxEntries: 0 }, /EINVAL.*It needs `maxEntries` of at least 1/],
    [
      { type: "array", keySize: 8, valueSize: 4, maxEntries: 1 },
      /array, keys of 8, values of 4 bytes, 1 entries.*EINVAL/,
    ],
    [{ type: "ringbuf", maxEntries: 5000 }, /ringbuf.*EINVAL/],
    [{ type: "hash", keySize: 4, valueSize: 4, maxEntries: 1, flags: MapFlag.mmapable }, /EINVAL/],
    [{ type: "hash", keySize: 4, valueSize: 4, maxEntries: 4_000_000_000 }, /E2BIG|ENOMEM|EINVAL/],
  ];
  for (const [spec, expected] of cases) {
    assert.throws(
      () => createMap(spec, "refused"),
      (error: unknown) => {
        assert.ok(error instanceof SystemError, String(error));
        assert.equal(error.syscall, "bpf(BPF_MAP_CREATE)");
        assert.match(error.message, /^Cannot create map "refused" /);
        assert.match(error.message, expected);
        return true;
      },
    );
  }
});

kernelTest("a closed map says so, whatever it is asked", () => {
  const map = createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 }, "closed");
  map.set(1, 1);
  map.set(2, 2);
  const entries = map.entries();
  entries.next();
  const later = map.entries();
  map.close();
  map.close();
  const actions: [string, () => unknown][] = [
    ["get", () => map.get(1)],
    ["has", () => map.has(1)],
    ["set", () => map.set(1, 2)],
    ["delete", () => map.delete(1)],
    ["setMany", () => map.setMany([[1, 2]])],
    ["entries", () => [...map]],
    ["an iterator not begun", () => [...later]],
    ["forEach", () => map.forEach(() => {})],
    ["getRaw", () => map.getRaw(new Uint8Array(4))],
    ["setRaw", () => map.setRaw(new Uint8Array(4), new Uint8Array(4))],
    ["pin", () => map.pin("/sys/fs/bpf/x")],
  ];
  for (const [name, action] of actions) {
    assert.throws(action, /^ClosedError: map "closed" is closed/, name);
  }
  assert.throws(() => map.fd.number, ClosedError);
});

kernelTest("a closed map never writes into another map's memory", () => {
  const old = createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 }, "old");
  old.set(1, 1);
  old.close();
  using fresh = createMap({ type: "hash", key: u32, value: u32, maxEntries: 10 }, "fresh");
  fresh.set(7, 70);
  assert.throws(() => old.set(7, 99), ClosedError);
  assert.throws(() => old.get(7), ClosedError);
  assert.equal(fresh.get(7), 70);
  assert.deepEqual([...fresh], [[7, 70]]);
});

kernelTest("names are cut to what the kernel takes", () => {
  using map = createMap({ type: "array", value: u32, maxEntries: 1 }, "a name/with spaces and more than 15");
  assert.equal(map.name, "a name/with spaces and more than 15");
  assert.ok(map instanceof KeyedMap);
});

kernelTest("a CPU list that is none is an error that names its file", async () => {
  const child = `
    import { onlineCpus, possibleCpus } from ${JSON.stringify(new URL("../../src/runtime/map/index.js", import.meta.url))};
    for (const read of [possibleCpus, onlineCpus]) try { read(); } catch (error) { console.log(error.message); }`;
  const lists = 'cd "$0" && mount -t tmpfs none . && cd "$0" && echo none > possible && echo all > online && exec "$@"';
  const node = [process.execPath, "--input-type=module", "-e", child];
  const { stdout, stderr } = await run([
    ...["unshare", "--mount", "sh", "-c", lists, "/sys/devices/system/cpu"],
    ...node,
  ]);
  assert.deepEqual(
    [...stdout.matchAll(/^"(\w+)\s+" is not a CPU list; .* in (\S+)\.$/gm)].map(([, text, path]) => [text, path]),
    [
      ["none", "/sys/devices/system/cpu/possible"],
      ["all", "/sys/devices/system/cpu/online"],
    ],
    stderr,
  );
});
