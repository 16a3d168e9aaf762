// Objects compiled by clang (test/fixtures/objects): read, fitted to this kernel, loaded and run.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { release } from "node:os";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Btf } from "../../src/object/btf/index.ts";
import { parseElf } from "../../src/object/elf/index.ts";
import {
  Assembler,
  encodeProgram,
  type KeyedMap,
  loadObject,
  type ObjectSpec,
  type PreparedProgram,
  type ProgramSpec,
  prepareObject,
  r0,
  readObject,
  VerifierError,
  withVariables,
} from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { fixture } from "../support/objects.ts";

kernelTest("an object finds the kernel's fields, sizes, types and enums wherever they are (CO-RE)", () => {
  using object = loadObject(fixture("core.el"), { variables: { wanted: process.pid } });
  using link = object.programs["on_enter"]?.attachRawTracepoint("sys_enter");
  process.umask();
  link?.close();
  const read = (name: string) => object.variables[name]?.get();
  const btf = Btf.parse(readFileSync("/sys/kernel/btf/vmlinux"));
  const task = btf.find("task_struct", "struct");
  assert.ok(task !== undefined);
  const [major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)\.(\d+)/.exec(release()) ?? []).slice(1).map(Number);
  const names = ["tgid", "leader_tgid", "flavour_tgid", "field_exists", "missing_exists", "flavour_missing_exists"];
  assert.deepEqual(names.map(read), [process.pid, process.pid, process.pid, 1, 0, 0]);
  assert.deepEqual(["comm_size", "tgid_size", "task_size", "task_exists", "struct_exists"].map(read), [
    16,
    4,
    btf.sizeOf(task),
    1,
    0,
  ]);
  assert.equal(read("task_id"), task);
  assert.deepEqual(["hash_exists", "hash_value", "no_such_exists"].map(read), [1, 1, 0]);
  assert.equal(read("version"), (major << 16) + (minor << 8) + Math.min(255, patch));
  assert.deepEqual(["no_such_option", "symbol_exists"].map(read), [0, 0]);
  assert.match(String(read("comm")), /^node/);
  // The two functions that count are called as often as the program runs. Their adding is not atomic, and other threads make
  // system calls, too: it is counted where nobody else runs it.
  const counted = () => [Number(read("runs")), Number(read("total"))];
  const [runs = 0, total = 0] = counted();
  assert.ok(runs > 0 && total > 5 && total <= 5 + 2 * runs, `${runs} runs, ${total} in total`);
  for (let i = 0; i < 10; i++) object.programs["on_enter"]?.testRun();
  assert.deepEqual(counted(), [runs + 10, total + 20]);
});

