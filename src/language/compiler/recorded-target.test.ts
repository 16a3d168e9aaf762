import { describe, expect, it } from "vitest";
import { withWords } from "../../../test/support/lower-source.ts";
import { ALL_FEATURES, recordedTarget } from "../../../test/support/recorded-target.ts";
import { BtfBuilder } from "../../object/btf/index.ts";
import { compile, type RecordedTarget, targetOf, targetOfTypes } from "./index.ts";

const codes = (source: string, target: ReturnType<typeof targetOf>) =>
  compile({ entry: "a.bpf.ts", files: new Map([["a.bpf.ts", withWords(source)]]) }, target).diagnostics.map(
    ({ code }) => code,
  );

describe("a recorded kernel", () => {
  const format = recordedTarget().tracepointFormat("sched", "sched_process_exec") ?? "";
  const record: RecordedTarget = {
    release: "5.15.0",
    arch: "x64",
    cpus: 4,
    features: { ...ALL_FEATURES, iterNum: false, loop: false },
    helpers: { kprobe: ["get_func_ip"], tracepoint: [] },
    formats: { "sched/sched_process_exec": format },
    btf: undefined,
  };
  const target = targetOf(record);

  it("is one to compile for", () => {
    const source = (name: string) =>
      `export const n = counter(); export const p = tracepoint("${name}", (ctx) => n.add(u64(ctx.pid)));`;
    expect(codes(source("sched:sched_process_exec"), target)).toEqual([]);
    expect(codes(source("sched:sched_process_exit"), target)).toEqual(["TS2345"]);
    expect(codes(source("constructor:constructor"), target)).toEqual(["TS2345"]);
    expect(target).toMatchObject({ release: "5.15.0", cpus: 4, byteOrder: "little", btf: undefined });
  });

  it("has the helpers that were recorded, by types of programs", () => {
    expect(target.hasHelper("get_func_ip", "kprobe")).toBe(true);
    expect(target.hasHelper("get_func_ip", "tracepoint")).toBe(false);
    expect(target.hasHelper("get_func_ip", "lsm")).toBe(false);
    expect(codes('export const p = uprobe("a", "b", () => u32(cookie()));', target)).toEqual(["EB4203"]);
  });
});

describe("a kernel by its types alone", () => {
  const types = (names: readonly string[], functions: readonly string[] = []) => {
    const btf = new BtfBuilder();
    const values = names.map((name, i) => ({ name: `BPF_FUNC_${name}`, value: BigInt(i) }));
    btf.add({ kind: "enum", name: "bpf_func_id", size: 4, signed: false, values });
    const prototype = btf.add({ kind: "prototype", name: "", result: 0, parameters: [] });
    for (const name of functions) btf.add({ kind: "function", name, type: prototype, linkage: "static" });
    return btf.build();
  };

  it("can do what its version and its types say", () => {
    const old = targetOfTypes(types(["probe_read_kernel"]), "5.10.0-33");
    expect(old.features).toEqual({
      ...Object.fromEntries(Object.keys(ALL_FEATURES).map((name) => [name, false])),
      probeReadKernel: true,
    });
    const all = ["probe_read_kernel", "get_current_task_btf", "for_each_map_elem", "loop"];
    const young = targetOfTypes(types(all, ["bpf_rdonly_cast", "bpf_iter_num_new"]), "6.12");
    expect(young.features).toEqual(ALL_FEATURES);
    expect([young.hasHelper("loop", "xdp"), old.hasHelper("loop", "xdp")]).toEqual([true, false]);
    expect(targetOfTypes(types([]), "5.17").features.loop).toBe(true);
    expect(targetOfTypes(types([]), "5.16").features.loop).toBe(false);
  });

  it("does not tell of tracepoints, and says so", () => {
    const source = 'export const p = tracepoint("sched:sched_switch", () => 1);';
    const compiled = () => codes(source, targetOfTypes(types([]), "6.1"));
    expect(compiled).toThrow(
      expect.objectContaining({ code: "SKEP_TARGET", message: expect.stringContaining("--record-target") }),
    );
    expect(codes("export const p = profile({ hz: 9 }, () => 1);", targetOfTypes(types([]), "6.1"))).toEqual([]);
    expect(() => targetOfTypes(Uint8Array.of(1, 2, 3), "6.1")).toThrow();
  });
});
