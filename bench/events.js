// npm run bench -- events: many rings read as one, and what a worker thread that reads takes off the main thread.
import { loadStream, RINGS } from "./ring/programs.js";
import { RATE_METRICS, RATE_NOTE, rateColumns, rateName } from "./ring/rate.js";

export const peers = ["debian12", "newest"];

const RING = 4 << 20;
const SMALL_RING = 1 << 20;

/** @param {import("./harness/bench.js").Bench} bench */
export default async function events(bench) {
  await bench.part("fan-in", () => fanIn(bench));
  await bench.part("worker", () => worker(bench));
}

async function fanIn(bench) {
  const object = loadStream("rings", SMALL_RING);
  try {
    const { column, node, c } = rateColumns(bench, "rings", object, SMALL_RING);
    const old = bench.peer("debian12")?.versions;
    const newest = bench.peer("newest")?.versions;
    for (const [rate, burst] of [
      [20_000, 1],
      [100_000, 10],
    ]) {
      await bench.measure({
        name: `${RINGS} rings, ${rateName(rate, burst)}`,
        note: `${RATE_NOTE}\nEach event goes to the next ring.`,
        rounds: 3,
        metrics: RATE_METRICS,
        base: "c",
        columns: [
          column("group", "Skep, one group", "debian12", node("coalesced", "group"), rate, burst),
          column("rings", "Skep, a listener for each", "debian12", node("coalesced", "rings"), rate, burst),
          column("c", `C libbpf ${old?.libbpf}, poll`, "debian12", c("debian12", "poll"), rate, burst),
          column("c-timer", `C libbpf ${old?.libbpf}, every ms`, "debian12", c("debian12", "timer"), rate, burst),
          column("c-new", `C libbpf ${newest?.libbpf}, poll`, "newest", c("newest", "poll"), rate, burst),
        ],
        goals: [
          { metric: "cpu", column: "group", of: "c", atMost: 0.6 },
          // Evenly, no ring by itself is busy enough for its listener to read it on a timer.
          ...(burst === 1 ? [{ metric: "cpu", column: "group", of: "rings", atMost: 0.6 }] : []),
          { metric: "run", column: "group", of: "c", atMost: 0.1 },
        ],
      });
    }
  } finally {
    object.close();
  }
}

async function worker(bench) {
  const object = loadStream("ring", RING);
  try {
    const { column, node } = rateColumns(bench, "ring", object, RING);
    const [rate, burst] = [500_000, 100];
    await bench.measure({
      name: `a worker, ${rateName(rate, burst)}`,
      note: `${RATE_NOTE}\nTwo numbers of each event are summed. main: what the main thread has run.`,
      rounds: 3,
      metrics: { main: { title: "main µs/event" }, ...RATE_METRICS },
      base: "fields",
      columns: [
        column("columns", "Skep, columns by a worker", "debian12", node("coalesced", "columns"), rate, burst),
        column("fields", "Skep, lease on the main thread", "debian12", node("coalesced", "fields"), rate, burst),
        column("objects", "Skep, objects on the main thread", "debian12", node("coalesced", "ring"), rate, burst),
      ],
      goals: [{ metric: "main", column: "columns", of: "objects", atMost: 0.5 }],
    });
  } finally {
    object.close();
  }
}
