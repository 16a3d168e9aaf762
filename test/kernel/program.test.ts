// From a specification to live programs, and what is said when it does not come to that.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { encodeProgram } from "../../src/object/spec/index.ts";
import {
  Assembler,
  ClosedError,
  createMap,
  loadObject,
  type ObjectSpec,
  ProgramFlag,
  type ProgramSpec,
  r0,
  r1,
  r2,
  r3,
  r4,
  r6,
  r10,
  SystemError,
  UnknownMapError,
  u32,
  u64,
  VerifierError,
} from "../../src/sdk/index.ts";
import { run } from "../support/cli.ts";
import { kernelTest } from "../support/kernel-test.ts";

const program = (write: (a: Assembler) => Assembler, more: Partial<ProgramSpec> = {}): ProgramSpec => ({
  type: "socket_filter",
  license: "GPL",
  instructions: write(new Assembler()).instructions(),
  ...more,
});
const one = (p: ProgramSpec, maps: ObjectSpec["maps"] = {}): ObjectSpec => ({ maps, programs: { p } });
const empty = program((a) => a.mov(r0, 0).exit());

/** The error of loading an object that must not load. */
function refusal(spec: ObjectSpec): Error & { code?: string } {
  try {
    loadObject(spec).close();
  } catch (error) {
    assert.ok(error instanceof Error);
    return error;
  }
  return assert.fail("it loaded");
}

// ---------------------------------------------------------------------------------------------------------------------
// Refused by the verifier

kernelTest("a verifier error shows the failing instruction and the end of the log", () => {
  const error = refusal(one(program((a) => a.mov(r0, 0).mov(r6, r4).exit())));
  assert.ok(error instanceof VerifierError);
  assert.deepEqual([error.code, error.errno, error.program, error.instruction], ["EACCES", 13, "p", 1]);
  const lines = error.message.split("\n");
  assert.match(lines[0] as string, /^The verifier refused program "p" \(EACCES\): R4 (?:!read_ok|is not readable)$/);
  const stopped = lines.indexOf("  stopped at 1: r6 = r4");
  assert.deepEqual(lines.slice(1, stopped), [
    "  what: R4 is read and was never given a value on this path.",
    "  mend: Give the variable a value on every path. After a call R1 to R5 are gone; a function that returns nothing leaves R0 unset.",
  ]);
  assert.equal(lines[stopped + 1], "  the end of its log:");
  assert.match(error.message, /1 *[:|] \(bf\) r6 = r4/);
  assert.ok(!/processed \d+ insns/.test(error.message), "statistics are not for people");
  assert.match(error.log, /processed \d+ insns/);
});

kernelTest("the failing instruction is found behind instructions of two slots", () => {
  const spec = one(
    program((a) => a.loadImm64(r2, 1n).loadMap(r1, "m").loadImm64(r3, 2n).store("u64", r1, 0, r2).mov(r0, 0).exit()),
    { m: { type: "array", value: u64, maxEntries: 1 } },
  );
  const error = refusal(spec);
  assert.ok(error instanceof VerifierError);
  assert.equal(error.instruction, 6);
  assert.match(error.message, /stopped at 6: \*\(u64 \*\)\(r1 \+ ?0\) = r2/);
});

kernelTest("a licence that is not GPL refuses helpers that want it, in the kernel's words", () => {
  const prints = (license: string) =>
    one(
      program(
        (a) => a.mov(r1, r10).add(r1, -8).store("u64", r10, -8, 0).mov(r2, 8).call("trace_printk").mov(r0, 0).exit(),
        { license },
      ),
    );
  const error = refusal(prints("MIT"));
  assert.ok(error instanceof VerifierError);
  assert.match(error.message, /GPL/);
  loadObject(prints("Dual MIT/GPL")).close();
});

kernelTest("a loop without end, a wild pointer and a missing exit are refused with a log", () => {
  const bad: [string, ProgramSpec, RegExp][] = [
    ["loop", program((a) => a.label("l").mov(r0, 0).ja("l").exit()), /loop|back-edge|unreachable|insn/],
    ["pointer", program((a) => a.loadImm64(r1, 0x1234n).load("u64", r0, r1, 0).exit()), /R1 invalid mem access/],
    ["exit", program((a) => a.mov(r0, 0)), /last insn is not an exit|jump out of range/],
    ["bounds", program((a) => a.store("u64", r10, -520, 0).mov(r0, 0).exit()), /invalid write to stack|invalid stack/],
  ];
  for (const [name, spec, expected] of bad) {
    const error = refusal(one(spec));
    assert.ok(error instanceof VerifierError, `${name}: ${error}`);
    assert.match(error.log, expected, name);
  }
});

