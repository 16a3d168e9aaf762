// Global variables of a loaded object, read and changed while its programs run.
import assert from "node:assert/strict";
import { loadObject, SystemError } from "../../src/sdk/index.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { fixture } from "../support/objects.ts";

const packet = { data: new Uint8Array(64) };

kernelTest("globals of every shape are read and changed live", { kernel: "5.5" }, () => {
  using object = loadObject(fixture("globals.el"), { variables: { fixed: 42, limit: 6 } });
  const { variables } = object;
  const value = (name: string) => variables[name]?.get();
  const count = object.programs["count"];
  assert.equal(count?.testRun(packet).retval, 42);
  assert.deepEqual(["runs", "limit", "depth", "label", "at", "on", "level", "fixed"].map(value), [
    1n,
    6,
    -3n,
    "first",
    { x: 1, y: -1 },
    false,
    1,
    42,
  ]);
  assert.deepEqual(value("flags"), Uint8Array.of(1, 2, 3, 4));
  variables["on"]?.set(true);
  variables["level"]?.set(9);
  variables["limit"]?.set(100);
  variables["label"]?.set("second");
  variables["at"]?.set({ x: 0, y: 2 });
  variables["depth"]?.set(-(2n ** 40n));
  assert.equal(count?.testRun(packet).retval, 9);
  assert.deepEqual(["runs", "label", "at", "depth"].map(value), [2n, "second", { x: 100, y: 2 }, -(2n ** 40n) + 1n]);
  assert.throws(() => variables["at"]?.set({ x: 2 ** 31, y: 0 }), { code: "SKEP_VARIABLE" });
  assert.throws(() => variables["label"]?.set("longer than fifteen"), { code: "SKEP_VARIABLE" });
  assert.deepEqual([value("at"), value("label")], [{ x: 100, y: 2 }, "second"]);
  assert.throws(
    () => variables["fixed"]?.set(1),
    (error: unknown) => error instanceof SystemError && error.code === "EPERM",
  );
  assert.equal(value("fixed"), 42);
});

kernelTest("a write to one variable loses nothing of what programs write to another", { kernel: "5.5" }, () => {
  using object = loadObject(fixture("globals.el"));
  const { variables, programs } = object;
  const runs = 2000;
  for (let i = 0; i < runs; i++) {
    programs["count"]?.testRun(packet);
    variables["limit"]?.set(i);
    variables["label"]?.set(`n${i}`);
  }
  assert.equal(variables["runs"]?.get(), BigInt(runs));
});

kernelTest("variables of a closed object say so", { kernel: "5.5" }, () => {
  const object = loadObject(fixture("globals.el"));
  const { runs, limit } = object.variables;
  assert.equal(runs?.get(), 0n);
  object.close();
  assert.throws(() => runs?.get(), { code: "SKEP_CLOSED" });
  assert.throws(() => limit?.set(1), { code: "SKEP_CLOSED" });
});
