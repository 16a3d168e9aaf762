// Skep's column of fill and drain.  node consume.js ring|perf WORK RECORDS CYCLES SIZE  (fd 3: the map, fd 4: the program)
import { median } from "../harness/stats.js";
import { inherited } from "./inherited.js";
import { Event, EventBig } from "./programs.js";

const WARM_UP = 30;
const [kind, work, recordsText, cyclesText, sizeText] = process.argv.slice(2);
const records = Number(recordsText);
const cycles = Number(cyclesText);
const { Reader, map, options } = inherited.stream(kind, 3, Number(sizeText));
const program = inherited.program(4);

let sum = 0;
let batch = [];
let last;
/** The works: each returns how to drain once. */
const works = {
  /** A lease on each record, one field read. */
  touch() {
    const reader = Reader.with(map, (record) => record.u32(8), options);
    return () =>
      reader.consume((pid) => {
        sum ^= pid;
      });
  },
  /** The bytes of each record, copied. */
  copy() {
    const reader = Reader.raw(map, options);
    return () =>
      reader.consume((bytes) => {
        sum ^= bytes[8];
      });
  },
  number: () => objects(Event),
  bigint: () => objects(EventBig),
  /** Objects handed to the callback, each forgotten at the next. */
  callback() {
    const reader = Reader.of(map, Event, options);
    return () =>
      reader.consume((event) => {
        last = event;
        sum ^= event.pid;
      });
  },
};

/** Whole objects, kept until the drain is over. */
function objects(layout) {
  const reader = Reader.of(map, layout, options);
  return () => {
    const kept = new Array(records);
    let count = 0;
    reader.consume((event) => {
      kept[count++] = event;
      sum ^= event.pid;
    });
    batch = kept;
    return count;
  };
}

const drain = works[work]();
// What a run of another column left behind: Go runs the program again when a signal cuts a run short.
drain();
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
console.log(JSON.stringify({ ns: median(times), min: Math.min(...times), sum, kept: batch.length, last: last?.pid }));
