// Programs for other programs: one takes the place of a function (freplace), others look at one (fentry, fexit).
import assert from "node:assert/strict";
import { attachFreplace, attachTracing, type LoadedObject, loadObject, type Program } from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { fixture } from "../support/objects.ts";

const LENGTH = 64;
const PLAIN = 1 + LENGTH + 10;
const REPLACED = 42 + LENGTH + 10;
const run = (program: Program) => program.testRun({ data: new Uint8Array(LENGTH) }).retval;
const target = () => {
  const loaded = loadObject(fixture("replaced.el")) as LoadedObject;
  return { loaded, entry: loaded.programs["entry"] as Program, [Symbol.dispose]: () => loaded.close() };
};
const load = (name: string, entry: Program) => {
  const loaded = loadObject(fixture("replacing.el"), { programs: [name], targets: { [name]: entry } }) as LoadedObject;
  return { loaded, program: loaded.programs[name] as Program, [Symbol.dispose]: () => loaded.close() };
};

kernelTest("attach: freplace takes the place of a function until it is closed", { program: "ext" }, () => {
  using one = target();
  using replacing = load("other", one.entry);
  assert.equal(run(one.entry), PLAIN);
  const link = attachFreplace(replacing.program);
  assert.equal(run(one.entry), REPLACED);
  link.close();
  assert.equal(run(one.entry), PLAIN);
});

kernelTest("attach: freplace in another program than it was loaded for", { program: "ext", kernel: "5.10" }, () => {
  using one = target();
  using two = target();
  using replacing = load("other", one.entry);
  const first = attachFreplace(replacing.program);
  using second = attachFreplace(replacing.program, { program: two.entry, function: "chosen" });
  assert.deepEqual([run(one.entry), run(two.entry)], [REPLACED, REPLACED]);
  first.close();
  assert.deepEqual([run(one.entry), run(two.entry)], [PLAIN, REPLACED]);
  using third = attachFreplace(replacing.program, { program: one.entry, function: "chosen" });
  assert.deepEqual([run(one.entry), run(two.entry)], [REPLACED, REPLACED]);
  // One function is replaced once.
  assert.throws(() => attachFreplace(replacing.program, { program: one.entry, function: "chosen" }), {
    name: "SystemError",
    message: /Cannot attach program "other" to chosen of program "entry"/,
  });
  second.close();
  third.close();
  assert.deepEqual([run(one.entry), run(two.entry)], [PLAIN, PLAIN]);
  assert.throws(() => attachFreplace(replacing.program, { program: two.entry, function: "sum" }), { code: "EINVAL" });
  assert.throws(() => attachFreplace(replacing.program, { program: two.entry, function: "none" }), {
    code: "SKEP_PROGRAM_FUNCTION",
    message: /Program "entry" has no function "none" \(it has: entry, .*chosen/,
  });
});

kernelTest("freplace: what does not fit is refused when it is loaded", { program: "ext" }, () => {
  using one = target();
  assert.throws(() => load("wrong", one.entry), { name: "VerifierError" });
  assert.throws(() => load("nothing", one.entry), {
    code: "SKEP_PROGRAM_FUNCTION",
    message: /no function "not_there"/,
  });
});

kernelTest("freplace without a target says how to give one", () => {
  assert.throws(() => loadObject(fixture("replacing.el"), { programs: ["other"] }), {
    code: "SKEP_OBJECT",
    message: /give that program when it is loaded, loadObject\(…, \{ targets: \{ other:/,
  });
});

kernelTest("attach: fentry and fexit at functions of another program", { attach: ["fentry", "fexit"] }, () => {
  using one = target();
  using enter = load("enter", one.entry);
  using leave = load("leave", one.entry);
  using whole = load("leave_whole", one.entry);
  const read = ({ loaded }: typeof enter, name: string) => loaded.variables[name]?.get();
  run(one.entry);
  const links = [enter, leave, whole].map(({ program }) => attachTracing(program));
  run(one.entry);
  run(one.entry);
  for (const link of links) link.close();
  run(one.entry);
  assert.deepEqual([read(enter, "entered"), read(leave, "left"), read(whole, "left")], [2n, 2n, 2n]);
  assert.deepEqual([read(leave, "result"), read(whole, "result")], [BigInt(LENGTH + 10), BigInt(PLAIN)]);
});
