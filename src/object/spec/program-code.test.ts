import { describe, expect, it } from "vitest";
import { Assembler, encode, r0, r1, r2 } from "../asm/index.ts";
import { decodeProgram, encodeProgram } from "./program-code.ts";

const program = () => {
  const a = new Assembler();
  a.loadImm64(r2, 7)
    .loadMap(r1, "events")
    .jeq(r0, 0, "end")
    .loadMapValue(r1, "control", 16)
    .loadMapValue(r1, "control");
  return a.label("end").mov(r0, 0).exit().instructions();
};

describe("a program's code", () => {
  it("keeps the places of maps, counted in slots", () => {
    expect(encodeProgram(program()).maps).toEqual([
      { slot: 2, map: "events" },
      { slot: 5, map: "control", valueOffset: 16 },
      { slot: 7, map: "control", valueOffset: 0 },
    ]);
  });

  it("decodes to instructions that encode to the same code", () => {
    const code = encodeProgram(program());
    const again = decodeProgram(code);
    expect(encodeProgram(again)).toEqual(code);
    expect(encode(again)).toEqual(code.bytes);
    expect(again.map(({ map }) => map).filter(Boolean)).toEqual(["events", "control", "control"]);
  });
});
