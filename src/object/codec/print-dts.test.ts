import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { INT } from "../../../test/support/btf-types.ts";
import { Btf, BtfBuilder } from "../btf/index.ts";
import { readObject } from "../spec/index.ts";
import { DtsPrinter } from "./print-dts.ts";

describe("TypeScript declarations", () => {
  it("say how values of an object's types read", () => {
    const file = fileURLToPath(new URL("../../../test/fixtures/objects/maps.el.o", import.meta.url));
    const { btf } = readObject(new Uint8Array(readFileSync(file)));
    const id = btf?.find("value", "struct");
    if (btf === undefined || id === undefined) throw new Error("no struct value");
    const printer = new DtsPrinter(btf, ["key"]);
    expect(printer.typeOf(id)).toBe("value");
    // A name that is taken gets a number; one that was asked for before is not declared again.
    expect([printer.typeOf(btf.find("key", "struct") ?? 0), printer.typeOf(id)]).toEqual(["key_2", "value"]);
    expect(printer.typeOf(btf.find("u64", "typedef") ?? 0)).toBe("bigint");
    expect(printer.declarations).toEqual([
      "/** `struct value`, 24 bytes. */\nexport interface value {\n  count: bigint;\n  name: string;\n  colour: number;\n  bits: { low: number; high: number; };\n}",
      "/** `struct key`, 16 bytes. */\nexport interface key_2 {\n  a: number;\n  b: bigint;\n}",
    ]);
  });

  it("tell the values of enums", () => {
    const builder = new BtfBuilder();
    const values = [
      { name: "RED", value: 0n },
      { name: "BLUE", value: 1n },
    ];
    builder.add({ kind: "enum64", name: "colour", size: 8, signed: false, values });
    const printer = new DtsPrinter(Btf.parse(builder.build()));
    expect(printer.typeOf(1)).toBe("colour");
    expect(printer.declarations).toEqual([
      "/** `enum colour`: RED = 0, BLUE = 1 */\nexport type colour = 0n | 1n | (bigint & {});",
    ]);
  });

  it("have names that TypeScript takes, and arrays, flags and the members of unnamed structs", () => {
    const builder = new BtfBuilder();
    builder.add(INT);
    builder.add({ ...INT, name: "bool", size: 1, bits: 8, signed: false, bool: true });
    builder.add({ kind: "array", name: "", element: 1, index: 1, length: 2 });
    builder.add({ kind: "array", name: "", element: 3, index: 1, length: 2 });
    const at = (name: string, type: number, byte: number) => ({ name, type, bitOffset: byte * 8, bitSize: 0 });
    builder.add({ kind: "struct", name: "", size: 8, members: [at("x", 1, 0), at("flag", 2, 4)] });
    builder.add({ kind: "struct", name: "class", size: 24, members: [at("", 5, 0), at("grid", 4, 8)] });
    builder.add({ kind: "union", name: "bad*/name", size: 8, members: [at("a-b", 1, 0), at("c", 5, 0)] });
    const printer = new DtsPrinter(Btf.parse(builder.build()));
    expect([printer.typeOf(6), printer.typeOf(7), printer.typeOf(4)]).toEqual([
      "class_",
      "bad__name",
      "Array<number[]>",
    ]);
    expect(printer.declarations).toEqual([
      "/** `struct class`, 24 bytes. */\nexport interface class_ {\n  x: number;\n  flag: boolean;\n  grid: Array<number[]>;\n}",
      '/** `union bad*_/name`, 8 bytes. */\nexport interface bad__name {\n  "a-b"?: number;\n  c?: { x: number; flag: boolean; };\n}',
    ]);
  });
});
