import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, Helper, type Instruction } from "../../object/asm/index.ts";
import { u32, u64 } from "../../object/codec/index.ts";
import type { MapSpec, MapTypeName } from "../../object/spec/index.ts";
import { HELPER_NAMES } from "./helper/index.ts";
import { Machine, MachineError, MachineFault } from "./index.ts";

// Whatever is run, the machine says what is wrong with it in its own words, or the program ends.

const MAPS: readonly MapTypeName[] = [
  "hash",
  "array",
  "percpu_hash",
  "lru_hash",
  "percpu_array",
  "ringbuf",
  "stack_trace",
  "task_storage",
  "queue",
  "prog_array",
  "perf_event_array",
  "array_of_maps",
  "lpm_trie",
];
const maps: Readonly<Record<string, MapSpec>> = Object.fromEntries(
  MAPS.map((type) => [
    type,
    { type, ...(type === "ringbuf" ? {} : { key: u32, value: u64 }), maxEntries: type === "ringbuf" ? 4096 : 1 },
  ]),
);

function runAny(instructions: readonly Instruction[], context: Uint8Array): string {
  try {
    new Machine(
      { maps, programs: { p: { type: "syscall", license: "GPL", instructions } } },
      { maxInstructions: 2000 },
    ).run("p", context);
    return "ended";
  } catch (error) {
    if (error instanceof MachineFault) return error.code;
    if (error instanceof MachineError) return "error";
    throw error;
  }
}

describe("broken programs", () => {
  it("of any bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 8, maxLength: 160 }),
        fc.uint8Array({ maxLength: 64 }),
        (bytes, context) => {
          let instructions: readonly Instruction[];
          try {
            instructions = decode(bytes.subarray(0, bytes.length & ~7));
          } catch {
            return;
          }
          runAny(instructions, context);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("of instructions that there are, with registers and numbers that do not fit together", () => {
    const opcodes = [
      ...[0x04, 0x07, 0x0c, 0x0f].flatMap((base) =>
        [0, 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0].map((op) => base | op),
      ),
      ...[0x05, 0x06, 0x0d, 0x0e].flatMap((base) =>
        [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0xa0, 0xb0, 0xc0, 0xd0].map((op) => base | op),
      ),
      ...[
        0x61, 0x69, 0x71, 0x79, 0x62, 0x6a, 0x72, 0x7a, 0x63, 0x6b, 0x73, 0x7b, 0x81, 0x89, 0x91, 0xc3, 0xdb, 0x95,
        0x8d, 0xd4, 0xdc, 0xd7, 0x20, 0x40,
      ],
    ];
    const calls = HELPER_NAMES.map((name) => Helper[name as keyof typeof Helper]);
    const small = fc.constantFrom(0, 1, -1, 2, 4, 8, -8, -16, 16, 64, 0xe1, 0xf1, 0x7fffffff, -0x80000000);
    const register = fc.integer({ min: 0, max: 10 });
    const plain = fc.record({
      opcode: fc.constantFrom(...opcodes),
      dst: register,
      src: register,
      offset: fc.constantFrom(0, 0, 0, 1, 2, -8, -16, 8, -512),
      imm: small,
    });
    const call = fc.record({
      opcode: fc.constant(0x85),
      dst: fc.constant(0),
      src: fc.constant(0),
      offset: fc.constant(0),
      imm: fc.constantFrom(...calls),
    });
    const map = fc.record({
      opcode: fc.constant(0x18),
      dst: fc.integer({ min: 1, max: 2 }),
      src: fc.constant(1),
      offset: fc.constant(0),
      imm: fc.constant(0),
      map: fc.constantFrom(...MAPS),
    });
    const pointer = fc.record({
      opcode: fc.constant(0xbf),
      dst: fc.integer({ min: 1, max: 5 }),
      src: fc.constant(10),
      offset: fc.constant(0),
      imm: fc.constant(0),
    });
    const below = fc.record({
      opcode: fc.constant(0x07),
      dst: fc.integer({ min: 1, max: 5 }),
      src: fc.constant(0),
      offset: fc.constant(0),
      imm: fc.constantFrom(-8, -16, -64),
    });
    const number = fc.record({
      opcode: fc.constant(0xb7),
      dst: fc.integer({ min: 0, max: 5 }),
      src: fc.constant(0),
      offset: fc.constant(0),
      imm: small,
    });
    const program = fc.array(fc.oneof({ weight: 2, arbitrary: plain }, call, map, pointer, below, number), {
      minLength: 1,
      maxLength: 40,
    });
    const seen = new Map<string, number>();
    const exit: Instruction = { opcode: 0x95, dst: 0, src: 0, offset: 0, imm: 0 };
    fc.assert(
      fc.property(program, (instructions) => {
        // The stack is written, so that helpers come to what they do.
        const stack: Instruction[] = Array.from({ length: 12 }, (_, i) => ({
          opcode: 0x7a,
          dst: 10,
          src: 0,
          offset: -8 * (i + 1),
          imm: i,
        }));
        const end = runAny([...stack, ...instructions, exit], new Uint8Array(64));
        seen.set(end, (seen.get(end) ?? 0) + 1);
      }),
      { numRuns: 4000 },
    );
    // They come to all kinds of ends.
    for (const end of ["ended", "OUT_OF_BOUNDS", "BAD_INSTRUCTION", "BAD_ARGUMENT", "NULL", "UNMAPPED"])
      expect([end, seen.get(end) ?? 0]).not.toEqual([end, 0]);
  });
});
