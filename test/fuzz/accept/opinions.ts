// What becomes of a module's programs in the kernel, in the machine and by the evaluator, in one form.
import type { Module } from "../../../src/language/compiler/hir.ts";
import { EvaluatedState } from "../../../src/language/compiler/lower/evaluate-state.ts";
import { evaluateModule } from "../../../src/language/compiler/lower/index.ts";
import type { Target } from "../../../src/language/compiler/target.ts";
import { KeyedMachineMap, Machine, RingMachineMap } from "../../../src/language/interp/index.ts";
import { isPerCpu, type ObjectSpec } from "../../../src/object/spec/index.ts";
import { type BpfMap, KeyedMap } from "../../../src/runtime/map/index.ts";
import { loadObject, RingBufferReader } from "../../../src/sdk/index.ts";
import { evaluationWorld, machineWorld, type Self } from "./world.ts";

/** One run of a program. */
export interface Run {
  readonly program: string;
  readonly context: Uint8Array;
}

/** What runs gave and left behind: results, and by name the contents of maps, rings, variables. */
export interface Outcome {
  readonly results: readonly number[];
  readonly left: ReadonlyMap<string, string>;
}

const LEFT_OUT = new Set(["stack_trace", "task_storage", "prog_array"]);

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex");
}

/** The entries of a map as text; what is all zeros in an array is left out. */
function entriesText(entries: Iterable<readonly [key: string, value: string]>, isArray: boolean): string {
  const lines: string[] = [];
  for (const [key, value] of entries) if (!isArray || !/^0*$/.test(value)) lines.push(`${key}=${value}`);
  return lines.sort().join(" ");
}

/** Variables and loss counters, each by itself: sections also hold padding. */
function variables(spec: ObjectSpec, sectionOf: (map: string) => Uint8Array, left: Map<string, string>): void {
  for (const [name, { map, offset, size }] of Object.entries(spec.variables ?? {}))
    if (map !== ".rodata") left.set(name, hex(sectionOf(map).subarray(offset, offset + size)));
}

function isSection(spec: ObjectSpec, map: string): boolean {
  return map.startsWith(".") || (spec.maps[map]?.section?.startsWith(".") ?? false);
}

/** Loads the programs into the kernel and runs them. Throws what loading throws. */
export function inKernel(spec: ObjectSpec, runs: readonly Run[], cpu: number): Outcome {
  using object = loadObject(spec, { pinPath: false });
  const maps = object.maps as unknown as Readonly<Record<string, BpfMap>>;
  const isSyscall = Object.values(spec.programs).some(({ type }) => type === "syscall");
  const results = runs.map(({ program, context }) => {
    const live = object.programs[program];
    if (live === undefined) throw new Error(`there is no program ${program}`);
    return live.testRun({ context: context.slice(), ...(!isSyscall && { cpu }) }).retval | 0;
  });
  const left = new Map<string, string>();
  variables(spec, (map) => (maps[map] as BpfMap).getRaw(new Uint8Array(4)) as Uint8Array, left);
  for (const [name, map] of Object.entries(maps)) {
    if (isSection(spec, name)) continue;
    const { type } = map.info;
    if (type === "ringbuf") {
      using reader = RingBufferReader.raw(map);
      const records: string[] = [];
      reader.consume((record) => records.push(hex(record)));
      left.set(name, records.join(" "));
    } else if (!LEFT_OUT.has(type)) left.set(name, kernelEntries(map, cpu));
  }
  return { results, left };
}

function kernelEntries(map: BpfMap, cpu: number): string {
  const { type, keySize, valueSize } = map.info;
  // Another object for the same map, without types: the map stays its owner's.
  const raw = new KeyedMap<Uint8Array, Uint8Array | Uint8Array[]>(map.fd, map.info);
  const entries: [string, string][] = [];
  for (const [key, value] of raw.entries()) {
    const own = Array.isArray(value) ? (value[cpu] as Uint8Array) : value;
    const text = typeof key === "number" ? indexText(key) : hex(key.subarray(0, keySize));
    entries.push([text, hex(own.subarray(0, valueSize))]);
  }
  return entriesText(entries, type.includes("array"));
}

function indexText(index: number): string {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, index, true);
  return hex(bytes);
}

/** Runs the programs in the machine. Throws MachineFault for what the kernel would not let them do. */
export function inMachine(spec: ObjectSpec, runs: readonly Run[], self: Self, target: Target): Outcome {
  const machine = new Machine(spec, {
    world: machineWorld(self, target),
    cpus: self.cpu + 1,
    ...(target.btf !== undefined && { btf: target.btf }),
  });
  const results = runs.map(({ program, context }) => machine.run(program, context.slice()).result);
  const left = new Map<string, string>();
  const maps = machine.maps as unknown as Readonly<Record<string, unknown>>;
  const entryOf = (map: unknown) => [...(map as KeyedMachineMap)._all()];
  variables(spec, (map) => entryOf(maps[map])[0]?.values[0] as Uint8Array, left);
  for (const [name, map] of Object.entries(maps)) {
    if (isSection(spec, name)) continue;
    const { type } = spec.maps[name] as ObjectSpec["maps"][string];
    if (map instanceof RingMachineMap) left.set(name, map.records().map(hex).join(" "));
    else if (map instanceof KeyedMachineMap && !LEFT_OUT.has(type)) {
      const at = isPerCpu(type) ? self.cpu : 0;
      const entries = entryOf(map).map(({ key, values }) => [hex(key), hex(values[at] as Uint8Array)] as const);
      left.set(name, entriesText(entries, type.includes("array")));
    }
  }
  return { results, left };
}

/** Evaluates the checked program itself. */
export function byEvaluation(
  module: Module,
  spec: ObjectSpec,
  runs: readonly Run[],
  self: Self,
  target: Target,
): Outcome {
  const state = new EvaluatedState(module);
  const world = evaluationWorld(self, machineWorld(self, target));
  const results = runs.map(({ program, context }) => {
    const { result } = evaluateModule(module, program, { ...world, context }, state);
    return Number(BigInt.asIntN(32, result));
  });
  const left = new Map<string, string>();
  for (const [global, bytes] of state.globals) if (global.kind === "global") left.set(global.name, hex(bytes));
  for (const name of Object.keys(spec.variables ?? {}))
    if (name.endsWith(".dropped")) {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(
        0,
        BigInt(state.losses.get(name.slice(0, -".dropped".length)) ?? 0),
        true,
      );
      left.set(name, hex(bytes));
    }
  for (const [name, records] of state.rings) left.set(name, records.map(hex).join(" "));
  for (const [name, map] of state.maps) {
    const { kind } = map.decl;
    if (kind === "stackTrace" || kind === "taskStorage" || kind === "progArray") continue;
    const entries = [...map.elements].map(([key, value]) => [key, hex(value)] as const);
    left.set(name, entriesText(entries, map.isArray));
  }
  return { results, left };
}

/** Where two outcomes differ, in a few words; undefined where they do not. */
export function difference(a: Outcome, b: Outcome, runs: readonly Run[]): string | undefined {
  for (const [i, result] of a.results.entries())
    if (result !== b.results[i]) return `run ${i} of ${runs[i]?.program} gives ${result} and ${b.results[i]}`;
  for (const [name, text] of a.left) {
    const other = b.left.get(name);
    if (other !== text) return `${name} holds\n    ${shortened(text)}\n  and\n    ${shortened(other ?? "nothing")}`;
  }
  return undefined;
}

function shortened(text: string): string {
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