kernelTest("a log larger than the first buffer is there as a whole", () => {
  const count = 9000;
  const error = refusal(
    one(
      program((a) => {
        for (let i = 0; i < count; i++) a.mov(r0, i);
        return a.mov(r6, r4).exit();
      }),
    ),
  );
  assert.ok(error instanceof VerifierError);
  assert.ok(error.log.length > 64 * 1024, String(error.log.length));
  assert.match(error.log, /^0: \(b7\) r0 = 0/m);
  assert.equal(error.instruction, count);
  assert.match(error.message, new RegExp(`stopped at ${count}: r6 = r4`));
  // The message is for people all the same.
  assert.ok(error.message.split("\n").length < 20, error.message);
});

// ---------------------------------------------------------------------------------------------------------------------
// Refused before the verifier

kernelTest("a program that refers to a map the object lacks is told which there are", () => {
  const refers = (name: string) => program((a) => a.loadMap(r1, name).mov(r0, 0).exit());
  const maps = { counts: { type: "array", value: u64, maxEntries: 1 } } as const;
  const error = refusal(one(refers("count"), maps));
  assert.ok(error instanceof UnknownMapError);
  assert.equal(error.code, "SKEP_UNKNOWN_MAP");
  assert.match(
    error.message,
    /^Program "p" refers to map "count", which the object does not have \(it has: counts\)\.$/,
  );
  assert.match(refusal(one(refers("x"))).message, /it has: none/);
  // Names that every object has in JavaScript are no maps.
  for (const name of ["toString", "__proto__", "constructor"]) {
    assert.ok(refusal(one(refers(name), maps)) instanceof UnknownMapError, name);
  }
});

kernelTest("an empty program and one that is too long are refused with the limits", () => {
  for (const count of [0, 1_000_001]) {
    const instructions = new Array<(typeof empty.instructions)[0]>(count).fill(empty.instructions[0] as never);
    const error = refusal(one({ ...empty, instructions }));
    assert.ok(error instanceof SystemError, String(error));
    assert.equal(error.code, "E2BIG");
    assert.match(error.message, new RegExp(`load program "p" \\(socket_filter, ${count} instructions\\)`));
    assert.match(error.message, /at least one instruction, and at most a million/);
  }
});

