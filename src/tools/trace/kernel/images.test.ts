import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { StructType, Type } from "../../../language/compiler/type.ts";
import type { MapSpec } from "../../../sdk/index.ts";
import { compileImage, compileImages } from "./compile-images.ts";
import { type ImageKind, imageKind, imageKinds, imageName } from "./image.ts";
import * as layout from "./layout.ts";
import type { KernelOptions } from "./options.ts";
import { traceMaps } from "./spec.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const sources = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith(".bpf.ts"))
    .map((file) => [file, readFileSync(`${folder}/${file}`, "utf8")]),
);
const PLAIN: ImageKind = {
  arch: "x64",
  target: "command",
  mode: "calls",
  throughPerf: false,
  general: false,
  compareExchange: true,
};
const OPTIONS: KernelOptions = {
  arch: "x64",
  target: "command",
  mode: "calls",
  failedOnly: false,
  minNs: 0,
  ringBytes: 4096,
  maxThreads: 16,
  compareExchange: true,
};

/** Structs of the trace programs by the names of the source, and the values of its maps. */
function structs(mode: ImageKind["mode"]): Map<string, StructType> {
  const { module } = compileImage({ ...PLAIN, mode }, sources);
  const found = new Map<string, StructType>();
  const look = (value: unknown, seen: Set<unknown>): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    const { kind, name } = value as { kind?: unknown; name?: unknown };
    if (kind === "struct" && typeof name === "string" && name !== "") found.set(name, value as StructType);
    for (const inner of Object.values(value)) look(inner, seen);
  };
  look([module.functions, module.maps], new Set());
  return found;
}

function offsets(struct: StructType | undefined): Record<string, number> {
  if (struct === undefined) throw new Error("the source has no such struct");
  return { ...Object.fromEntries(struct.fields.map(({ name, offset }) => [name, offset])), size: struct.size };
}

/** A struct's field by the way to it. */
function typeAt(type: Type | undefined, ...path: readonly string[]): Type | undefined {
  for (const name of path) {
    if (type?.kind !== "struct") return undefined;
    type = type.fields.find((field) => field.name === name)?.type;
  }
  return type;
}

describe("what the programs and their reader share", () => {
  const calls = structs("calls");

  it("is a thread's state, as the map has it", () => {
    expect(offsets(calls.get("Thread"))).toEqual(layout.Thread);
    expect(offsets(calls.get("Control"))).toEqual(layout.Control);
  });

  it("is the plans", () => {
    expect(offsets(calls.get("Plan"))).toMatchObject(layout.Plan);
    const { count, ...capture } = layout.PlanCapture;
    expect(offsets(calls.get("PlanCapture"))).toMatchObject(capture);
    const captures = typeAt(calls.get("Plan"), "captures");
    expect(captures?.kind === "array" && captures.length).toBe(count);
  });

  it("is the records", () => {
    const { tid, tgid, codeHigh, ...header } = layout.Header;
    const { size: _, ...common } = header;
    const { ForkRecord, BirthRecord, LifeRecord } = layout;
    for (const [name, record] of Object.entries({ ForkRecord, BirthRecord, LifeRecord }))
      expect(offsets(calls.get(name)), name).toMatchObject({ ...common, ids: tid, ...record });
    expect(offsets(calls.get("CallRecord"))).toMatchObject({ ...common, codeHigh, ids: tid, ...layout.CallRecord });
    const { length, data, shortData, longData } = layout.CaptureRecord;
    const { code, ...rest } = common;
    const capture = { ...rest, ids: tid, arg: code, part: code + 1, length, data };
    expect(offsets(calls.get("CaptureRecord"))).toMatchObject({ ...capture, size: data + shortData });
    expect(offsets(calls.get("LongCaptureRecord"))).toMatchObject({ ...capture, size: data + longData });
    expect(tgid).toBe(tid + 4);
  });

  it("is the statistics", () => {
    expect(offsets(structs("summary").get("Stats"))).toEqual({ ...layout.Stats, size: layout.STATS_SIZE });
  });

  it("is the maps", () => {
    const known = traceMaps({ maxThreads: 16_384, ringBytes: 4 << 20 }, true);
    const declared = (["calls", "summary"] as const).flatMap((mode) =>
      Object.entries(compileImage({ ...PLAIN, mode }, sources).spec?.maps ?? {}),
    );
    const sizes = ({ type, key, keySize, value, valueSize, maxEntries, slots }: MapSpec) => ({
      type,
      maxEntries,
      keySize: keySize ?? key?.size ?? 0,
      valueSize: valueSize ?? value?.size ?? 0,
      slots,
    });
    const own = declared.filter(([name]) => !name.startsWith("."));
    expect(new Set(own.map(([name]) => name))).toEqual(new Set(Object.keys(known)));
    for (const [name, map] of own) expect(sizes(map), name).toEqual(sizes(known[name] as MapSpec));
  });

  it("is where a message's parts are looked for", () => {
    expect(layout.SHORT_WORDS * 8).toBe(layout.SHORT_DATA);
    expect([layout.CaptureRecord.shortData, layout.CaptureRecord.longData]).toEqual([
      layout.SHORT_DATA,
      layout.LONG_DATA,
    ]);
  });
});

