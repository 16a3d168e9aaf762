// Loading programs and attaching them: what is refused is explained, what is attached is detached again.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import {
  Assembler,
  ClosedError,
  loadObject,
  type ObjectSpec,
  r0,
  r1,
  r2,
  r3,
  r10,
  SystemError,
  TracepointError,
  UnknownMapError,
  u64n,
  VerifierError,
} from "../../src/sdk/index.ts";
import { kernelTest, machine } from "../support/kernel-test.ts";
import { isAtLeast } from "../support/requirements.ts";

const RETURN_0 = new Assembler().mov(r0, 0).exit().instructions();
const rawTracepoint = (instructions: ObjectSpec["programs"][string]["instructions"], license = "Dual MIT/GPL") =>
  ({ maps: {}, programs: { p: { type: "raw_tracepoint", instructions, license } } }) as const satisfies ObjectSpec;

/** Counts the calls of one process at a raw tracepoint, in the kernel. */
function countingSpec(pid: number) {
  const a = new Assembler();
  a.call("get_current_pid_tgid").rsh(r0, 32).jne(r0, pid, "end");
  a.loadMapValue(r1, "hits", 0).mov(r2, 1).atomicAdd("u64", r1, 0, r2);
  a.label("end").mov(r0, 0).exit();
  return {
    maps: { hits: { type: "array", value: u64n, maxEntries: 1 } },
    programs: {
      raw: { type: "raw_tracepoint", instructions: a.instructions(), license: "Dual MIT/GPL" },
      tp: { type: "tracepoint", instructions: a.instructions(), license: "Dual MIT/GPL" },
    },
  } as const satisfies ObjectSpec;
}

kernelTest("the verifier's refusal shows the instruction, its last lines and the whole log", () => {
  const bad = new Assembler().mov(r2, 1).load("u64", r0, r10, 8).exit().instructions();
  assert.throws(
    () => loadObject(rawTracepoint(bad)),
    (error: unknown) => {
      assert.ok(error instanceof VerifierError);
      assert.match(error.message, /The verifier refused program "p" \(E(ACCES|PERM|INVAL)\)/);
      assert.match(error.message, /stopped at 1: /);
      assert.equal(error.instruction, 1);
      assert.equal(error.program, "p");
      assert.ok(error.log.includes("1: (79)"), error.log);
      return true;
    },
  );
});

kernelTest("a refused program of many instructions is explained by its end, not by its beginning", () => {
  const a = new Assembler().mov(r0, 0);
  for (let i = 0; i < 3000; i++) a.add(r0, 1);
  a.load("u64", r0, r2, 0).exit();
  assert.throws(
    () => loadObject(rawTracepoint(a.instructions())),
    (error: unknown) =>
      error instanceof VerifierError &&
      error.instruction === 3001 &&
      /R2 (?:!read_ok|is not readable)/.test(error.message),
  );
});

kernelTest("a helper for GPL programs only is refused to others, in the verifier's words", () => {
  const a = new Assembler().mov(r1, r10).add(r1, -8).mov(r2, 8).mov(r3, r10).call("probe_read_kernel");
  const code = a.mov(r0, 0).exit().instructions();
  loadObject(rawTracepoint(code)).close();
  assert.throws(() => loadObject(rawTracepoint(code, "Proprietary")), /GPL/);
});

kernelTest("an empty program, a jump out of it, an unknown map: nothing of the object stays", () => {
  assert.throws(() => loadObject(rawTracepoint([])), SystemError);
  assert.throws(() => loadObject(rawTracepoint([...RETURN_0.slice(0, 1)])), VerifierError);
  const map = new Assembler().loadMap(r1, "nowhere").mov(r0, 0).exit().instructions();
  assert.throws(
    () => loadObject({ ...rawTracepoint(map), maps: { here: { type: "array", value: u64n, maxEntries: 1 } } }),
    (error: unknown) => error instanceof UnknownMapError && /"nowhere".*it has: here/s.test(error.message),
  );
});

kernelTest("a raw tracepoint runs the program from its attachment to its end", () => {
  using object = loadObject(countingSpec(process.pid));
  const call = () => readFileSync("/proc/self/stat");
  const hits = () => object.maps.hits.get(0) as number;
  call();
  assert.equal(hits(), 0);
  const link = object.programs.raw.attachRawTracepoint("sys_enter");
  call();
  const during = hits();
  assert.ok(during >= 3, `${during}`);
  link.close();
  link.close();
  const after = hits();
  call();
  assert.equal(hits(), after);
});

kernelTest("a link keeps a program alive that was closed", () => {
  const object = loadObject(countingSpec(process.pid));
  try {
    using _ = object.programs.raw.attachRawTracepoint("sys_enter");
    object.programs.raw.close();
    const before = object.maps.hits.get(0) as number;
    readFileSync("/proc/self/stat");
    assert.ok((object.maps.hits.get(0) as number) > before);
    assert.throws(() => object.programs.raw.attachRawTracepoint("sys_exit"), ClosedError);
  } finally {
    object.close();
    object.close();
  }
});

