// npm run bench -- map: what it costs to look at and to change a map from user space, beside libbpf and cilium/ebpf.
import { fileURLToPath } from "node:url";
import { peerColumn } from "./harness/peer-column.js";
import { runProgram } from "./harness/program.js";
import { BATCH, LARGE, makeMaps, SMALL } from "./map/layouts.js";

export const peers = ["debian12", "newest"];

const path = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Part, what is done, by which operation, to which map, how often in a slice, whether Skep does it with bigints too. */
const MEASURES = [
  ["array", "look-up in an array, u32 → u64", "lookup-int", "array", 20_000, true],
  ["array", "update of an array, u32 → u64", "update-int", "array", 20_000],
  ["hash", "look-up in a hash, u32 → u64", "lookup-int", "hash", 20_000, true],
  ["hash", "update of a hash, u32 → u64", "update-int", "hash", 20_000],
  ["struct", "look-up in a hash, key of 16 and value of 24 bytes", "lookup-struct", "struct", 20_000, true],
  ["struct", "update of a hash, key of 16 and value of 24 bytes", "update-struct", "struct", 20_000],
  ["percpu", "look-up in a per-CPU array, u32 → u64", "lookup-percpu", "percpu", 20_000],
  ["percpu", "update of a per-CPU array, u32 → u64", "update-percpu", "percpu", 20_000],
  ["lru", "look-up in an LRU hash, u32 → u64", "lookup-int", "lru", 20_000],
  ["lru", "update of an LRU hash, u32 → u64", "update-int", "lru", 20_000],
  ["batch", "all of an array in batches, u32 → u64", "lookup-batch-int", "batchArray", BATCH],
  ["batch", "all of a hash in batches, u32 → u64", "lookup-batch-int", "batchHash", BATCH],
  ["batch", "all of a hash in batches, key of 16 and value of 24 bytes", "lookup-batch-struct", "batchStruct", BATCH],
  ["batch", "update of a hash in batches, u32 → u64", "update-batch-int", "batchHash", BATCH],
  ["entries", "entries() of a hash, u32 → u64", "entries-int", "batchHash", BATCH],
  ["entries", "entries() of a hash, key of 16 and value of 24 bytes", "entries-struct", "batchStruct", BATCH],
  ["next-key", "all of a hash key by key, u32 → u64", "next-key-int", "batchHash", BATCH],
  ["mmap", "reading a mapped array of 8 KiB, u64, in order", "read-memory", "small", 1_000_000],
  ["mmap", "reading a mapped array of 8 MiB, u64, in no order", "read-memory-anywhere", "large", 1_000_000],
  ["mmap", "writing a mapped array of 8 KiB, u64, in order", "write-memory", "small", 1_000_000],
];
const ENTRIES = { small: SMALL, large: LARGE };

/** @param {import("./harness/bench.js").Bench} bench */
export default async function map(bench) {
  const maps = makeMaps();
  try {
    for (const [part, name, operation, of, count, bigint] of MEASURES)
      await bench.part(part, () => measure(bench, maps[of], { part, name, operation, of, count, bigint }));
  } finally {
    for (const one of Object.values(maps)) one.close();
  }
}

/** What is asked of Skep, beside C and Go. */
function goalsOf(part) {
  if (part === "entries") return [{ metric: "ns", column: "skep", of: "c", atMost: 1.1 }];
  // Loops over very many numbers have the typed array; get() and set() check each index and value.
  if (part === "mmap")
    return [
      { metric: "ns", column: "wide", of: "c", atMost: 1.2 },
      { metric: "ns", column: "wide", of: "go", atMost: 0.7, floor: "c" },
    ];
  if (part === "next-key") return [{ metric: "ns", column: "skep", of: "c", atMost: 1.25 }];
  return [
    { metric: "ns", column: "skep", of: "c", atMost: 1.2 },
    { metric: "ns", column: "skep", of: "go", atMost: 0.7, floor: "c" },
  ];
}

async function measure(bench, map, { part, name, operation, of, count, bigint = false }) {
  const fds = [map.fd.number];
  const skep = (id, title, what) => ({
    id,
    title,
    run: () => runProgram(process.execPath, [path("map/operate.js"), what, of, `${count}`], { fds }),
  });
  const peer = (id, suite, language) =>
    peerColumn(
      bench,
      { id, suite, language, program: "map", args: [operation, `${ENTRIES[of] ?? BATCH}`, `${count}`] },
      (command, args, env) => runProgram(command, args, { fds, env }),
    );
  await bench.measure({
    name,
    metrics: { ns: { title: /batch|entries|next-key/.test(operation) ? "ns/entry" : "ns" } },
    base: "c",
    columns: [
      skep("skep", "Skep", operation),
      ...(part === "mmap"
        ? [
            skep("typed", "Skep, its typed array", `${operation}-typed`),
            skep("wide", "Skep, its typed array, 16 a turn", `${operation}-typed-wide`),
          ]
        : []),
      ...(bigint ? [skep("bigint", "Skep, bigint", `${operation}-big`)] : []),
      peer("c", "debian12", "c"),
      peer("c-new", "newest", "c"),
      peer("go", "debian12", "go"),
      peer("go-new", "newest", "go"),
    ],
    goals: goalsOf(part),
  });
}
