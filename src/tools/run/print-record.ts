import type { PrintSite } from "../../language/compiler/index.ts";
import type { RecordView } from "../../sdk/index.ts";
import { printLine } from "./view/print-line.ts";

type FieldType = PrintSite["record"]["fields"][number]["type"];

/** The line of a printed record: its site's texts with the record's values between them. */
export function printedLine(record: RecordView, sites: readonly PrintSite[]): string {
  const number = record.u32(0);
  const site = sites[number];
  if (site === undefined) throw new Error(`the compiled program has no print number ${number}`);
  const [only = ""] = site.texts;
  if (site.texts.length === 1) return only;
  // The first field is the site's number.
  const values = site.record.fields.slice(1).map(({ offset, type }) => fieldValue(record, offset, type));
  return printLine(site.texts, values);
}

function fieldValue(record: RecordView, offset: number, type: FieldType): unknown {
  switch (type.kind) {
    case "bool":
      return record.u8(offset) !== 0;
    case "str":
      return record.text(offset, type.size);
    case "int": {
      const bytes = record.copy(offset, type.bits / 8);
      if (type.bigEndian !== true) bytes.reverse();
      const value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      return type.signed ? BigInt.asIntN(type.bits, value) : value;
    }
    default:
      throw new Error(`a ${type.kind} is not printed`);
  }
}
