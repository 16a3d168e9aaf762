import assert from "node:assert/strict";
import { Helper, type HelperName, helperSince } from "../../src/object/asm/index.ts";
import { probeHelper } from "../../src/runtime/load/index.ts";
import { kernelBtf } from "../../src/runtime/sys/index.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";

/** Helpers that tracing programs may call wherever the kernel has them, from old ones to new ones. */
const NAMES: readonly HelperName[] = [
  "map_lookup_elem",
  "ktime_get_ns",
  "get_current_task",
  "probe_read_kernel",
  "probe_read_user_str",
  "ringbuf_reserve",
  "get_current_task_btf",
  "for_each_map_elem",
  "snprintf",
  "loop",
  "strncmp",
  "dynptr_from_mem",
  "user_ringbuf_drain",
];

kernelTest("a helper is there when the kernel's types list it, and only then", () => {
  const btf = kernelBtf();
  const id = btf.find("bpf_func_id", "enum");
  assert.ok(id !== undefined);
  const type = btf.type(id);
  assert.equal(type.kind, "enum");
  const listed = new Set(type.kind === "enum" ? type.values.map(({ name }) => name) : []);
  for (const name of NAMES) assert.equal(probeHelper(name, "tracepoint"), listed.has(`BPF_FUNC_${name}`), name);
});

kernelTest("the kernel's types list helpers from their first kernel on", () => {
  const btf = kernelBtf();
  const type = btf.type(btf.find("bpf_func_id", "enum") ?? 0);
  const listed = new Set(type.kind === "enum" ? type.values.map(({ name }) => name) : []);
  const wrong = (Object.keys(Helper) as HelperName[]).filter(
    (name) => kernelIsAtLeast(helperSince(name) ?? "5.4") !== listed.has(`BPF_FUNC_${name}`),
  );
  assert.deepEqual(wrong, []);
});

kernelTest("a helper of other kinds of programs is not there for tracing ones", () => {
  assert.equal(probeHelper("redirect", "tracepoint"), false);
  assert.equal(probeHelper("redirect", "xdp"), true);
  assert.equal(probeHelper("redirect", "lsm"), undefined);
});
