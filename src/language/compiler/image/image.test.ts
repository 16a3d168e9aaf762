import { describe, expect, it } from "vitest";
import { compileSource } from "../../../../test/support/compile-source.ts";
import { recordedTarget } from "../../../../test/support/recorded-target.ts";
import { type Btf, printC } from "../../../object/btf/index.ts";
import { layoutDifference, layoutOf } from "../../../object/codec/index.ts";
import { decodeVariable, withVariables } from "../../../object/spec/index.ts";
import { lossVariable } from "./index.ts";

const SOURCE = `
const Key = struct({ port: be16, address: be32 }); const Value = struct({ at: u64, n: u64n, name: str(16), raw: bytes(3), list: array(i16, 2), ok: bool });
export const seen = hash(Key, Value, { max: 10, pinned: "shared" });
export const aVeryLongNameForAMap = arrayMap(u64, 4);
export const events = ringbuf(Value, { bytes: 8192 });
export const lowest = min(); export const opens = counter(str(16)); export const stacks = stackTraces(8); export const own = taskStorage(u32);
export const target = param(u32, 7); export const label = param(str(8), "abc"); export const total = global(i64, -1); export const first = global(u8, 0); export const rest = global(u64, 0);
function far(x: u64): u64 { let n = x; for (const i of range(100)) { if (n % 3 === 1) n = n * 5 + i; else n = n / 3; if (n % 7 === 2) n += 9; if (n > 1000) n -= x; if (n % 11 === 4) n ^= i; } return n; }
export const p = tracepoint("sched:sched_process_exec", () => {
  rest.value = far(total.value > 0 ? 1 : 2) + far(ktime());
  for (const [key, value] of seen) { value.n += key.address; }
});
export const q = syscall(struct({ x: u64 }), (ctx) => u32(far(ctx.x)));`;

const { spec } = compileSource(SOURCE, recordedTarget());
const btf = spec.btf as Btf;
const { p, q } = spec.programs;

