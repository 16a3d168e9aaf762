// The machine of skep/testing beside the kernel: random programs leave the same registers and memory in both, random uses of
// maps the same answers, and texts are formatted alike.
import assert from "node:assert/strict";
import { Machine } from "../../src/language/interp/index.ts";
import { disassemble } from "../../src/object/asm/index.ts";
import {
  Assembler,
  bytes,
  createMap,
  type Instruction,
  loadObject,
  type ObjectSpec,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r10,
  u32,
  VerifierError,
} from "../../src/sdk/index.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";
import {
  type Abilities,
  INPUT_WORDS,
  OUTPUT_WORDS,
  Random,
  randomProgram,
  SCRATCH_WORDS,
} from "../support/random-program.ts";

const PACKET = new Uint8Array(14);

/** Another seed with each day, so that runs add up; a failure tells it. */
const firstSeed = Math.floor(Date.now() / 86_400_000) * 100_000;

const words = (bytes: Uint8Array) =>
  Array.from(new BigUint64Array(bytes.slice().buffer), (word) => `0x${word.toString(16)}`);

kernelTest("random programs leave the same registers and stack in the machine and in the kernel", () => {
  const abilities: Abilities = {
    fetch: kernelIsAtLeast("5.12"),
    v4: kernelIsAtLeast("6.6"),
    signedDivision: kernelIsAtLeast("6.12"),
  };
  const specs = {
    input: { type: "array", key: u32, value: bytes(INPUT_WORDS * 8), maxEntries: 1 },
    output: { type: "array", key: u32, value: bytes(OUTPUT_WORDS * 8), maxEntries: 1 },
    scratch: { type: "array", key: u32, value: bytes(SCRATCH_WORDS * 8), maxEntries: 1 },
  } as const;
  using scratch = createMap(specs.scratch, "scratch");
  using input = createMap(specs.input, "input");
  using output = createMap(specs.output, "output");
  let instructions = 0;
  for (let i = 0; i < pace(400, 40); i++) {
    const seed = firstSeed + i;
    const program = { type: "socket_filter", license: "GPL", instructions: randomProgram(seed, abilities) } as const;
    const spec = { maps: specs, programs: { program } } as const satisfies ObjectSpec;
    const machine = new Machine(spec);
    using object = loadObject(spec, { maps: { input, output, scratch } });
    const random = new Random(seed);
    for (let run = 0; run < 4; run++) {
      const given = new Uint8Array(BigUint64Array.from({ length: INPUT_WORDS }, () => random.word()).buffer);
      const start = new Uint8Array(BigUint64Array.from({ length: SCRATCH_WORDS }, () => random.word()).buffer);
      input.set(0, given);
      scratch.set(0, start);
      machine.maps.scratch.set(0, start);
      machine.maps.input.set(0, given);
      object.programs.program.testRun({ data: PACKET });
      instructions += machine.run("program").instructions;
      assert.deepEqual(
        [words(machine.maps.output.get(0) as Uint8Array), words(machine.maps.scratch.get(0) as Uint8Array)],
        [words(output.get(0) as Uint8Array), words(scratch.get(0) as Uint8Array)],
        `seed ${seed}, run ${run}, input ${words(given).join()}:\n${disassemble(program.instructions, { slots: true })}`,
      );
    }
  }
  assert.ok(instructions > 10_000);
});

const KEYS = 6;
const STEPS = 40;

/**
 * Updates, look-ups and removals, each answer put down: what a look-up finds, what the others return (as 32 bits: before Linux 6.4
 * no more is set).
 */
function mapProgram(random: Random): readonly Instruction[] {
  const a = new Assembler();
  for (let step = 0; step < STEPS; step++) {
    a.store("u32", r10, -4, random.below(KEYS)).store("u64", r10, -16, random.below(1000));
    a.loadMap(r1, "tested").mov(r2, r10).add(r2, -4);
    switch (random.below(4)) {
      case 0:
      case 1:
        a.mov(r3, r10)
          .add(r3, -16)
          .mov(r4, random.pick([0, 0, 1, 2, 3]))
          .call("map_update_elem")
          .mov32(r6, r0);
        break;
      case 2:
        a.call("map_delete_elem").mov32(r6, r0);
        break;
      default:
        a.call("map_lookup_elem").mov(r6, -1).jeq(r0, 0, `none ${step}`).load("u64", r6, r0, 0);
        a.mov(r7, random.below(1000)).atomicAdd("u64", r0, 0, r7).label(`none ${step}`).mov(r0, 0);
    }
    a.loadMapValue(r1, "answers", 0).store("u64", r1, step * 8, r6);
  }
  return a.mov(r0, 0).exit().instructions();
}

kernelTest("random uses of maps give the same answers in the machine and in the kernel", () => {
  for (const type of ["hash", "array", "percpu_hash", "percpu_array"] as const) {
    for (let i = 0; i < pace(40, 6); i++) {
      const seed = firstSeed + i;
      const spec = {
        maps: {
          tested: { type, keySize: 4, valueSize: 8, maxEntries: 4 },
          answers: { type: "array", key: u32, value: bytes(STEPS * 8), maxEntries: 1 },
        },
        programs: {
          program: { type: "socket_filter", license: "GPL", instructions: mapProgram(new Random(seed)) },
        },
      } as const satisfies ObjectSpec;
      const machine = new Machine(spec);
      machine.run("program");
      using object = loadObject(spec);
      object.programs.program.testRun({ data: PACKET });
      assert.deepEqual(
        words(machine.maps.answers.get(0) as Uint8Array),
        words(object.maps.answers.get(0) as Uint8Array),
        `${type}, seed ${seed}:\n${disassemble(spec.programs.program.instructions)}`,
      );
    }
  }
});

