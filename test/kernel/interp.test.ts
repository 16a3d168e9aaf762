// The machine of skep/testing beside the kernel: random programs leave the same registers and memory in both, random uses of
// maps the same answers, and texts are formatted alike.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { argumentsContext, Machine, registersContext, World } from "../../src/language/interp/index.ts";
import { disassemble } from "../../src/object/asm/index.ts";
import { Btf, BtfBuilder } from "../../src/object/btf/index.ts";
import {
  Assembler,
  bytes,
  createMap,
  type Instruction,
  kernelBtf,
  loadObject,
  MapFlag,
  type ObjectSpec,
  openObject,
  type Register,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r9,
  r10,
  u32,
  VerifierError,
  withVariables,
} from "../../src/sdk/index.ts";
import { exampleCommand, printed } from "../support/example.ts";
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

/** Maps of a text that programs may read, of one that they write, and of what a helper gave. */
function textMaps(template: string) {
  const contents = new Uint8Array(TEXT);
  contents.set(new TextEncoder().encode(template));
  const one = { type: "array", key: u32, maxEntries: 1 } as const;
  return {
    template: { ...one, value: bytes(TEXT), flags: MapFlag.rdonly_prog, frozen: true, contents },
    text: { ...one, value: bytes(TEXT) },
    length: { ...one, value: bytes(8) },
  } as const;
}

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
      const spec = {
        maps: textMaps(template),
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

type Write = (a: Assembler) => Assembler;

const at = (a: Assembler, register: Register, offset: number) => a.mov(register, r10).add(register, offset);
const parse =
  (helper: "strtol" | "strtoul", flags = 0): Write =>
  (a) =>
    a.loadMapValue(r1, "template", 0).mov(r2, TEXT).mov(r3, flags).loadMapValue(r4, "text", 0).call(helper);
const readText =
  (size: number): Write =>
  (a) =>
    a.loadMapValue(r3, "template", 0).loadMapValue(r1, "text", 0).mov(r2, size).call("probe_read_kernel_str");
const readAt =
  (
    helper: "probe_read_kernel" | "probe_read_user" | "probe_read_user_str" | "probe_read_kernel_str",
    address: bigint,
  ): Write =>
  (a) =>
    a.loadImm64(r3, address).loadMapValue(r1, "text", 0).mov(r2, 8).call(helper);
/** Calls `turn` so often, which stops at a turn that stands in `text`. */
const loop =
  (turns: number, stop: number, flags = 0): Write =>
  (a) =>
    a
      .loadMapValue(r2, "text", 0)
      .store("u64", r2, 8, stop)
      .mov(r1, turns)
      .loadFunction(r2, "turn")
      .mov(r3, 0)
      .mov(r4, flags)
      .call("loop")
      // Where the verifier puts the loop in place of the call, its errors have 32 bits.
      .mov32(r0, r0);
/** Counts in `text`. */
const turn: Write = (a) =>
  a
    .label("turn")
    .loadMapValue(r2, "text", 0)
    .mov(r3, 1)
    .atomicAdd("u64", r2, 0, r3)
    .load("u64", r3, r2, 8)
    .mov(r0, 0)
    .jne(r1, r3, 1)
    .mov(r0, 1)
    .exit();
/** Types for a program with a callback: the kernel wants to know that it is a function of this file alone. */
function typesOfFunctions() {
  const builder = new BtfBuilder();
  const int = builder.add({
    kind: "int",
    name: "int",
    size: 4,
    bits: 32,
    bitOffset: 0,
    signed: true,
    char: false,
    bool: false,
  });
  const type = builder.add({ kind: "prototype", name: "", result: int, parameters: [] });
  const main = builder.add({ kind: "function", name: "program", type, linkage: "global" });
  const callback = builder.add({ kind: "function", name: "turn", type, linkage: "static" });
  return { btf: Btf.parse(builder.build()), main, callback };
}
const functions = typesOfFunctions();
const withTypes = (instructions: readonly Instruction[]) =>
  instructions.map((instruction, i) => {
    const functionType = i === 0 ? functions.main : instruction.label === "turn" ? functions.callback : undefined;
    return functionType === undefined ? instruction : { ...instruction, functionType };
  });

const push = (a: Assembler, value: number, flags = 0) =>
  at(a.store("u64", r10, -8, value).loadMap(r1, "queue"), r2, -8)
    .mov(r3, flags)
    .call("map_push_elem");
const pop = (a: Assembler) => at(a.store("u64", r10, -8, 99).loadMap(r1, "queue"), r2, -8).call("map_pop_elem");

/** Calls of helpers: a text they may read, and what is called; r0 and the 64 bytes of `text` must be the same. */
const CALLS: readonly (readonly [name: string, template: string, write: Write])[] = [
  ["strtol of a number", "42 rest", parse("strtol")],
  ["strtol of a hexadecimal number", " -0x1F;", parse("strtol")],
  ["strtol of an octal number", "017", parse("strtol")],
  ["strtol of a number with a base", "ff", parse("strtol", 16)],
  ["strtol of a number with another base", "0x7", parse("strtol", 10)],
  ["strtol of no number", "x", parse("strtol")],
  ["strtol of what does not fit", "9223372036854775808", parse("strtol")],
  ["strtol of the smallest", "-9223372036854775808", parse("strtol")],
  ["strtol with a base that is none", "1", parse("strtol", 7)],
  ["strtoul of the largest", "18446744073709551615", parse("strtoul")],
  ["strtoul of what does not fit", "18446744073709551616", parse("strtoul")],
  ["strtoul of a negative number", "-1", parse("strtoul")],
  ["strtoul of a lone prefix", "0x", parse("strtoul")],
  ["text that is read whole", "hello", readText(64)],
  ["text that is cut off", "hello", readText(3)],
  ["text that just fits", "hello", readText(6)],
  ["text of no length", "", readText(8)],
  ["text at null", "", readAt("probe_read_kernel_str", 0n)],
  ["kernel memory at null", "", readAt("probe_read_kernel", 0n)],
  ["user memory at null", "", readAt("probe_read_user", 0n)],
  ["user text at null", "", readAt("probe_read_user_str", 0n)],
  ["user memory at a kernel's address", "", readAt("probe_read_user", 0xffff_ffff_ffff_f000n)],
  ["kernel memory at a user's address", "", readAt("probe_read_kernel", 0x1000n)],
  ["a loop to its end", "", loop(100, 1000)],
  ["a loop that stops", "", loop(100, 9)],
  ["a loop of none", "", loop(0, 0)],
  ["a loop of too many", "", loop(8 * 1024 * 1024 + 1, 1000)],
  ["a loop with flags", "", loop(5, 1000, 1)],
  ["a queue that is full", "", (a) => push(push(push(a, 1), 2), 3)],
  ["a queue that makes room", "", (a) => pop(push(push(push(a, 1), 2), 3, 2)).load("u64", r0, r10, -8)],
  ["a queue that is empty", "", (a) => pop(a)],
  ["a queue that is empty: the value", "", (a) => pop(a).load("u64", r0, r10, -8)],
  ["a queue with flags that there are not", "", (a) => push(a, 1, 4)],
  [
    "strncmp",
    "abd",
    (a) =>
      at(a.store("u32", r10, -4, 0x00636261), r1, -4)
        .mov(r2, 4)
        .loadMapValue(r3, "template", 0)
        .call("strncmp"),
  ],
  [
    "strncmp of the beginning",
    "abd",
    (a) =>
      at(a.store("u32", r10, -4, 0x00636261), r1, -4)
        .mov(r2, 2)
        .loadMapValue(r3, "template", 0)
        .call("strncmp"),
  ],
  [
    "an update with flags that there are not",
    "",
    (a) =>
      at(at(a.store("u64", r10, -8, 0).loadMap(r1, "text"), r2, -8).loadMapValue(r3, "text", 0), r5, 0)
        .mov(r4, 9)
        .call("map_update_elem")
        .mov32(r0, r0),
  ],
  [
    "a removal from an array",
    "",
    (a) =>
      at(a.store("u64", r10, -8, 0).loadMap(r1, "text"), r2, -8)
        .call("map_delete_elem")
        .mov32(r0, r0),
  ],
  [
    "the processor's stack with a size that is none",
    "",
    (a) => a.mov(r1, r9).loadMapValue(r2, "text", 0).mov(r3, 12).mov(r4, 0).call("get_stack"),
  ],
];

kernelTest("helpers give the same answers in the machine and in the kernel", (t) => {
  const refused: string[] = [];
  // Before, what maps answer has 32 bits.
  const whole = kernelIsAtLeast("6.4") ? "mov" : "mov32";
  for (const [name, template, write] of CALLS) {
    const a = write(new Assembler().mov(r9, r1))
      [whole](r6, r0)
      .loadMapValue(r1, "length", 0)
      .store("u64", r1, 0, r6)
      .mov(r0, 0)
      .exit();
    // A function that nothing calls is refused.
    const end = name.startsWith("a loop") ? turn(a) : a;
    const spec = {
      maps: { ...textMaps(template), queue: { type: "queue", value: bytes(8), maxEntries: 2 } },
      programs: {
        program: { type: "raw_tracepoint", license: "GPL", instructions: withTypes(end.instructions()) },
      },
      btf: functions.btf,
    } as const satisfies ObjectSpec;
    using object = loadOrUndefined(() => loadObject(spec));
    if (object === undefined) {
      refused.push(name);
      continue;
    }
    const machine = new Machine(spec);
    machine.run("program", new Uint8Array(16));
    object.programs.program.testRun({ context: new Uint8Array(16) });
    const read = (maps: { length: { get(key: number): unknown }; text: { get(key: number): unknown } }) => [
      words(maps.length.get(0) as Uint8Array),
      words(maps.text.get(0) as Uint8Array),
    ];
    assert.deepEqual(read(machine.maps), read(object.maps), name);
  }
  if (refused.length > 0)
    t.diagnostic(`${refused.length} of ${CALLS.length} are not taken by this kernel: ${refused.join(", ")}`);
  if (kernelIsAtLeast("6.12")) assert.deepEqual(refused, []);
});

kernelTest("objects are fitted to this kernel's types, and walk its structs in the machine's memory", () => {
  const btf = kernelBtf();
  const world = new World({ pid: 42 });
  const objectOf = (name: string) =>
    withVariables(openObject(fileURLToPath(new URL(`../../../examples/${name}.bpf.o`, import.meta.url))), { pid: 42 });

  const reads = new Machine(objectOf("kprobe"), { world, btf });
  const file = world.kernelStruct(btf, "file", { f_path: { dentry: { d_name: { name: "passwd" } } } });
  reads.run("on_read", registersContext({ arch: process.arch as "x64" | "arm64", arguments: [file, 0, 100] }));
  assert.deepEqual([...reads.map("wanted")], [["passwd", 100n]]);

  const lines = new Machine(objectOf("iterator"), { world, btf });
  const task = { pid: 43, tgid: 42, comm: "worker", nvcsw: 11, nivcsw: 2 };
  const meta = world.kernelStruct(btf, "bpf_iter_meta", { seq: {} });
  const { output } = lines.run("show", argumentsContext(meta, world.kernelStruct(btf, "task_struct", task)));
  assert.equal(output, "43 worker: waited 11 times, was interrupted 2 times\n");
  // As it was compiled, the object looks elsewhere.
  const unfitted = new Machine(objectOf("iterator"), { world });
  assert.equal(unfitted.run("show", argumentsContext(meta, world.kernelStruct(btf, "task_struct", task))).output, "");
});

kernelTest("the example of a unit test passes", async () => {
  const stdout = await printed(exampleCommand("unit-test"));
  assert.match(stdout, /^# pass 2$|^ℹ pass 2$/m);
});
