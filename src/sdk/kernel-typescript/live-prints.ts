import { BytesCodec } from "../../object/codec/index.ts";
import { type RecordView, type RingBufferOptions, RingBufferReader } from "../../runtime/event/index.ts";
import type { BpfMap } from "../../runtime/map/index.ts";
import type { PrintFormat } from "./compiled.ts";
import { LiveEvents } from "./live-events.ts";

/** What programs print, as lines. */
export function livePrints(
  map: BpfMap,
  formats: readonly PrintFormat[],
  options: RingBufferOptions,
): LiveEvents<string> {
  return new LiveEvents(map, () => RingBufferReader.with(map, printedLine(formats, String), options));
}

/** Makes lines of printed records, which have the number of the place that prints, and its values; `show` writes a value. */
export function printedLine(
  formats: readonly PrintFormat[],
  show: (value: unknown) => string,
): (record: RecordView) => string {
  const lines = formats.map((format) => lineOf(format, show));
  return (record) => {
    const line = lines[record.u32(0)];
    return line === undefined ? "" : line(record.copy());
  };
}

/** The texts of a format with the values of a record between them. */
export function lineOf(
  { texts, record }: PrintFormat,
  show: (value: unknown) => string,
): (bytes: Uint8Array) => string {
  const codec = new BytesCodec(record);
  const [, ...fields] = record.kind === "struct" ? record.fields.map(({ name }) => name) : [];
  return (bytes) => {
    const values = codec.decode(bytes) as Record<string, unknown>;
    return texts.map((text, i) => text + (fields[i] === undefined ? "" : show(values[fields[i]]))).join("");
  };
}