kernelTest("a ring is full in the machine when it is in the kernel", { map: "ringbuf" }, () => {
  for (let i = 0; i < pace(20, 3); i++) {
    const random = new Random(firstSeed + i);
    const a = new Assembler();
    for (let step = 0; step < STEPS; step++) {
      const size = random.pick([1, 7, 8, 9, 100, 500, 1000]);
      a.loadMap(r1, "ring").mov(r2, size).mov(r3, 0).call("ringbuf_reserve").mov(r6, 0).jeq(r0, 0, `full ${step}`);
      a.mov(r6, 1).store("u8", r0, 0, 1).mov(r1, r0).mov(r2, 1);
      a.call(random.below(4) === 0 ? "ringbuf_discard" : "ringbuf_submit")
        .label(`full ${step}`)
        .mov(r0, 0);
      a.loadMapValue(r1, "answers", 0).store("u64", r1, step * 8, r6);
    }
    const spec = {
      maps: {
        ring: { type: "ringbuf", maxEntries: 4096 },
        answers: { type: "array", key: u32, value: bytes(STEPS * 8), maxEntries: 1 },
      },
      programs: {
        program: { type: "socket_filter", license: "GPL", instructions: a.mov(r0, 0).exit().instructions() },
      },
    } as const satisfies ObjectSpec;
    const machine = new Machine(spec);
    machine.run("program");
    using object = loadObject(spec);
    object.programs.program.testRun({ data: PACKET });
    const answers = words(object.maps.answers.get(0) as Uint8Array);
    assert.deepEqual(words(machine.maps.answers.get(0) as Uint8Array), answers);
    assert.equal(machine.maps.ring.dropped, answers.filter((answer) => answer === "0x0").length);
    assert.ok(machine.maps.ring.dropped > 0);
  }
});

/** Undefined where the verifier refuses the program. */
function loadOrUndefined<T>(load: () => T): T | undefined {
  try {
    return load();
  } catch (error) {
    if (error instanceof VerifierError) return undefined;
    throw error;
  }
}

/** Formats with their values. */
const FORMATS: readonly (readonly [template: string, values: readonly bigint[]])[] = [
  ["plain", []],
  ["100%%", []],
  ["%d %i", [-1n, 0xffffffffn]],
  ["%u|%x|%X", [-1n, 0xabcdefn, 0xabcdefn]],
  ["%ld %lu %lx", [-1n, -1n, -1n]],
  ["%lld %llu %llx", [1n << 63n, 1n << 63n, 1n << 63n]],
  ["[%5d][%-5d][%05d]", [42n, 42n, -42n]],
  ["[%+d][% d]", [42n, 42n]],
  ["[%10u][%-10x]", [7n, 0xffn]],
  ["%d %d", [1n]],
  ["%q", [1n]],
  ["%c%c", [0x41n, 0x62n]],
  ["%px", [0x1234n]],
];
const TEXT = 64;

kernelTest(
  "text is formatted in the machine as in the kernel",
  { kernel: "5.13", unless: kernelIsAtLeast("5.13") ? undefined : "bpf_snprintf needs Linux 5.13" },
  () => {
    for (const [template, values] of FORMATS) {
      // What the verifier looks at itself: it refuses such formats before they run.
      const a = new Assembler();
      for (const [i, value] of values.entries())
        a.loadImm64(r1, BigInt.asUintN(64, value)).store("u64", r10, -96 + i * 8, r1);
      a.loadMapValue(r1, "text", 0).mov(r2, TEXT).loadMapValue(r3, "template", 0);
      if (values.length === 0) a.mov(r4, 0);
      else a.mov(r4, r10).add(r4, -96);
      a.mov(r5, values.length * 8)
        .call("snprintf")
        .loadMapValue(r1, "length", 0)
        .store("u64", r1, 0, r0);
      const contents = new Uint8Array(TEXT);
      contents.set(new TextEncoder().encode(template));
      const one = { type: "array", key: u32, maxEntries: 1 } as const;
      const spec = {
        maps: {
          template: { ...one, value: bytes(TEXT), flags: 1 << 7, frozen: true, contents },
          text: { ...one, value: bytes(TEXT) },
          length: { ...one, value: bytes(8) },
        },
        programs: {
          program: { type: "raw_tracepoint", license: "GPL", instructions: a.mov(r0, 0).exit().instructions() },
        },
      } as const satisfies ObjectSpec;
      const machine = new Machine(spec);
      machine.run("program");
      const answer = () => words(machine.maps.length.get(0) as Uint8Array)[0];
      using object = loadOrUndefined(() => loadObject(spec));
      if (object === undefined) {
        assert.equal(answer(), "0xffffffffffffffea", `the kernel refuses "${template}"`);
        continue;
      }
      object.programs.program.testRun();
      assert.equal(answer(), words(object.maps.length.get(0) as Uint8Array)[0], template);
      assert.equal(
        Buffer.from(machine.maps.text.get(0) as Uint8Array).toString(),
        Buffer.from(object.maps.text.get(0) as Uint8Array).toString(),
        template,
      );
    }
  },
);
