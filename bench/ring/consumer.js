// Skep's consumer at work: what it costs and how late it is.  node consumer.js ring|perf LATENCY SIZE  (fd 3: the map)
// SIGUSR2 begins the count, SIGTERM ends it and prints.
import { inherited } from "./inherited.js";
import { Event } from "./programs.js";

const SAMPLE = 8;
const [kind, latency, size] = process.argv.slice(2);

let events = 0;
let last;
let late = [];
let cpu = process.cpuUsage();
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

const { Reader, map, options } = inherited.stream(kind, 3, Number(size));
const reader = Reader.of(map, Event, { ...options, latency });
reader.listen((event) => {
  last = event;
  if (++events % SAMPLE === 0) late.push((zero + performance.now() * 1e6 - event.ts) / 1000);
});
process.on("SIGUSR2", () => {
  events = 0;
  late = [];
  cpu = process.cpuUsage();
});
process.on("SIGTERM", () => {
  const { user, system } = process.cpuUsage(cpu);
  late.sort((a, b) => a - b);
  const at = (part) => late[Math.floor(late.length * part)] ?? 0;
  console.log(JSON.stringify({ events, cpu: (user + system) / events, p50: at(0.5), p99: at(0.99), last: last?.pid }));
  reader.close();
});
console.log("ready");
