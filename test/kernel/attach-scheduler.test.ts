// A scheduler in eBPF (sched_ext). It is the whole machine's: only in virtual machines.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { attachStructOps, loadObject, StructOpsMap } from "../../src/sdk/index.ts";
import { kernelTest, machine } from "../support/kernel-test.ts";
import { fixture } from "../support/objects.ts";

const state = (name: string) => readFileSync(`/sys/kernel/sched_ext/${name}`, "latin1").trim();

kernelTest(
  "attach: sched_ext lets a scheduler in eBPF choose who runs, until it is closed",
  {
    config: "CONFIG_SCHED_CLASS_EXT",
    attach: "struct_ops (sched_ext)",
    unless: machine.virtual ? undefined : "the scheduler is the whole machine's",
  },
  async () => {
    using object = loadObject(fixture("scheduler.el"), { variables: { wanted: process.pid } });
    const map = object.maps["skep_scheduler"];
    assert.ok(map instanceof StructOpsMap);
    const read = (name: string) => Number(object.variables[name]?.get());
    assert.equal(state("state"), "disabled");
    const link = attachStructOps(map);
    assert.deepEqual([state("state"), state("root/ops").replace(/_.*/, "")], ["enabled", "skep"]);
    assert.equal(read("begun"), 1);
    for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(read("own") >= 5, `${read("own")} of ${read("ran")}`);
    link.close();
    // The kernel takes its own scheduler back beside, and then says so.
    for (let tries = 0; tries < 200 && state("state") !== "disabled"; tries++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(state("state"), "disabled");
    assert.equal(read("ended"), 1);
    const before = read("ran");
    for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal(read("ran"), before);
  },
);
