// Skep's consumer at work: what it costs and how late it is.  node consumer.js HOW LATENCY SIZE  (fd 3, …: the maps)
// HOW: ring, perf; rings, each with a listener of its own; group, the same rings as one; columns, by a worker.
// SIGUSR2 begins the count, SIGTERM ends it and prints.
import { readFileSync } from "node:fs";
import { ColumnReader, EventGroup } from "skep";
import { inherited } from "./inherited.js";
import { Event, RINGS } from "./programs.js";

const SAMPLE = 8;
const [how, latency, sizeText] = process.argv.slice(2);
const size = Number(sizeText);

let events = 0;
let last;
let late = [];
let cpu = process.cpuUsage();
let main = mainThread();

/** Microseconds that the main thread has run. */
function mainThread() {
  const [ran] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1").split(" ");
  return Number(ran) / 1000;
}

/** Where performance.now(), which is cheaper to read, has its beginning on the monotonic clock; in ns. */
function beginning() {
  let best = { gap: Number.POSITIVE_INFINITY, at: 0 };
  for (let i = 0; i < 1000; i++) {
    const before = Number(process.hrtime.bigint());
    const now = performance.now() * 1e6;
    const after = Number(process.hrtime.bigint());
    if (after - before < best.gap) best = { gap: after - before, at: (before + after) / 2 - now };
  }
  return best.at;
}
const zero = beginning();
const lateness = (time) => (zero + performance.now() * 1e6 - time) / 1000;

const visit = (event) => {
  last = event;
  if (++events % SAMPLE === 0) late.push(lateness(event.ts));
};

const closeAll = (readers) => {
  for (const reader of readers) reader.close();
};

/** Each way to read; returns what ends it. */
const ways = {
  one() {
    const { Reader, map, options } = inherited.stream(how, 3, size);
    const reader = Reader.of(map, Event, { ...options, latency });
    reader.listen(visit);
    return () => reader.close();
  },
  rings() {
    const readers = inherited.rings(RINGS, size, Event, { latency });
    for (const reader of readers) reader.listen(visit);
    return () => closeAll(readers);
  },
  group() {
    const readers = inherited.rings(RINGS, size, Event, { latency });
    const group = new EventGroup(readers, { latency });
    group.listen(visit);
    return () => closeAll([group, ...readers]);
  },
  columns() {
    const { map } = inherited.stream("ring", 3, size);
    const reader = new ColumnReader(map, Event, { latency });
    const read = async () => {
      let sum = 0;
      for await (const { count, columns } of reader) {
        const { ts, pid, ret } = columns;
        for (let i = 0; i < count; i++) sum += pid[i] + ret[i];
        for (let i = SAMPLE - 1; i < count; i += SAMPLE) late.push(lateness(ts[i]));
        events += count;
      }
      last = { pid: sum };
    };
    void read();
    return () => void reader.close();
  },
  /** The same work as with columns, on the main thread. */
  fields() {
    const { Reader, map } = inherited.stream("ring", 3, size);
    let sum = 0;
    const reader = Reader.with(
      map,
      (record) => {
        sum += record.u32(8) + record.i32(16);
        if (++events % SAMPLE === 0) late.push(lateness(record.u64n(0)));
        last = sum;
      },
      { latency },
    );
    reader.listen(() => {});
    return () => reader.close();
  },
};

const end = ways[how in ways ? how : "one"]();
process.on("SIGUSR2", () => {
  events = 0;
  late = [];
  cpu = process.cpuUsage();
  main = mainThread();
});
process.on("SIGTERM", () => {
  const { user, system } = process.cpuUsage(cpu);
  const ran = mainThread() - main;
  late.sort((a, b) => a - b);
  const at = (part) => late[Math.floor(late.length * part)] ?? 0;
  const all = {
    events,
    cpu: (user + system) / events,
    main: ran / events,
    p50: at(0.5),
    p99: at(0.99),
    last: last?.pid,
  };
  console.log(JSON.stringify(all));
  end();
});
console.log("ready");