kernelTest("a tracepoint that does not exist is an error with its name", () => {
  using object = loadObject(countingSpec(process.pid));
  assert.throws(
    () => object.programs.raw.attachRawTracepoint("no_such_tracepoint"),
    (error: unknown) => {
      assert.ok(error instanceof SystemError);
      assert.equal(error.code, "ENOENT");
      assert.match(error.message, /no_such_tracepoint/);
      return true;
    },
  );
  assert.throws(() => object.programs.tp.attachTracepoint("no:such"), TracepointError);
});

kernelTest("a tracepoint of perf's runs the program, from its attachment to its end", () => {
  using object = loadObject(countingSpec(process.pid));
  const hits = () => object.maps.hits.get(0) as number;
  const link = object.programs.tp.attachTracepoint("raw_syscalls:sys_enter");
  readFileSync("/proc/self/stat");
  assert.ok(hits() >= 3);
  link.close();
  const after = hits();
  readFileSync("/proc/self/stat");
  assert.equal(hits(), after);
});

kernelTest(
  "a program can be run without being attached, and its runs are told apart from others",
  { kernel: "5.10" },
  () => {
    const code = new Assembler().load("u64", r0, r1, 0).exit().instructions();
    using object = loadObject(rawTracepoint(code));
    const { retval } = object.programs.p.testRun({ context: new Uint8Array(Uint32Array.of(42, 0).buffer) });
    assert.equal(retval, 42);
    assert.equal(object.programs.p.stats().recursionMisses, 0n);
  },
);

/** Forty programs, of which each returns its number; those in `bad` are refused. */
function forty(bad: readonly number[] = []) {
  const program = (i: number) =>
    bad.includes(i)
      ? new Assembler().load("u64", r0, r10, 8).exit().instructions()
      : new Assembler().mov(r0, i).exit().instructions();
  const programs = Array.from({ length: 40 }, (_, i) => [
    `p${i}`,
    { type: "raw_tracepoint", instructions: program(i), license: "Dual MIT/GPL" } as const,
  ]);
  return { maps: {}, programs: Object.fromEntries(programs) } satisfies ObjectSpec;
}

kernelTest("of many programs each is the one of its name, whoever loaded it", { kernel: "5.10" }, () => {
  using object = loadObject(forty());
  for (const [name, program] of Object.entries(object.programs))
    assert.equal(`p${program.testRun({ context: new Uint8Array(8) }).retval}`, name);
});

kernelTest(
  "of many programs each is loaded once, also where the thread beside hardly gets a CPU",
  { kernel: "5.10" },
  () => {
    // They have all CPUs busy, so that the thread beside begins late, in the midst, or when all is done.
    const spin = "const end = Date.now() + 20_000; while (Date.now() < end);";
    const busy = Array.from({ length: availableParallelism() }, () =>
      spawn(process.execPath, ["-e", spin], { stdio: "ignore" }),
    );
    try {
      for (let i = 0; i < 20; i++) {
        const object = loadObject(forty());
        for (const [name, program] of Object.entries(object.programs))
          assert.equal(`p${program.testRun({ context: new Uint8Array(8) }).retval}`, name);
        object.close();
        assert.throws(() => loadObject(forty([i * 2])), { program: `p${i * 2}` });
      }
    } finally {
      for (const one of busy) one.kill("SIGKILL");
    }
  },
);

kernelTest("of many programs the first that is refused is told of, and none stays", () => {
  const refused = (bad: number[]) => {
    try {
      loadObject(forty(bad)).close();
    } catch (error) {
      return error instanceof VerifierError ? error.program : error;
    }
    return undefined;
  };
  assert.equal(refused([3]), "p3");
  assert.equal(refused([31]), "p31");
  assert.equal(refused([33, 4, 39]), "p4");
  assert.equal(refused([39, 38]), "p38");
  const spec = forty();
  const lost = new Assembler().loadMap(r1, "lost").mov(r0, 0).exit().instructions();
  const programs = { ...spec.programs, p35: { ...(spec.programs["p35"] as object), instructions: lost } };
  assert.throws(() => loadObject({ ...spec, programs } as ObjectSpec), UnknownMapError);
});

kernelTest(
  "a program that this kernel is too old for says since when there is one",
  { unless: isAtLeast(machine.release, "6.4") ? "this kernel has netfilter programs" : undefined },
  () => {
    const netfilter = {
      type: "netfilter",
      instructions: RETURN_0,
      license: "GPL",
      expectedAttachType: "netfilter",
    } as const;
    assert.throws(
      () => loadObject({ maps: {}, programs: { netfilter } }),
      /Programs of type netfilter need Linux 6\.4; this is \d/,
    );
  },
);
