// Skep's column of fill and drain.  node consume.js WORK RECORDS CYCLES   (fd 3: the ring, fd 4: the program)
import { BpfMap, Fd, Program, RingBufferReader } from "skep";
import { median } from "../harness/stats.js";
import { Event, EventBig } from "./programs.js";

const WARM_UP = 30;
const [work, recordsText, cyclesText, sizeText] = process.argv.slice(2);
const records = Number(recordsText);
const cycles = Number(cyclesText);
const info = { type: "ringbuf", name: "events", keySize: 0, valueSize: 0, maxEntries: Number(sizeText), flags: 0 };
const map = new BpfMap(new Fd(3, "the ring"), info);
const program = new Program("fill", { type: "socket_filter", instructions: [], license: "" }, new Fd(4, "the program"));

let sum = 0;
let batch = [];
/** The works: each returns how to drain once. */
const works = {
  /** A lease on each record, one field read. */
  touch() {
    const reader = RingBufferReader.with(map, (record) => record.u32(8));
    return () =>
      reader.consume((pid) => {
        sum += pid;
      });
  },
  number: () => objects(Event),
  bigint: () => objects(EventBig),
  /** Objects dropped in the callback. */
  dropped() {
    const reader = RingBufferReader.of(map, Event);
    return () =>
      reader.consume((event) => {
        sum += event.pid;
      });
  },
};

/** Whole objects, kept. */
function objects(layout) {
  const reader = RingBufferReader.of(map, layout);
  return () => {
    batch = [];
    return reader.consume((event) => {
      batch.push(event);
      sum += event.pid;
    });
  };
}

const drain = works[work]();
const packet = new Uint8Array(64);
const times = [];
for (let cycle = -WARM_UP; cycle < cycles; cycle++) {
  program.testRun({ data: packet, repeat: records });
  const start = process.hrtime.bigint();
  const count = drain();
  const end = process.hrtime.bigint();
  if (count !== records) throw new Error(`${count} records of ${records} came`);
  if (cycle >= 0) times.push(Number(end - start) / records);
}
console.log(JSON.stringify({ ns: median(times), min: Math.min(...times), sum }));
