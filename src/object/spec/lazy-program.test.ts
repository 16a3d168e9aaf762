import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { Instruction } from "../asm/index.ts";
import { lazyOf, rawOf, withCode, withInstructions } from "./lazy-program.ts";
import type { ObjectSpec, ProgramSpec } from "./object-spec.ts";
import { encodeProgram } from "./program-code.ts";
import { readObject } from "./read/read-object.ts";

const folder = fileURLToPath(new URL("../../../test/fixtures/objects/", import.meta.url));
const objects = readdirSync(folder).filter((name) => name.endsWith(".o"));
const read = (name: string): ObjectSpec => readObject(new Uint8Array(readFileSync(`${folder}${name}`)));
const aProgram = (): ProgramSpec => Object.values(read("core.el.o").programs)[0] as ProgramSpec;
const replaced: readonly Instruction[] = [{ opcode: 0x95, dst: 0, src: 0, offset: 0, imm: 0 }];

const changeable = ({ instructions }: ProgramSpec) => instructions as unknown as { imm: number; imm64: bigint }[];

describe("a program whose instructions nobody looked at", () => {
  for (const name of objects) {
    it(`is loaded as they say: ${name}`, () => {
      const programs = Object.entries(read(name).programs);
      expect(programs.length).toBeGreaterThan(0);
      for (const [program, spec] of programs) {
        const raw = rawOf(spec);
        if (raw === undefined) throw new Error(`${program} has been looked at`);
        const { bytes, maps } = encodeProgram(spec.instructions);
        expect(new Uint8Array(raw.words.buffer)).toEqual(bytes);
        const named = raw.marks.filter(({ instruction }) => instruction.map !== undefined);
        expect(named.map(({ slot }) => slot)).toEqual(maps.map(({ slot }) => slot));
        // Lines and functions begin where the instructions say.
        let slot = 0;
        const starts: number[][] = [[], []];
        for (const { opcode, source, functionType } of spec.instructions) {
          if (source !== undefined) starts[0]?.push(slot, ((source.line << 10) | source.column) >>> 0);
          if (functionType !== undefined) starts[1]?.push(slot, functionType);
          slot += opcode === 0x18 ? 2 : 1;
        }
        const every = (words: Uint32Array, width: number, picked: readonly number[]) =>
          [...words].filter((_, i) => picked.includes(i % width));
        expect(every(raw.lines, 4, [0, 3])).toEqual(starts[0]);
        expect(every(raw.functions, 2, [0, 1])).toEqual(starts[1]);
      }
    });
  }

  it("is loaded from its instructions once somebody had them", () => {
    const spec = aProgram();
    expect(rawOf(spec)).toBeDefined();
    const { instructions } = spec;
    expect(rawOf(spec)).toBeUndefined();
    expect(spec.instructions).toBe(instructions);
  });

  it("or set them", () => {
    const spec = aProgram() as { instructions: readonly Instruction[] } & ProgramSpec;
    spec.instructions = replaced;
    expect(rawOf(spec)).toBeUndefined();
    expect(spec.instructions).toBe(replaced);
  });

  it("keeps what it is when its other properties are set", () => {
    const spec = aProgram() as { license: string } & ProgramSpec;
    spec.license = "GPL";
    expect(rawOf(spec)).toBeDefined();
    expect(spec.license).toBe("GPL");
  });

  it("is plain data in copies, as text and printed", () => {
    const spec = aProgram();
    const { instructions, ...rest } = aProgram();
    expect(Object.keys(spec).sort()).toEqual([...Object.keys(rest), "instructions"].sort());
    const copies = [{ ...aProgram() }, structuredClone(aProgram())];
    for (const copy of copies) {
      expect(rawOf(copy)).toBeUndefined();
      expect(copy).toEqual({ ...rest, instructions });
      expect(Object.getOwnPropertyDescriptor(copy, "instructions")).toHaveProperty("value");
      expect(Reflect.ownKeys(copy).filter((key) => typeof key === "symbol")).toEqual([]);
    }
    const small = { ...rest, instructions: instructions.filter(({ imm64 }) => imm64 === undefined) };
    expect(JSON.parse(JSON.stringify({ ...aProgram(), instructions: small.instructions }))).toEqual(
      JSON.parse(JSON.stringify(small)),
    );
    expect(inspect(spec, { depth: 4 })).toContain("opcode:");
    expect(inspect(spec, { depth: 4 })).not.toMatch(/Getter|Symbol/);
    expect(Object.isFrozen(Object.freeze(aProgram()))).toBe(true);
    expect(Object.freeze(aProgram()).instructions).toEqual(instructions);
  });

  it("can get others that are made once, when they are looked at, with other code", () => {
    const spec = aProgram();
    const code = encodeProgram(replaced);
    let made = 0;
    const make = () => {
      made++;
      return replaced;
    };
    const other = withInstructions(withCode(spec, code), { make, made: undefined, raw: undefined });
    expect(rawOf(spec)).toBeDefined();
    expect([rawOf(other), made]).toEqual([undefined, 0]);
    expect(lazyOf(other).make).toBe(make);
    expect([other.instructions, other.instructions, made]).toEqual([replaced, replaced, 1]);
    expect(lazyOf(other).make).toBeUndefined();
    const { code: own, ...rest } = other;
    expect(own).toBe(code);
    expect({ ...rest, instructions: [] }).toEqual({ ...spec, instructions: [] });
  });

  it("cannot be shown as other than what is loaded", () => {
    const spec = aProgram();
    expect(() => Object.defineProperty(spec, "instructions", { value: [] })).toThrow(TypeError);
    const frozen = Object.freeze(aProgram()) as { instructions: readonly Instruction[] };
    expect(() => {
      frozen.instructions = [];
    }).toThrow(TypeError);
    expect(rawOf(spec)).toBeDefined();
    expect(rawOf(frozen)).toBeDefined();
  });

  it("has instructions of its own, also those of a function that others call", () => {
    for (const name of objects) {
      const { programs } = read(name);
      const [first, ...others] = Object.keys(programs);
      for (const instruction of changeable(programs[first as string] as ProgramSpec)) {
        instruction.imm = 77;
        instruction.imm64 = 77n;
      }
      const fresh = read(name).programs;
      for (const other of others) expect(programs[other]?.instructions).toEqual(fresh[other]?.instructions);
    }
  });

  it("does not change with the bytes that it was read from", () => {
    const bytes = new Uint8Array(readFileSync(`${folder}maps.el.o`));
    const { programs } = readObject(bytes);
    bytes.fill(0);
    for (const [name, spec] of Object.entries(programs))
      expect(spec.instructions).toEqual(read("maps.el.o").programs[name]?.instructions);
  });
});
