import { describe, expect, it } from "vitest";
import { partsOf, probedElf } from "../../../test/support/probed-elf.ts";
import { findSymbols, matchSymbols, readUsdtPlaces } from "./index.ts";

const probe = { provider: "app", name: "start", argumentText: "-4@%edi", address: 0x1210 };

describe.each([
  { bits: 64, little: true },
  { bits: 64, little: false },
  { bits: 32, little: true },
  { bits: 32, little: false },
] as const)("an ELF of $bits bits, little-endian: $little", ({ bits, little }) => {
  it("has its probes with their places in the file", () => {
    const bytes = probedElf({
      bits,
      little,
      probes: [probe, { ...probe, name: "end", argumentText: "", address: 0x12ff, semaphore: 0x3302 }],
    });
    const { places, tables } = readUsdtPlaces(partsOf(bytes));
    expect(places).toEqual([
      { ...probe, fileOffset: 0x210, semaphoreOffset: undefined },
      { provider: "app", name: "end", argumentText: "", address: 0x12ff, fileOffset: 0x2ff, semaphoreOffset: 0x302 },
    ]);
    expect([tables.bits, tables.little, tables.machine, tables.movable]).toEqual([bits, little, 62, true]);
  });

  it("moves addresses as the base section was moved", () => {
    const bytes = probedElf({
      bits,
      little,
      base: [0x5000, 0x5100],
      probes: [{ ...probe, address: 0x1110, semaphore: 0x3202 }],
    });
    const { places } = readUsdtPlaces(partsOf(bytes));
    expect(places[0]).toMatchObject({ address: 0x1210, fileOffset: 0x210, semaphoreOffset: 0x302 });
    const back = probedElf({ bits, little, base: [0x5100, 0x5000], probes: [{ ...probe, address: 0x1310 }] });
    expect(readUsdtPlaces(partsOf(back)).places[0]).toMatchObject({ address: 0x1210, fileOffset: 0x210 });
  });

  it("has functions by name and by what fits", () => {
    const read = partsOf(probedElf({ bits, little, probes: [], symbol: ["work", 0x1220] }));
    const place = { address: 0x1220, fileOffset: 0x220, size: 16 };
    expect([...findSymbols(read, new Set(["work", "wor", "works"]))]).toEqual([["work", place]]);
    expect([...matchSymbols(read, (name) => name.startsWith("w"))]).toEqual([["work", place]]);
    expect(matchSymbols(read, () => false).size).toBe(0);
  });
});

describe("a file that contradicts itself", () => {
  const elf = (one: object) => partsOf(probedElf({ bits: 64, probes: [{ ...probe, ...one }] }));

  it.each([
    ["a probe outside of what is loaded", elf({ address: 0x9000 }), /app:start is said to be at 0x9000/],
    ["a counter outside of what is loaded", elf({ semaphore: 0x9000 }), /counter of probe app:start/],
    ["no ELF file", partsOf(new Uint8Array(64)), /does not begin with/],
    [
      "a class that there is not",
      partsOf(Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 3, ...new Array(59).fill(0)])),
      /class 3/,
    ],
  ])("%s", (_, read, message) => {
    expect(() => readUsdtPlaces(read)).toThrow(
      expect.objectContaining({ code: "SKEP_ELF", message: expect.stringMatching(message) }),
    );
  });

  it("notes that are cut short, or have too few texts", () => {
    const whole = probedElf({ bits: 64, probes: [probe] });
    const size = new DataView(whole.buffer);
    const longer = whole.slice();
    new DataView(longer.buffer).setUint32(0x404, 0xffff, true);
    expect(() => readUsdtPlaces(partsOf(longer))).toThrow(/beyond its end/);
    const shorter = whole.slice();
    new DataView(shorter.buffer).setUint32(0x404, size.getUint32(0x404, true) - 9, true);
    expect(() => readUsdtPlaces(partsOf(shorter))).toThrow(/three texts/);
  });

  it("a note of somebody else is left alone", () => {
    const other = probedElf({ bits: 64, probes: [probe] });
    new DataView(other.buffer).setUint32(0x408, 1, true);
    expect(readUsdtPlaces(partsOf(other)).places).toEqual([]);
  });
});
