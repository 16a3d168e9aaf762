// Listens to a ring of its own, sends five events, and goes on as its argument says. What it saw goes to stdout at its end.
import {
  Assembler,
  type Infer,
  type Latency,
  loadObject,
  type ObjectSpec,
  RingBufferReader,
  r0,
  r1,
  r2,
  r3,
  u32,
} from "../../../src/sdk/index.ts";

const [what, latency] = process.argv.slice(2) as ["throws" | "unref" | "ref" | "waits", Latency];
const spec = {
  maps: { events: { type: "ringbuf", maxEntries: 65_536 } },
  programs: {
    send: {
      type: "raw_tracepoint",
      license: "Dual MIT/GPL",
      instructions: new Assembler()
        .loadMap(r1, "events")
        .mov(r2, 4)
        .mov(r3, 0)
        .call("ringbuf_reserve")
        .jeq(r0, 0, "full")
        .store("u32", r0, 0, 7)
        .mov(r1, r0)
        .mov(r2, 0)
        .call("ringbuf_submit")
        .label("full")
        .mov(r0, 0)
        .exit()
        .instructions(),
    },
  },
} as const satisfies ObjectSpec;
const object = loadObject(spec);
const seen: Infer<typeof u32>[] = [];
const errors: string[] = [];
/** After this many ticks the reader is closed. */
const TICKS = 20;
let ticks = 0;
process.on("uncaughtException", (error: Error) => errors.push(error.message));
process.on("exit", () => console.log(JSON.stringify({ seen: seen.length, errors, kept: ticks >= TICKS })));

const reader = RingBufferReader.of(object.maps.events, u32, { latency });
reader.listen((event) => {
  seen.push(event);
  if (what === "throws" && seen.length <= 2) throw new Error(`at event ${seen.length}`);
  if (what === "throws" && seen.length === 5) reader.close();
});
if (what !== "unref") for (let i = 0; i < 5; i++) object.programs.send.testRun({ context: new Uint8Array(8) });
if (what === "unref" || what === "ref") reader.unref();
if (what === "ref") reader.ref();
// Does not keep the process alive itself: only what the reader is for does.
const timer = setInterval(() => {
  ticks++;
  if (ticks === TICKS) reader.close();
}, 10);
timer.unref();
