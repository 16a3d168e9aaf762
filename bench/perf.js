// npm run bench -- perf: from the kernel's perf buffers to the reader's callback, beside libbpf and cilium/ebpf.
import { FILL_METRICS, fillColumns, fillNote } from "./ring/fill.js";
import { loadStream } from "./ring/programs.js";
import { atRates } from "./ring/rate.js";

export const peers = ["debian12", "newest"];

const BYTES_PER_CPU = 2 << 20;

/** @param {import("./harness/bench.js").Bench} bench */
export default async function perf(bench) {
  const object = loadStream("perf", 0);
  try {
    await fillAndDrain(bench, object);
    await atRates(bench, {
      kind: "perf",
      object,
      size: BYTES_PER_CPU,
      parts: [
        ["20k", 20_000, 1],
        ["100k", 100_000, 10],
      ],
      goals: () => [
        { metric: "run", column: "skep", of: "c", atMost: 0.05 },
        { metric: "cpu", column: "skep", of: "c", atMost: 0.6 },
      ],
    });
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
