// Reads a stream until its input ends, then prints the stream's books, and whether what it got only rose. A ring or perf buffer
// by its map's id: by a reader, as the one member of a group, or into columns; what a program prints by the program's id; or
// what all programs print.
//
//   consumer.js reader|group|columns|stream|trace ID BYTES
import { once } from "node:events";
import {
  type BpfMap,
  ColumnReader,
  EventGroup,
  type EventReader,
  openMap,
  openProgram,
  PerfBufferReader,
  ProgramStream,
  RingBufferReader,
  TracePipe,
} from "../../../src/sdk/index.ts";
import { Sent } from "../../support/senders.ts";

const [how = "", id = "", bytes = ""] = process.argv.slice(2);
let last = -1;
let rises = true;
const note = (number: number) => {
  rises &&= number > last;
  last = number;
};
/** The number in a line of text; lines without have none. */
const noteLine = (text: string) => {
  const number = /\b(\d+)\b/.exec(text)?.[1];
  if (number !== undefined) note(Number(number));
};
const tell = (books: unknown) => console.log(JSON.stringify({ books, rises }));

function readerOf(map: BpfMap): EventReader<{ number: number }> {
  return map.info.type === "ringbuf"
    ? RingBufferReader.of(map, Sent)
    : PerfBufferReader.of(map, Sent, { bytesPerCpu: Number(bytes) });
}

async function listen<T>(reader: EventReader<T> | EventGroup<T>, visit: (event: T) => void): Promise<void> {
  reader.listen(visit);
  console.log("ready");
  await once(process.stdin, "end");
  // Texts are read in turns: until there are none.
  while (reader.consume(visit) > 0);
  tell(reader.books);
  reader.close();
}

async function readColumns(map: BpfMap): Promise<void> {
  const reader = new ColumnReader(map, Sent, { rows: 100, chunks: 3, bytesPerCpu: Number(bytes) });
  const reading = (async () => {
    for await (const { count, columns } of reader) for (let i = 0; i < count; i++) note(columns.number[i] as number);
  })();
  await reader.books();
  console.log("ready");
  await once(process.stdin, "end");
  for (let books = await reader.books(); books.pendingBytes + books.queued > 0; books = await reader.books())
    await new Promise((resolve) => setTimeout(resolve, 1));
  await reader.close();
  await reading;
  tell(await reader.books());
}

process.stdin.resume();
switch (how) {
  case "stream": {
    using program = openProgram(Number(id));
    await listen(new ProgramStream(program, "stdout", { everyMs: 5 }), noteLine);
    break;
  }
  case "trace":
    await listen(new TracePipe({ kibPerCpu: 64 }), ({ text }) => noteLine(text));
    break;
  default: {
    using map = openMap(Number(id));
    if (how === "columns") {
      await readColumns(map);
    } else if (how === "group") {
      using reader = readerOf(map);
      await listen(new EventGroup([reader]), ({ number }) => note(number));
    } else {
      await listen(readerOf(map), ({ number }) => note(number));
    }
  }
}
