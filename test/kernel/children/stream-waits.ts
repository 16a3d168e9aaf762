// Listens to a ring or perf buffer of its own, sends five events, and goes on as its argument says. What it saw goes to stdout
// at its end.
import { type Infer, type Latency, PerfBufferReader, RingBufferReader } from "../../../src/sdk/index.ts";
import { perfSender, ringSender, Sent, send } from "../../support/senders.ts";

const [kind, what, latency] = process.argv.slice(2) as ["ring" | "perf", "throws" | "unref" | "ref" | "waits", Latency];
const object = kind === "ring" ? ringSender(65_536) : perfSender();
const seen: Infer<typeof Sent>[] = [];
const errors: string[] = [];
/** After this many ticks the reader is closed. */
const TICKS = 20;
let ticks = 0;
process.on("uncaughtException", (error: Error) => errors.push(error.message));
process.on("exit", () => console.log(JSON.stringify({ seen: seen.length, errors, kept: ticks >= TICKS })));

const reader = (kind === "ring" ? RingBufferReader : PerfBufferReader).of(object.maps.events, Sent, { latency });
reader.listen((event) => {
  seen.push(event);
  if (what === "throws" && seen.length <= 2) throw new Error(`at event ${seen.length}`);
  if (what === "throws" && seen.length === 5) reader.close();
});
if (what !== "unref") send(object, 5);
if (what === "unref" || what === "ref") reader.unref();
if (what === "ref") reader.ref();
// Does not keep the process alive itself: only what the reader is for does.
const timer = setInterval(() => {
  ticks++;
  if (ticks === TICKS) reader.close();
}, 10);
timer.unref();
