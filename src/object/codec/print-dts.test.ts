import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { Btf, BtfBuilder } from "../btf/index.ts";
import { readObject } from "../spec/index.ts";
import { printDts } from "./print-dts.ts";

describe("TypeScript declarations", () => {
  it("say how values of an object's types read", () => {
    const file = fileURLToPath(new URL("../../../test/fixtures/objects/maps.el.o", import.meta.url));
    const { btf } = readObject(new Uint8Array(readFileSync(file)));
    const id = btf?.find("value", "struct");
    if (btf === undefined || id === undefined) throw new Error("no struct value");
    const text = printDts(btf, [id, btf.find("key", "struct") ?? 0, btf.find("u64", "typedef") ?? 0]);
    expect(text).toContain(
      "export interface value {\n  readonly count: bigint;\n  readonly name: string;\n  readonly colour: number;\n  readonly bits: Uint8Array;\n}",
    );
    expect(text).toContain("export interface key {\n  readonly a: number;\n  readonly b: bigint;\n}");
    expect(text).toContain("export type u64 = bigint;");
  });

  it("tell the values of enums", () => {
    const builder = new BtfBuilder();
    const values = [
      { name: "RED", value: 0n },
      { name: "BLUE", value: 1n },
    ];
    builder.add({ kind: "enum64", name: "colour", size: 8, signed: false, values });
    expect(printDts(Btf.parse(builder.build()), [1])).toBe(
      "/**\n * `enum colour`\n * - `RED` = 0\n * - `BLUE` = 1\n */\nexport type colour = 0n | 1n | (bigint & {});\n",
    );
  });

  it("have names that TypeScript takes, and arrays, flags and the members of unnamed structs", () => {
    const builder = new BtfBuilder();
    const int = {
      kind: "int",
      name: "int",
      size: 4,
      bits: 32,
      bitOffset: 0,
      signed: true,
      char: false,
      bool: false,
    } as const;
    builder.add(int);
    builder.add({ ...int, name: "bool", size: 1, bits: 8, signed: false, bool: true });
    builder.add({ kind: "array", name: "", element: 1, index: 1, length: 2 });
    builder.add({ kind: "array", name: "", element: 3, index: 1, length: 2 });
    const at = (name: string, type: number, byte: number) => ({ name, type, bitOffset: byte * 8, bitSize: 0 });
    builder.add({ kind: "struct", name: "", size: 8, members: [at("x", 1, 0), at("flag", 2, 4)] });
    builder.add({ kind: "struct", name: "class", size: 24, members: [at("", 5, 0), at("grid", 4, 8)] });
    builder.add({ kind: "typedef", name: "bad*/name", type: 5 });
    const btf = Btf.parse(builder.build());
    expect(printDts(btf, [6, 7])).toBe(
      [
        "/** `struct class`, 24 bytes. */\nexport interface class_2 {\n  readonly x: number;\n  readonly flag: boolean;\n  readonly grid: readonly (readonly number[])[];\n}\n",
        "/** `struct bad__name`, 8 bytes. */\nexport interface bad__name {\n  readonly x: number;\n  readonly flag: boolean;\n}\n",
      ].join("\n"),
    );
  });
});