kernelTest(
  "global variables are set before the load, read and written after it, and const ones are then read-only",
  () => {
    const spec = fixture("core.el");
    const changed = withVariables(spec, { wanted: 7, total: -3, comm: "abc" });
    using object = loadObject(changed, { variables: { runs: 12n } });
    const { wanted, total, comm, runs, tgid } = object.variables;
    assert.deepEqual([wanted?.get(), total?.get(), comm?.get(), runs?.get(), tgid?.get()], [7, -3, "abc", 12n, 0]);
    total?.set(99);
    comm?.set("0123456789abcde");
    assert.deepEqual([total?.get(), comm?.get(), runs?.get()], [99, "0123456789abcde", 12n]);
    assert.throws(() => wanted?.set(8), { code: "EPERM" });
    assert.throws(() => total?.set("text"), { code: "SKEP_VARIABLE" });
    assert.throws(() => total?.set(2 ** 40), { code: "SKEP_VARIABLE" });
    assert.throws(() => loadObject(spec, { variables: { none: 1 } }), {
      code: "SKEP_VARIABLE",
      message: /no variable "none" \(it has: /,
    });
    // The spec that it was made from is as it was.
    using again = loadObject(spec);
    assert.deepEqual([again.variables["wanted"]?.get(), again.variables["total"]?.get()], [0, 5]);
  },
);

kernelTest("keys and values of a map are typed by the object's types", () => {
  using object = loadObject(fixture("maps.el"), { pinPath: false });
  const typed = object.maps["typed"] as unknown as KeyedMap<{ a: number; b: bigint }, unknown>;
  assert.equal(typed.get({ a: 1, b: 2n }), undefined);
  const value = { count: 2n ** 63n, name: "abc", colour: 2, bits: { low: 3, high: 30 } };
  typed.set({ a: 1, b: 2n }, value);
  assert.deepEqual(typed.get({ a: 1, b: 2n }), value);
  const kept = object.maps["kept"] as unknown as KeyedMap<number, bigint>;
  kept.set(2, 5n);
  assert.deepEqual(
    [...kept.entries()],
    [
      [0, 0n],
      [1, 0n],
      [2, 5n],
      [3, 0n],
    ],
  );
});

kernelTest("a program that reaches what the kernel lacks is refused, and the others are loaded", () => {
  const spec = fixture("core.el");
  assert.throws(() => loadObject(spec, { programs: ["poisoned"] }), { name: "VerifierError" });
  using object = loadObject(spec);
  assert.deepEqual(Object.keys(object.programs), ["on_enter"]);
  assert.throws(() => loadObject(spec, { programs: ["none"] }), {
    code: "SKEP_OBJECT",
    message: /has no program "none" \(it has: on_enter, poisoned\)/,
  });
});

kernelTest("an object is fitted to the kernel without being loaded", () => {
  const prepared = prepareObject(fixture("core.el"));
  const program = prepared["on_enter"];
  assert.ok(program !== undefined);
  assert.equal(program.code.bytes.length % 8, 0);
  assert.ok((program.info?.functions.length ?? 0) / 8 === 4, "four functions");
  assert.ok((program.info?.lines.length ?? 0) > 0);
  assert.ok(program.code.maps.some(({ map, valueOffset }) => map === ".kconfig" && valueOffset === 4));
});

kernelTest("an object is fitted the same whether its instructions were looked at or not", () => {
  const folder = new URL("../../../test/fixtures/objects/", import.meta.url);
  const names = readdirSync(folder).flatMap((name) => /^(.*\.el)\.o$/.exec(name)?.[1] ?? []);
  let compared = 0;
  for (const name of names) {
    const whole = fixture(name);
    for (const program of Object.keys(whole.programs)) {
      const fitted = (spec: ObjectSpec) => {
        try {
          const { code, info, instructions, attach, modules } = prepareObject(spec, { programs: [program] })[
            program
          ] as PreparedProgram;
          return { code, info, instructions, attach: attach?.id, modules };
        } catch (error) {
          return error instanceof Error ? error.message : error;
        }
      };
      const unseen = fixture(name);
      const seen = fixture(name);
      assert.ok((seen.programs[program]?.instructions.length ?? 0) > 0);
      assert.deepEqual(fitted(unseen), fitted(seen), `${name} ${program}`);
      // Twice, as nothing of the spec was changed by it.
      assert.deepEqual(fitted(unseen), fitted(seen), `${name} ${program}, again`);
      compared++;
    }
  }
  assert.ok(compared > 40, `only ${compared} programs`);
});

kernelTest("a change to the instructions of an object is what is loaded", () => {
  const spec = fixture("maps.el");
  const name = "target";
  const program = spec.programs[name];
  assert.equal(program?.type, "socket_filter");
  const instructions = new Assembler().mov(r0, 5).exit().instructions();
  const changed: ObjectSpec = { ...spec, programs: { [name]: { ...program, instructions } } };
  using object = loadObject(changed, { pinPath: false, programs: [name] });
  assert.equal(object.programs[name]?.testRun({ data: new Uint8Array(64) }).retval, 5);
  assert.deepEqual(object.programs[name]?.spec.instructions, instructions);
});

kernelTest("the verifier refuses a register that there is not, and says so", () => {
  const file = new Uint8Array(readFileSync(new URL("../../../test/fixtures/objects/refused.el.o", import.meta.url)));
  const name = "never_written";
  const { sections, symbols } = parseElf(file);
  const symbol = symbols.find((one) => one.name === name);
  const at = (sections[symbol?.section ?? 0]?.data.byteOffset ?? 0) + (symbol?.value ?? 0);
  // Its first instruction reads r15 from then on.
  file[at] = 0xbf;
  file[at + 1] = 0xf1;
  const broken = readObject(file);
  const load = () => loadObject(broken, { programs: [name], pinPath: false });
  const isRefused = (error: unknown) => {
    assert.ok(error instanceof VerifierError);
    assert.match(error.log, /R15 is invalid/);
    return true;
  };
  assert.throws(load, isRefused);
  // Looked at or not.
  assert.equal(broken.programs[name]?.instructions[0]?.src, 15);
  assert.throws(load, isRefused);
});

kernelTest("a loaded program's spec is its own: the object's may be changed and loaded again", () => {
  const spec = fixture("maps.el");
  const program = spec.programs["target"] as { attachTo?: string; instructions: ProgramSpec["instructions"] };
  using object = loadObject(spec, { pinPath: false, programs: ["target"] });
  const loaded = object.programs["target"]?.spec as ProgramSpec;
  program.attachTo = "elsewhere";
  program.instructions = [];
  assert.equal(loaded.attachTo, undefined);
  assert.deepEqual(loaded.instructions, fixture("maps.el").programs["target"]?.instructions);
  assert.equal(loaded.code?.bytes.length, encodeProgram(loaded.instructions).bytes.length);
});

kernelTest("a prepared program is plain data, and writing to it changes nothing of the object", () => {
  const spec = fixture("maps.el");
  const prepare = () => prepareObject(spec, { programs: ["entry"] })["entry"] as PreparedProgram;
  const first = prepare();
  assert.deepEqual(Object.keys({ ...first }).sort(), ["attach", "code", "info", "instructions", "member", "modules"]);
  const copy = structuredClone(first);
  for (const bytes of [first.code.bytes, first.info?.lines, first.info?.functions]) bytes?.fill(0);
  assert.deepEqual(structuredClone(prepare()), copy);
  assert.deepEqual(spec.programs["entry"]?.instructions, fixture("maps.el").programs["entry"]?.instructions);
});

kernelTest("what is loaded or prepared does not keep the kernel's types it was fitted with", async () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const types = readFileSync("/sys/kernel/btf/vmlinux");
  const kept: unknown[] = [];
  const keepFitted = (look: boolean) => {
    const kernelBtf = Btf.parse(types);
    const spec = fixture("core.el");
    if (look) assert.ok((spec.programs["on_enter"]?.instructions.length ?? 0) > 0);
    const object = loadObject(spec, { kernelBtf });
    const prepared = prepareObject(fixture("core.el"), { kernelBtf });
    kept.push(object.programs["on_enter"], prepared["on_enter"]);
    object.close();
    return new WeakRef(kernelBtf);
  };
  const refs = [keepFitted(false), keepFitted(true)];
  // A WeakRef keeps its target to the end of the turn.
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  assert.deepEqual(
    refs.map((ref) => ref.deref() === undefined),
    [true, true],
  );
  assert.equal(kept.length, 4);
});

kernelTest("an object of the other byte order is refused with what to compile for", () => {
  assert.throws(() => loadObject(fixture("core.eb")), { code: "SKEP_OBJECT", message: /big-endian.*-target bpfel/ });
});

kernelTest("maps in maps, programs in maps and functions by address are in their places", async () => {
  const object = loadObject(fixture("maps.el"), { pinPath: false });
  try {
    const number = (name: string, at: number) => {
      const bytes = object.maps[name]?.getRaw(new Uint8Array(Uint32Array.of(at).buffer));
      return bytes === undefined ? undefined : Number(new DataView(bytes.buffer).getBigUint64(0, true));
    };
    const result = object.programs["entry"]?.testRun({ data: new Uint8Array(64) });
    // The tail call does not come back: what it jumped to gave the result.
    assert.equal(result?.retval, 7);
    assert.equal(number("first", 0), 3);
    assert.equal(number("second", 0), 0);
    const bss = object.maps[".bss"]?.getRaw(new Uint8Array(4));
    const counts = [...new BigUint64Array(bss?.buffer ?? new ArrayBuffer(0))];
    assert.deepEqual([counts.length, counts.reduce((sum, n) => sum + n)], [3, 1n]);
  } finally {
    object.close();
  }
});
