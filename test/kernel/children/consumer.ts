// Listens to a ring or perf buffer by its map's id, until it is told to end; then prints its books, and whether the numbers
// of its records only rose.
import { once } from "node:events";
import { openMap, PerfBufferReader, RingBufferReader } from "../../../src/sdk/index.ts";
import { Sent } from "../../support/senders.ts";

const [, , id, bytes] = process.argv;
using map = openMap(Number(id));
using reader =
  map.info.type === "ringbuf"
    ? RingBufferReader.of(map, Sent)
    : PerfBufferReader.of(map, Sent, { bytesPerCpu: Number(bytes) });
let last = -1;
let rises = true;
const visit = ({ number }: { number: number }) => {
  rises &&= number > last;
  last = number;
};
reader.listen(visit);
console.log("ready");
await once(process.stdin, "data");
reader.consume(visit);
console.log(JSON.stringify({ books: reader.books, rises }));