describe("images", () => {
  it.each(["x64", "arm64"] as const)("of all kinds are what the compiler has nothing to say of, on %s", (arch) => {
    for (const kind of imageKinds(arch)) {
      const { diagnostics, spec } = compileImage(kind, sources, true);
      expect(diagnostics, imageName(kind)).toEqual([]);
      expect(spec, imageName(kind)).toBeDefined();
    }
  });

  it("have the programs that their kind needs, and no others", () => {
    const images = compileImages("x64", sources);
    expect(Object.keys(images)).toHaveLength(24);
    const names = (name: string) => Object.keys(images[name]?.programs ?? {}).sort();
    const calls = ["capture", "enter", "exit", "fork", "report", "signal", "signal_sent", "thread_exit"];
    expect(names("x64-pids-calls")).toEqual(calls);
    expect(names("x64-command-calls-general")).toEqual([...calls, "who"]);
    expect(names("x64-cgroup-calls-perf")).toEqual([...calls, "fork_2", "signal_sent_2"].sort());
    expect(names("x64-command-summary-add-only")).toEqual(["enter", "exit", "fork", "thread_exit", "who"]);
    const types = Object.entries(images["x64-command-calls-perf"]?.programs ?? {});
    expect(
      types
        .filter(([, { type }]) => type === "tracepoint")
        .map(([name]) => name)
        .sort(),
    ).toEqual(["capture", "enter", "exit", "report", "signal", "thread_exit"]);
    for (const [name, { programs, data, params }] of Object.entries(images)) {
      const maps = new Set(Object.values(programs).flatMap(({ maps }) => maps.map(({ map }) => map)));
      expect(maps.has("roots"), name).toBe(name.includes("-pids-"));
      expect(maps.has("cgroup"), name).toBe(name.includes("-cgroup-"));
      expect(".rodata" in data, name).toBe(Object.keys(params).length > 0);
      // arm64 before Linux 6.0 has no tail calls in programs with functions of their own.
      const tailCalls = ["enter", "exit", "capture"].filter(() => name.includes("-calls"));
      for (const program of tailCalls) expect(callsFunctions(programs[program]?.bytes ?? ""), name).toBe(false);
    }
  });

  it("are chosen by the options", () => {
    const name = (options: Partial<KernelOptions>) => imageName(imageKind({ ...OPTIONS, ...options }));
    expect(name({})).toBe("x64-command-calls");
    expect(name({ failedOnly: true })).toBe("x64-command-calls-general");
    expect(name({ minNs: 1, target: "pids" })).toBe("x64-pids-calls-general");
    expect(name({ pidNamespace: { device: 1, inode: 2 }, arch: "arm64" })).toBe("arm64-command-calls-general");
    expect(name({ compareExchange: false })).toBe("x64-command-calls");
    // Statistics are of all calls.
    expect(name({ mode: "summary", failedOnly: true, minNs: 5 })).toBe("x64-command-summary");
    expect(name({ mode: "summary", pidNamespace: { device: 1, inode: 2 } })).toBe("x64-command-summary");
    expect(name({ mode: "summary", pidNamespace: { device: 1, inode: 2 }, target: "pids" })).toBe(
      "x64-pids-summary-general",
    );
    expect(name({ mode: "summary", compareExchange: false })).toBe("x64-command-summary-add-only");
    expect(name({ mode: "summary", throughPerf: true, target: "cgroup" })).toBe("x64-cgroup-summary-perf");
  });

  it("say where the compiler refuses something", () => {
    const broken = new Map(sources).set("summary.bpf.ts", `${sources.get("summary.bpf.ts")}\nconst x = nothing;\n`);
    expect(() => compileImages("x64", broken)).toThrow(/command-summary cannot be compiled.\nsummary\.bpf\.ts:\d+ /);
  });
});

/** Whether a program has functions of its own: a call (0x85) with source register 1. */
function callsFunctions(base64: string): boolean {
  const bytes = Buffer.from(base64, "base64");
  for (let at = 0; at < bytes.length; at += 8)
    if (bytes[at] === 0x85 && (bytes[at + 1] as number) >> 4 === 1) return true;
  return false;
}
