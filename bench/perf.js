// npm run bench -- perf: from the kernel's perf buffers to the reader's callback, beside libbpf and cilium/ebpf.
import { FILL_METRICS, fillColumns, fillNote } from "./ring/fill.js";
import { loadStream } from "./ring/programs.js";
import { RATE_METRICS, RATE_NOTE, rateColumns, rateName } from "./ring/rate.js";

export const peers = ["debian12", "newest"];

const BYTES_PER_CPU = 2 << 20;

/** @param {import("./harness/bench.js").Bench} bench */
export default async function perf(bench) {
  const object = loadStream("perf", 0);
  try {
    await fillAndDrain(bench, object);
    await atARate(bench, object);
  } finally {
    object.close();
  }
}

async function fillAndDrain(bench, object) {
  const { skep, peer } = fillColumns(bench, "perf", object, BYTES_PER_CPU);
  await bench.part("raw", () =>
    bench.measure({
      name: "raw records of 104 bytes",
      note: fillNote("one field of each read"),
      metrics: FILL_METRICS,
      base: "c",
      columns: [
        skep("skep", "Skep, lease", "touch"),
        peer("c", "debian12", "c", "touch"),
        peer("c-new", "newest", "c", "touch"),
        peer("go", "debian12", "go", "touch"),
        peer("go-new", "newest", "go", "touch"),
      ],
      goals: [{ metric: "ns", column: "skep", of: "c", atMost: 1.3 }],
    }),
  );
  for (const [part, program] of [
    ["decoded", "repeating"],
    ["unique", "unique"],
  ]) {
    await bench.part(part, () =>
      bench.measure({
        name: `decoded events, ${program === "unique" ? "no file name twice" : "names repeating (8 × 16)"}`,
        note: fillNote("numbers and both strings of each as an object, all of them kept until the drain is over"),
        metrics: FILL_METRICS,
        base: "c",
        columns: [
          skep("number", "Skep, u64n", "number", program),
          skep("callback", "Skep, u64n, not kept", "callback", program),
          peer("c", "debian12", "c", "strings", program),
          peer("copy", "debian12", "c", "copy", program),
          peer("c-new", "newest", "c", "strings", program),
          peer("go", "debian12", "go", "strings", program),
          peer("go-new", "newest", "go", "strings", program),
        ],
        goals:
          program === "unique"
            ? [{ metric: "ns", column: "number", atMost: 80 }]
            : [{ metric: "ns", column: "number", of: "c", atMost: 1.3 }],
      }),
    );
  }
}

async function atARate(bench, object) {
  const { column, node, c, go } = rateColumns(bench, "perf", object, BYTES_PER_CPU);
  const old = bench.peer("debian12")?.versions;
  const newest = bench.peer("newest")?.versions;
  for (const [part, rate, burst] of [
    ["20k", 20_000, 1],
    ["100k", 100_000, 10],
  ]) {
    await bench.part(part, () =>
      bench.measure({
        name: rateName(rate, burst),
        note: RATE_NOTE,
        rounds: 3,
        metrics: RATE_METRICS,
        base: "c",
        columns: [
          column("skep", "Skep", "debian12", node("coalesced"), rate, burst),
          column("low", 'Skep, latency: "low"', "debian12", node("low"), rate, burst),
          column("c", `C libbpf ${old?.libbpf}, poll`, "debian12", c("debian12", "perf"), rate, burst),
          column("c-timer", `C libbpf ${old?.libbpf}, every ms`, "debian12", c("debian12", "perf-timer"), rate, burst),
          column("c-new", `C libbpf ${newest?.libbpf}, poll`, "newest", c("newest", "perf"), rate, burst),
          column("go", `Go cilium/ebpf ${old?.cilium}`, "debian12", go("debian12"), rate, burst),
          column("go-new", `Go cilium/ebpf ${newest?.cilium}`, "newest", go("newest"), rate, burst),
        ],
        goals: [
          { metric: "run", column: "skep", of: "c", atMost: 0.05 },
          { metric: "cpu", column: "skep", of: "c", atMost: 0.6 },
        ],
      }),
    );
  }
}
