// At a fixed rate: what the consumer costs, what it costs the program whose events they are, and how late it is.
import { cpus } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { tickOf } from "../../dist/runtime/event/wakeup.js";
import { runProgram, start } from "../harness/program.js";
import { streamsOf } from "./programs.js";

/** Enough events for an engine to have compiled what it will compile. */
const WARM_UP = { rate: 200_000, burst: 10, seconds: 1 };
const SECONDS = 1.5;
const path = (file) => fileURLToPath(new URL(file, import.meta.url));

/**
 * The column of a consumer of one kind of stream, `ring`, `rings` or `perf`, of `size` bytes: made of what starts it.
 * @param {import("../harness/bench.js").Bench} bench
 */
export function rateColumns(bench, kind, object, size) {
  const streams = streamsOf(object).map(({ fd }) => fd.number);

  /** Has the producer make events for a while; what one cost it. `attach` makes them, where the program is attached. */
  async function produce(way, rate, burst, seconds) {
    const made = bench.peer("debian12");
    const file = made.build(path("../peers/c/producer.c"));
    const [command, args] = made.command(file, [way, `${rate}`, `${burst}`, `${seconds}`]);
    const producer = start(command, args, {
      fds: [object.programs.repeating.fd.number],
      env: made.env,
      pipe: true,
    });
    await producer.ready;
    // The program sees this process alone (ring/programs.js).
    object.maps.data.set(0, { ...object.maps.data.get(0), only: producer.child.pid });
    const link = way === "call" ? object.programs.traced.attachTracepoint("syscalls:sys_enter_getppid") : undefined;
    try {
      producer.child.stdin.end("go\n");
      return await producer.result;
    } finally {
      link?.close();
    }
  }

  /** A call of getppid(2) with nothing attached. */
  async function bare(rate, burst) {
    const made = bench.peer("debian12");
    const file = made.build(path("../peers/c/producer.c"));
    const [command, args] = made.command(file, ["call", `${rate}`, `${burst}`, "0.3"]);
    const { ns } = await runProgram(command, args, { env: made.env, input: "go\n" });
    return ns;
  }

  const column = (id, title, peer, program, rate, burst) => ({
    id,
    title,
    peer,
    run: async () => {
      const [command, args, env] = program();
      // The last processor is the producer's.
      const others = cpus().length > 1 ? `0-${cpus().length - 2}` : "0";
      const consumer = start("taskset", ["-c", others, command, ...args], { fds: streams, env });
      await consumer.ready;
      const lostBefore = object.maps.data.get(0).dropped;
      const base = await bare(rate, burst);
      await produce("call", WARM_UP.rate, WARM_UP.burst, WARM_UP.seconds);
      await sleep(50);
      consumer.child.kill("SIGUSR2");
      await sleep(20);
      const { events, ns, stalls } = await produce("call", rate, burst, SECONDS);
      await sleep(20);
      const run = await produce("run", rate, burst, SECONDS / 2);
      await sleep(50);
      consumer.child.kill("SIGTERM");
      const got = await consumer.result;
      const lost = object.maps.data.get(0).dropped - lostBefore;
      const made = events + run.events;
      if (got.events + lost < made) throw new Error(`${got.events} events of ${made} came and ${lost} were lost`);
      return {
        cpu: got.cpu,
        main: got.main,
        run: run.ns,
        call: ns - base,
        p50: got.p50,
        p99: got.p99,
        lost,
        stalls,
        events: made,
      };
    },
  });

  const node =
    (latency, how = kind) =>
    () => [process.execPath, [path("consumer.js"), how, latency, `${size}`], process.env];
  const peer = (name, source, args) => () => {
    const made = bench.peer(name);
    return [...made.command(made.build(path(source)), args), made.env];
  };
  const c = (name, way) =>
    peer(name, "../peers/c/consumer.c", [way, `${size}`, `${streams.length}`, `${tickOf(size)}`]);
  const go = (name) => peer(name, "../peers/go/consumer", [kind, `${size}`]);
  return { column, node, c, go };
}

export const RATE_NOTE = [
  "A busy program makes the events: by calls of getppid(2) with a tracepoint, then by running the tracing program.",
  "run: how long the tracing program takes, waking the consumer included; call: what the traced call takes longer.",
].join("\n");

export const RATE_METRICS = {
  cpu: { title: "consumer µs/event" },
  run: { title: "run ns" },
  call: { title: "call ns" },
  p50: { title: "p50 µs" },
  p99: { title: "p99 µs" },
  lost: { title: "lost" },
  stalls: { title: "stalls" },
};

export const rateName = (rate, burst) =>
  `${rate / 1000} 000 events a second, ${burst === 1 ? "evenly" : `${burst} at a time`}`;

/** How the C peers read each kind of buffer: as they do by default, and on a timer as Skep. */
const C_WAYS = { ring: ["poll", "timer"], perf: ["perf", "perf-timer"] };

/**
 * Skep and its peers at rates, through ring buffers or perf buffers.
 * @param {import("../harness/bench.js").Bench} bench
 * @param {{ kind: "ring" | "perf", object: object, size: number, parts: [string, number, number][], goals: (rate: number) => object[] }} what
 */
export async function atRates(bench, { kind, object, size, parts, goals }) {
  const { column, node, c, go } = rateColumns(bench, kind, object, size);
  const old = bench.peer("debian12")?.versions;
  const newest = bench.peer("newest")?.versions;
  const [poll, timer] = C_WAYS[kind];
  for (const [part, rate, burst] of parts) {
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
          column("c", `C libbpf ${old?.libbpf}, poll`, "debian12", c("debian12", poll), rate, burst),
          column(
            "c-timer",
            `C libbpf ${old?.libbpf}, every ${tickOf(size)} ms`,
            "debian12",
            c("debian12", timer),
            rate,
            burst,
          ),
          column("c-new", `C libbpf ${newest?.libbpf}, poll`, "newest", c("newest", poll), rate, burst),
          column("go", `Go cilium/ebpf ${old?.cilium}`, "debian12", go("debian12"), rate, burst),
          column("go-new", `Go cilium/ebpf ${newest?.cilium}`, "newest", go("newest"), rate, burst),
        ],
        goals: goals(rate),
      }),
    );
  }
}

/** @param {import("../harness/bench.js").Bench} bench */
export async function atARate(bench, object, size) {
  await atRates(bench, {
    kind: "ring",
    object,
    size,
    parts: [
      ["20k", 20_000, 1],
      ["100k", 100_000, 10],
      ["100k-bursts", 100_000, 100],
    ],
    goals: (rate) => [
      { metric: "cpu", column: "skep", of: "c", atMost: 0.6 },
      { metric: "run", column: "skep", of: "c", atMost: 0.07 },
      ...(rate === 20_000 ? [{ metric: "p99", column: "low", atMost: 100 }] : []),
    ],
  });
}
