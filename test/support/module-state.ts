// What the programs of a module leave in maps, rings and variables: in the kernel, and in the reference evaluation, in one form.
import type { MapDecl, Module } from "../../src/language/compiler/hir.ts";
import { layoutOfType, lossVariable } from "../../src/language/compiler/image/index.ts";
import type { evaluateModule } from "../../src/language/compiler/lower/index.ts";
import { sizeOf } from "../../src/language/compiler/type.ts";
import type { Machine } from "../../src/language/interp/index.ts";
import { type Layout, makeEncoder, memoryOf } from "../../src/object/codec/index.ts";
import { type BpfMap, type LoadedObject, type ObjectSpec, RingBufferReader } from "../../src/sdk/index.ts";

export type ModuleState = Readonly<Record<string, unknown>>;

type Evaluated = ReturnType<typeof evaluateModule>["state"];

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString("hex");
}

const ZERO = /^0*$/;

/** Elements that are all zeros are left out: of arrays nearly all are. */
function sorted(entries: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries([...entries].filter(([, value]) => !ZERO.test(value)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function evaluatedState(module: Module, state: Evaluated): ModuleState {
  const out: Record<string, unknown> = {};
  for (const [name, { elements }] of state.maps)
    out[name] = sorted([...elements].map(([key, value]) => [key, hex(value)] as const));
  for (const [name, records] of state.rings) out[name] = records.map(hex);
  for (const global of module.globals) out[global.name] = hex(state.globals.get(global) as Uint8Array);
  for (const map of module.maps) out[lossVariable(map.name)] = state.losses.get(map.name) ?? 0;
  return out;
}

/** What the testing machine has; it has the values of each CPU apart, too. */
export function machineState(module: Module, machine: Machine): ModuleState {
  const out: Record<string, unknown> = {};
  for (const map of module.maps) {
    const counter = lossVariable(map.name);
    out[counter] = machine.spec.variables?.[counter] === undefined ? 0 : Number(machine.variable(counter));
    if (map.kind === "ringbuf") {
      const ring = machine.ring(map.name);
      out[map.name] = ring.records().map(hex);
      if (ring.unwritten > 0) out[`${map.name}: bytes that nobody wrote`] = ring.unwritten;
      continue;
    }
    const spec = machine.spec.maps[map.name];
    if (spec?.key === undefined || spec.value === undefined || map.kind === "taskStorage") continue;
    const [key, value] = [writer(spec.key), writer(spec.value)];
    const entries = [...machine.map(map.name)].map(([k, v]): [string, string] => {
      const values = isPerCpu(map) ? (v as unknown[]).map(value) : undefined;
      const stride = Math.ceil((spec.value?.size ?? 0) / 8) * 8;
      return [
        hex(key(k)),
        hex(values === undefined ? value(v) : summed(concat(values, stride), stride, spec.value?.size ?? 0)),
      ];
    });
    out[map.name] = sorted(entries);
  }
  for (const global of module.globals) {
    const variable = machine.spec.variables?.[global.name];
    if (variable !== undefined)
      out[global.name] = hex(writer(layoutOfType(global.type))(machine.variable(global.name)));
  }
  return out;
}

function writer(layout: Layout): (value: unknown) => Uint8Array {
  const encode = makeEncoder(layout);
  return (value) => {
    const memory = memoryOf(new ArrayBuffer(Math.ceil(layout.size / 8) * 8));
    encode(memory, 0, value as never);
    return memory.u8.slice(0, layout.size);
  };
}

function concat(values: readonly Uint8Array[], stride: number): Uint8Array {
  const out = new Uint8Array(values.length * stride);
  for (const [i, value] of values.entries()) out.set(value, i * stride);
  return out;
}

function isPerCpu({ kind }: MapDecl): boolean {
  return kind === "perCpuArray" || kind === "perCpuHash" || kind === "lruPerCpuHash";
}

/** Of per-CPU maps the sums, as 64-bit words: it does not matter where a run was. */
export function kernelState(module: Module, spec: ObjectSpec, object: LoadedObject<ObjectSpec>): ModuleState {
  const out: Record<string, unknown> = {};
  for (const map of module.maps) {
    const live = object.maps[map.name];
    if (live === undefined) continue;
    out[lossVariable(map.name)] = Number(object.variables[lossVariable(map.name)]?.get() ?? 0);
    if (map.kind === "ringbuf") {
      using reader = RingBufferReader.raw(live);
      const records: string[] = [];
      reader.consume((record) => void records.push(hex(record)));
      out[map.name] = records;
      continue;
    }
    if (map.kind === "stackTrace" || map.kind === "taskStorage" || map.key === undefined || map.value === undefined)
      continue;
    const keySize = sizeOf(map.key);
    const valueSize = sizeOf(map.value);
    const perCpu = isPerCpu(map);
    const stride = perCpu ? Math.ceil(valueSize / 8) * 8 : valueSize;
    const layout = spec.maps[map.name]?.key as Layout;
    const encode = makeEncoder(layout);
    const entries: [string, string][] = [];
    for (const key of keysOf(live)) {
      const memory = memoryOf(new ArrayBuffer(Math.ceil(keySize / 8) * 8));
      encode(memory, 0, key as never);
      const bytesOfKey = memory.u8.slice(0, keySize);
      const value = live.getRaw(bytesOfKey);
      if (value === undefined) continue;
      entries.push([hex(bytesOfKey), hex(perCpu ? summed(value, stride, valueSize) : value)]);
    }
    out[map.name] = sorted(entries);
  }
  for (const global of module.globals) {
    const variable = spec.variables?.[global.name];
    const section = variable === undefined ? undefined : object.maps[variable.map]?.getRaw(new Uint8Array(4));
    if (variable !== undefined && section !== undefined)
      out[global.name] = hex(section.subarray(variable.offset, variable.offset + variable.size));
  }
  return out;
}

/** Arrays have their indices as keys. */
function keysOf(map: BpfMap): Iterable<unknown> {
  if ("keys" in map) return (map as unknown as { keys(): Iterable<unknown> }).keys();
  return Array.from({ length: map.info.maxEntries }, (_, i) => i);
}

function summed(values: Uint8Array, stride: number, size: number): Uint8Array {
  const view = new DataView(values.buffer, values.byteOffset, values.length);
  const out = new Uint8Array(stride);
  const sums = new DataView(out.buffer);
  for (let at = 0; at < values.length; at += stride)
    for (let word = 0; word < stride; word += 8)
      sums.setBigUint64(word, sums.getBigUint64(word, true) + view.getBigUint64(at + word, true), true);
  return out.subarray(0, size);
}
