import { makeDecoder, memoryOf } from "../../object/codec/index.ts";
import { type RingBufferOptions, RingBufferReader } from "../../runtime/event/index.ts";
import type { BpfMap } from "../../runtime/map/index.ts";
import type { PrintFormat } from "./compiled.ts";
import { LiveEvents } from "./live-events.ts";

/** What programs print, as lines: a record has the number of the place that prints, and its values. */
export function livePrints(
  map: BpfMap,
  formats: readonly PrintFormat[],
  options: RingBufferOptions,
): LiveEvents<string> {
  const lines = formats.map(lineOf);
  return new LiveEvents(map, () =>
    RingBufferReader.with(
      map,
      (record) => {
        const line = lines[record.u32(0)];
        return line === undefined ? "" : line(record.copy());
      },
      options,
    ),
  );
}

/** The texts of a format with the values of a record between them. */
function lineOf({ texts, record }: PrintFormat): (bytes: Uint8Array) => string {
  const decode = makeDecoder(record) as (
    memory: ReturnType<typeof memoryOf>,
    offset: number,
  ) => Record<string, unknown>;
  const [, ...fields] = record.kind === "struct" ? record.fields.map(({ name }) => name) : [];
  return (bytes) => {
    const memory = memoryOf(new ArrayBuffer(Math.ceil(Math.max(bytes.length, record.size) / 8) * 8));
    memory.u8.set(bytes);
    const values = decode(memory, 0);
    return texts.map((text, i) => text + (fields[i] === undefined ? "" : String(values[fields[i]]))).join("");
  };
}