kernelTest("what the kernel calls invalid without a log is an error with a hint", () => {
  const error = refusal(one({ ...empty, flags: 1 << 30 }));
  assert.ok(error instanceof SystemError, String(error));
  assert.equal(error.code, "EINVAL");
  assert.match(error.message, /An attribute or a flag does not suit the program's type, or is newer than this kernel/);
});

kernelTest("when one program fails, the maps and programs before it are closed again", () => {
  // That nothing is left open is what kernelTest looks at.
  const spec: ObjectSpec = {
    maps: { a: { type: "array", value: u64, maxEntries: 1 }, b: { type: "hash", key: u32, value: u64, maxEntries: 1 } },
    programs: { good: empty, bad: program((a) => a.mov(r0, r4).exit()) },
  };
  assert.ok(refusal(spec) instanceof VerifierError);
  const badMap: ObjectSpec = {
    ...spec,
    maps: { ...spec.maps, c: { type: "hash", keySize: 0, valueSize: 4, maxEntries: 1 } },
  };
  assert.ok(refusal(badMap) instanceof SystemError);
});

// ---------------------------------------------------------------------------------------------------------------------
// Loaded

kernelTest("maps that are given are used, and stay their owner's", () => {
  const counts = { type: "array", value: u64, maxEntries: 1 } as const;
  const adds = program((a) => a.loadMapValue(r1, "counts", 0).mov(r2, 1).atomicAdd("u64", r1, 0, r2).mov(r0, 0).exit());
  using map = createMap(counts, "mine");
  const object = loadObject({ maps: { counts }, programs: { p: adds } }, { maps: { counts: map } });
  assert.equal(object.maps.counts as unknown, map);
  object.programs.p.testRun({ data: new Uint8Array(14), repeat: 3 });
  object.close();
  object.close();
  assert.equal(map.get(0), 3n);
});

kernelTest("a test run gives back the return value, the packet and the mean time", () => {
  using object = loadObject({
    maps: {},
    programs: {
      pass: program((a) => a.mov(r0, 2).exit(), { type: "xdp" }),
      // Writes 0xff over the first byte of the packet.
      edit: program(
        (a) =>
          a
            .load("u32", r2, r1, 0)
            .load("u32", r3, r1, 4)
            .mov(r4, r2)
            .add(r4, 1)
            .jgt(r4, r3, "out")
            .store("u8", r2, 0, 0xff)
            .label("out")
            .mov(r0, 3)
            .exit(),
        { type: "xdp" },
      ),
    },
  });
  const data = Uint8Array.from({ length: 64 }, (_, i) => i);
  const pass = object.programs.pass.testRun({ data, repeat: 10 });
  assert.equal(pass.retval, 2);
  assert.equal(pass.dataOut, undefined);
  assert.ok(Number.isInteger(pass.durationNs) && pass.durationNs >= 0);
  const edit = object.programs.edit.testRun({ data, dataOutSize: 64 });
  assert.equal(edit.retval, 3);
  assert.deepEqual([...(edit.dataOut ?? [])], [0xff, ...data.subarray(1)]);
});

kernelTest(
  "a test run gives a syscall program's context as it left it, and changes no other",
  { kernel: "5.14" },
  () => {
    const add = (a: Assembler) => a.load("u32", r2, r1, 4).add(r2, 1).store("u32", r1, 4, r2).mov(r0, 0).exit();
    using object = loadObject({
      maps: {},
      programs: { p: program(add, { type: "syscall", flags: ProgramFlag.sleepable }) },
    });
    const context = new Uint8Array(Uint32Array.of(7, 41).buffer);
    const words = ({ contextOut }: { contextOut: Uint8Array | undefined }) =>
      contextOut && [...new Uint32Array(contextOut.buffer)];
    assert.deepEqual(words(object.programs.p.testRun({ context, contextOutSize: 8 })), [7, 42]);
    assert.deepEqual(words(object.programs.p.testRun({ context, contextOutSize: 4 })), [7]);
    assert.equal(object.programs.p.testRun({ context }).contextOut, undefined);
    assert.deepEqual([...new Uint32Array(context.buffer)], [7, 41]);
  },
);

// 5.10 runs XDP programs over three bytes, too.
kernelTest("a test run that cannot be is an error that says so", { kernel: "6.1" }, () => {
  using object = loadObject({
    maps: {},
    programs: { p: program((a) => a.mov(r0, 2).exit(), { type: "xdp" }), k: { ...empty, type: "kprobe" } },
  });
  assert.throws(
    () => object.programs.p.testRun({ data: new Uint8Array(3) }),
    /^SystemError: Cannot run program "p": .*EINVAL/,
  );
  assert.throws(
    () => object.programs.k.testRun(),
    /^SystemError: Cannot run program "k": .* Programs of type kprobe cannot be test-run on this kernel\.$/,
  );
});

kernelTest("a program knows what the kernel counted for it", () => {
  using object = loadObject(one(empty));
  const stats = object.programs["p"]?.stats();
  assert.equal(stats?.recursionMisses, 0n);
  assert.equal(typeof stats?.runCount, "bigint");
  assert.equal(typeof stats?.runTimeNs, "bigint");
});

kernelTest("a closed program says so", () => {
  const object = loadObject({ maps: {}, programs: { p: empty } });
  object.close();
  assert.throws(() => object.programs.p.testRun(), /^ClosedError: program "p" is closed/);
  assert.throws(() => object.programs.p.stats(), ClosedError);
});

kernelTest("names that the kernel does not take are made such that it does", () => {
  using object = loadObject({
    maps: { "a map/of mine with a long name": { type: "array", value: u64, maxEntries: 1 } },
    programs: { "my-program: the first": empty, é: empty },
  });
  assert.deepEqual(Object.keys(object.programs), ["my-program: the first", "é"]);
});

kernelTest("the same program loads from its instructions and from its code", () => {
  const a = new Assembler().loadMapValue(r1, "counts", 0).mov(r2, 1).atomicAdd("u64", r1, 0, r2).mov(r0, 7).exit();
  const instructions = a.instructions();
  const maps = { counts: { type: "array", value: u64, maxEntries: 1 } } as const;
  const spec = { type: "socket_filter", license: "GPL", instructions } as const;
  using object = loadObject({ maps, programs: { p: spec, q: { ...spec, code: encodeProgram(instructions) } } });
  for (const p of [object.programs.p, object.programs.q]) {
    assert.equal(p.testRun({ data: new Uint8Array(14) }).retval, 7);
  }
  assert.equal(object.maps.counts.get(0), 2n);
});

kernelTest("signals do not keep a program from loading", async () => {
  const child = fileURLToPath(new URL("../children/signals.js", import.meta.url));
  const { code, stdout, stderr } = await run([process.execPath, child]);
  assert.deepEqual([code, stdout], [0, "done\n"], stderr);
});