describe("an image", () => {
  it("has the maps that the source declares", () => {
    expect(spec.maps["seen"]).toMatchObject({
      type: "hash",
      keySize: 8,
      maxEntries: 10,
      pinning: "by-name",
      pinName: "shared",
    });
    expect(spec.maps["aVeryLongNameForAMap"]).toMatchObject({
      type: "array",
      name: "aVeryLongNameFo",
      keySize: 4,
      valueSize: 8,
    });
    expect(spec.maps["events"]).toMatchObject({ type: "ringbuf", keySize: 0, valueSize: 0, maxEntries: 8192 });
    expect(spec.maps["events"]?.value).toMatchObject({ kind: "struct" });
    expect(spec.maps["stacks"]).toMatchObject({ type: "stack_trace", keySize: 4, valueSize: 1016 });
    expect(spec.maps["own"]).toMatchObject({ type: "task_storage", maxEntries: 0, flags: 1, keySize: 4, valueSize: 4 });
    // A minimum begins as what everything is below.
    expect(spec.maps["lowest"]).toMatchObject({ type: "array", maxEntries: 1 });
    expect([...(spec.maps["lowest"]?.contents ?? [])]).toEqual([255, 255, 255, 255, 255, 255, 255, 127]);
  });

  it("has types by which keys and values read as they do by the source", () => {
    for (const [name, { keyType, valueType, key, value, type }] of Object.entries(spec.maps)) {
      if (name.startsWith(".") || type === "stack_trace" || type === "ringbuf") continue;
      if (key === undefined || value === undefined) throw new Error(name);
      expect(layoutDifference(layoutOf(btf, keyType as number), key), name).toBe(undefined);
      expect(layoutDifference(layoutOf(btf, valueType as number), value), name).toBe(undefined);
    }
    const value = layoutOf(btf, spec.maps["seen"]?.valueType as number);
    const fields = value.kind === "struct" ? value.fields : [];
    expect(fields.map(({ layout }) => layout.kind)).toEqual(["u64", "u64n", "str", "bytes", "array", "bool"]);
    expect(printC(btf)).toContain("be32 address;");
  });

  it("has variables where programs have them, that can be given other values", () => {
    expect(spec.variables).toMatchObject({
      target: { map: ".rodata", offset: 0, size: 4 },
      label: { map: ".rodata", offset: 4, size: 8 },
      total: { map: ".data", offset: 0, size: 8 },
      first: { map: ".bss", offset: 0, size: 1 },
      rest: { map: ".bss", offset: 8, size: 8 },
    });
    expect(spec.maps[".rodata"]).toMatchObject({ frozen: true, valueSize: 16 });
    const set = withVariables(spec, { target: 9, label: "xyz", total: 5n });
    const read = (from: typeof spec, name: string) => {
      const variable = from.variables?.[name];
      if (variable === undefined) throw new Error(name);
      const { map, offset, size } = variable;
      const contents = from.maps[map]?.contents ?? new Uint8Array(0);
      return decodeVariable(btf, variable, contents.slice(offset, offset + size));
    };
    expect([read(spec, "target"), read(spec, "label"), read(spec, "total")]).toEqual([7, "abc", -1n]);
    expect([read(set, "target"), read(set, "label"), read(set, "total")]).toEqual([9, "xyz", 5n]);
    const section = btf.type(btf.find(".bss", "section") as number);
    expect(section).toMatchObject({
      size: 16,
      variables: [
        { offset: 0, size: 1 },
        { offset: 8, size: 8 },
      ],
    });
  });

  it("has a counter of losses for each map that can lose something", () => {
    const losing = ["seen", "events", "lowest", "opens", "own"];
    const counters = losing.map((name) => spec.variables?.[lossVariable(name)]);
    expect(counters.every((one) => one?.map === ".losses" && one.size === 8)).toBe(true);
    expect(new Set(counters.map((one) => one?.offset)).size).toBe(losing.length);
    expect(spec.variables?.[lossVariable("stacks")]).toBe(undefined);
    expect(spec.variables?.[lossVariable("aVeryLongNameForAMap")]).toBe(undefined);
  });

  it("has each program with just the functions that it reaches", () => {
    const labels = (program: typeof p) =>
      program?.instructions.flatMap(({ functionType, label }) => (functionType === undefined ? [] : [label].flat()[0]));
    expect(labels(p)).toEqual(["p", "far", "p_entries"]);
    expect(labels(q)).toEqual(["q", "far"]);
    expect(p).toMatchObject({
      type: "tracepoint",
      section: "tracepoint/sched/sched_process_exec",
      license: "Dual MIT/GPL",
    });
    expect(q).toMatchObject({ type: "syscall", section: "syscall" });
  });

  it("has functions with their names and parameters, static but for programs", () => {
    const functions = p?.instructions.flatMap(({ functionType }) =>
      functionType === undefined ? [] : [btf.type(functionType)],
    );
    expect(functions).toMatchObject([
      { name: "p", linkage: "global" },
      { name: "far", linkage: "static" },
      { name: "p_entries", linkage: "static" },
    ]);
    const far = functions?.[1];
    const prototype = far?.kind === "function" ? btf.type(far.type) : undefined;
    expect(prototype).toMatchObject({ kind: "prototype", parameters: [{ name: "x" }] });
  });

  it("has source lines on instructions, the first of each function among them", () => {
    const lines = p?.instructions.flatMap(({ source }) => (source === undefined ? [] : [source]));
    expect(lines?.every(({ file }) => file === "a.bpf.ts")).toBe(true);
    const of = lines?.find(({ text }) => text.includes("rest.value = far"));
    expect(of).toMatchObject({ line: 11 });
    for (const instruction of p?.instructions ?? [])
      if (instruction.functionType !== undefined) expect(instruction.source).toBeDefined();
  });
});
