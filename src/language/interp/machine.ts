import type { Instruction } from "../../object/asm/index.ts";
import { BtfError, CoreResolver, MACHINE_ORDER } from "../../object/btf/index.ts";
import { type Layout, layoutOf } from "../../object/codec/index.ts";
import {
  decodeVariable,
  encodeVariable,
  type MapSpec,
  type ObjectSpec,
  type ProgramSpec,
  type ProgramTypeName,
  relocateCore,
} from "../../object/spec/index.ts";
import { type Context, PACKET_POINTERS } from "./context.ts";
import { Cpu } from "./cpu/cpu.ts";
import { Image } from "./cpu/image.ts";
import type { RunState } from "./cpu/run-state.ts";
import { type Surroundings, translate } from "./cpu/translate.ts";
import { helperResolver } from "./helper/index.ts";
import { MachineError, MachineFault } from "./machine-fault.ts";
import type { MachineMapOf, MachineMaps } from "./machine-maps.ts";
import type { MachineOptions, RunOptions, RunResult } from "./machine-options.ts";
import { KeyedMachineMap } from "./map/keyed-map.ts";
import type { MachineMap } from "./map/machine-map.ts";
import { makeMap } from "./map/make-map.ts";
import { MapOfMachineMaps } from "./map/map-of-maps.ts";
import { ProgramMachineMap } from "./map/program-map.ts";
import { RingMachineMap } from "./map/ring-map.ts";
import type { Region } from "./memory/region.ts";
import { describeProbe } from "./probe.ts";
import { surroundingsOf } from "./surroundings.ts";
import { readsTyped } from "./typed-reads.ts";
import { World } from "./world.ts";

const MOST_INSTRUCTIONS = 10_000_000;
const CPUS = 2;
/** Types whose contexts programs only read. */
const READ_ONLY: readonly ProgramTypeName[] = [
  "kprobe",
  "tracepoint",
  "raw_tracepoint",
  "perf_event",
  "tracing",
  "lsm",
  "sk_lookup",
  "netfilter",
];
const decoder = new TextDecoder();

/** A program that can be run: where it begins, and whether it reads through the kernel's typed pointers. */
interface Runnable {
  readonly entry: number;
  readonly typed: boolean;
}

/**
 * A machine that runs the programs of an object: no kernel, no root. Maps keep their contents from run to run; time, task and
 * memory are those of its world. Whatever the kernel would not let a program do is a MachineFault that names the instruction.
 *
 * ```ts
 * const machine = new Machine(spec, { world: new World({ pid: 7, comm: "cat" }) });
 * const { result } = machine.run("on_open", argumentsContext(path, 0));
 * expect(machine.ring("events").events()).toEqual([{ pid: 7 }]);
 * ```
 */
export class Machine<const S extends ObjectSpec = ObjectSpec> {
  /** What the machine was made from. */
  readonly spec: S;
  /** What programs see of the world: change it between runs. */
  readonly world: World;
  /** How many CPUs there are. */
  readonly cpus: number;
  /** The object's maps, typed by their specs. */
  readonly maps: MachineMaps<S>;
  readonly #maps = new Map<string, MachineMap>();
  /** The object's rings, and those that were made besides. */
  readonly #rings: RingMachineMap<unknown>[] = [];
  readonly #programs = new Map<string, Runnable | { readonly fault: MachineFault }>();
  readonly #cpu: Cpu;
  readonly #options: MachineOptions;
  readonly #little: boolean;
  readonly #graves: Region[] = [];
  #running = false;

  /**
   * Throws MachineError for maps that cannot be. A program that has instructions which are none throws its MachineFault when it
   * is run: the others run nevertheless.
   */
  constructor(spec: S, options: MachineOptions = {}) {
    this.spec = spec;
    this.#options = options;
    this.world = options.world ?? new World();
    this.cpus = options.cpus ?? CPUS;
    if (!Number.isInteger(this.cpus) || this.cpus < 1)
      throw new MachineError(`A machine has at least one CPU, and ${options.cpus} is none.`);
    this.#little = (spec.byteOrder ?? MACHINE_ORDER) === "little";
    for (const [name, map] of Object.entries(spec.maps)) this.#maps.set(name, this.#makeMap(name, map));
    this.maps = Object.fromEntries(this.#maps) as unknown as MachineMaps<S>;
    this.#fillSlots();
    const image = new Image();
    const helper = helperResolver(options.helpers ?? {});
    this.#translate(image, surroundingsOf(this.world._space, this.#maps, spec, options, helper));
    image.finish();
    this.#cpu = new Cpu(image, this.world._space, {
      checked: options.uninitialised !== "zero",
      maxInstructions: options.maxInstructions ?? MOST_INSTRUCTIONS,
      little: this.#little,
      helper,
    });
  }

  /**
   * Runs a program. `context` is what r1 points to (`argumentsContext`, `registersContext`, `packetContext`, `layoutContext`, or
   * bytes); null when left out. Throws MachineFault for what the kernel would not let the program do: then maps are as the
   * program left them. Throws MachineError for a program that there is not.
   */
  run(program: keyof S["programs"] & string, context?: Context, options: RunOptions = {}): RunResult {
    const { entry, typed } = this.#runnable(program);
    const spec = this.spec.programs[program] as ProgramSpec;
    const { world } = this;
    if (world.cpu >= this.cpus)
      throw new MachineError(
        `The world is on CPU ${world.cpu}, and the machine has ${this.cpus}: make it with more cpus.`,
      );
    if (this.#running) throw new MachineError("The machine is running a program: make another for a second one.");
    const regions: Region[] = [];
    const state = this.#state(spec, ...this.#surroundings(context, options), regions);
    const cpu = this.#cpu;
    cpu.probing = this.#options.badReads === undefined ? typed : this.#options.badReads === "zero";
    this.#running = true;
    try {
      const r0 = cpu.run(entry, state, options.size);
      const { instructions } = cpu;
      this.#mustBeReleased(state);
      return {
        r0,
        result: Number(BigInt.asIntN(32, r0)),
        instructions,
        output: state.output.map((bytes) => decoder.decode(bytes)).join(""),
      };
    } finally {
      this.#running = false;
      for (const ring of this.#rings) ring._abandon();
      for (const region of this.#graves.splice(0)) this.#remove(region);
      for (const region of regions) this.#remove(region);
    }
  }

  /** Makes a further map, for a slot of a map of maps. Throws MachineError for a spec that cannot be. */
  createMap<const M extends MapSpec>(name: string, spec: M): MachineMapOf<M> {
    return this.#makeMap(name, spec) as MachineMapOf<M>;
  }

  /**
   * A map with keys and values, by name, for objects whose types are not known while compiling. Throws MachineError for one that
   * there is not or that has none.
   */
  map<K = unknown, V = unknown>(name: string): KeyedMachineMap<K, V> {
    const map = this.#map(name);
    if (map instanceof KeyedMachineMap) return map as KeyedMachineMap<K, V>;
    throw new MachineError(
      `Map "${name}" is of type ${map.spec.type} and has no keys and values: it is machine.maps["${name}"].`,
    );
  }

  /** A ring buffer by name. Throws MachineError for one that there is not or that is none. */
  ring<T = Uint8Array>(name: string): RingMachineMap<T> {
    const map = this.#map(name);
    if (map instanceof RingMachineMap) return map as RingMachineMap<T>;
    throw new MachineError(`Map "${name}" is of type ${map.spec.type} and no ring buffer.`);
  }

  /** The value of a global variable of the object, typed by its BTF. Throws MachineError for one that there is not. */
  variable(name: string): unknown {
    const { variable, bytes } = this.#variable(name);
    return decodeVariable(this.spec.btf, variable, bytes);
  }

  /** Sets a global variable. Throws MachineError for one that there is not, VariableError for what it cannot hold. */
  setVariable(name: string, value: unknown): void {
    const { variable, bytes } = this.#variable(name);
    bytes.set(encodeVariable(this.spec.btf, name, variable, value));
  }

  #variable(name: string) {
    const variables = this.spec.variables ?? {};
    const variable = Object.hasOwn(variables, name) ? variables[name] : undefined;
    const map = variable === undefined ? undefined : this.#maps.get(variable.map);
    const entry = map instanceof KeyedMachineMap ? map._find(new Uint8Array(4), false) : undefined;
    if (variable === undefined || entry === undefined)
      throw new MachineError(
        `The object has no variable "${name}" (it has: ${Object.keys(variables).join(", ") || "none"}).`,
      );
    const value = entry.values[0] as Uint8Array;
    return { variable, bytes: value.subarray(variable.offset, variable.offset + variable.size) };
  }

  #map(name: string): MachineMap {
    const map = this.#maps.get(name);
    if (map === undefined)
      throw new MachineError(
        `The object has no map "${name}" (it has: ${[...this.#maps.keys()].join(", ") || "none"}).`,
      );
    return map;
  }

  #runnable(program: string): Runnable {
    const found = this.#programs.get(program);
    if (found === undefined)
      throw new MachineError(
        `The object has no program "${program}" (it has: ${[...this.#programs.keys()].join(", ") || "none"}).`,
      );
    if ("fault" in found) throw found.fault;
    return found;
  }

  /** The context and the options as a run has them: of a USDT program with the probe described. */
  #surroundings(context: Context | undefined, options: RunOptions): [Context | undefined, RunOptions] {
    const { probeArguments, cookie } = options;
    if (probeArguments === undefined) return [context, options];
    const registers = context instanceof Uint8Array ? context : undefined;
    const probe = describeProbe(this.#maps, probeArguments, BigInt(cookie ?? 0), registers, this.#little);
    return [probe.context, { ...options, cookie: probe.number }];
  }

  #state(spec: ProgramSpec, context: Context | undefined, options: RunOptions, regions: Region[]): RunState {
    const { _space: space } = this.world;
    const writable = !READ_ONLY.includes(spec.type);
    let seen: Region | undefined;
    let packet: Region | undefined;
    if (context instanceof Uint8Array) seen = space.add("context", "context", context, writable);
    else if (context !== undefined) {
      seen = space.add("context", "context", context.bytes, true);
      packet = space.add("packet", "packet", context.packet, true);
      const places = PACKET_POINTERS[context.kind];
      const end = packet.address + BigInt(packet.size);
      seen.pointers = new Map<number, Region | bigint>([
        [places.data, packet],
        [places.dataEnd, end],
        [places.dataMeta, packet],
      ]);
    }
    for (const region of [seen, packet]) if (region !== undefined) regions.push(region);
    return {
      world: this.world,
      context: seen,
      packet,
      cookie: BigInt.asUintN(64, BigInt(options.cookie ?? 0)),
      functionAddress: BigInt.asUintN(64, BigInt(options.functionAddress ?? 0)),
      argumentCount: options.argumentCount ?? Math.floor((seen?.size ?? 0) / 8),
      entryOf: (name) => {
        const found = this.#programs.get(name);
        return found !== undefined && "entry" in found ? found.entry : undefined;
      },
      output: [],
      locks: new Set(),
      iterators: new Set(),
      tailCalls: 0,
      trace: options.trace,
    };
  }

  /** A program must have given back what it took. */
  #mustBeReleased({ locks, iterators }: RunState): void {
    const cpu = this.#cpu;
    for (const ring of this.#rings)
      if (ring._abandon() > 0)
        cpu.fault(
          "UNRELEASED",
          `The program ends with a record of ring "${ring.name}" neither submitted nor discarded.`,
        );
    if (locks.size > 0) cpu.fault("UNRELEASED", "The program ends with a lock held.");
    if (iterators.size > 0) cpu.fault("UNRELEASED", "The program ends with an iterator that is not destroyed.");
  }

  #remove(region: Region): void {
    region.dead = true;
    this.world._space.remove(region);
  }

  #makeMap(name: string, spec: MapSpec): MachineMap {
    const { key, value, keyType, valueType, keySize, valueSize } = spec;
    // A ring's values are its records.
    for (const [what, layout, size] of [
      ["keys", key, keySize],
      ["values", value, valueSize],
    ] as const)
      if (layout !== undefined && size !== undefined && layout.size !== size && spec.type !== "ringbuf")
        throw new MachineError(`Map "${name}" has ${what} of ${size} bytes, and their layout has ${layout.size}.`);
    const map = makeMap({
      name,
      spec,
      space: this.world._space,
      cpus: this.cpus,
      little: this.#little,
      key: key ?? this.#layout(keyType, keySize),
      value: value ?? this.#layout(valueType, valueSize),
      bury: (region) => void (this.#running ? this.#graves.push(region) : this.#remove(region)),
    });
    if (map instanceof RingMachineMap) this.#rings.push(map);
    return map;
  }

  /** How a type of the object's BTF reads; undefined where it has no size, or another: then it is bytes. */
  #layout(type: number | undefined, size: number | undefined): Layout | undefined {
    const { btf } = this.spec;
    if (btf === undefined || btf.byteOrder !== MACHINE_ORDER || type === undefined || type === 0) return undefined;
    try {
      const layout = layoutOf(btf, type);
      return size === undefined || size === 0 || layout.size === size ? layout : undefined;
    } catch (error) {
      if (error instanceof BtfError) return undefined;
      throw error;
    }
  }

  /** What slots hold from the start: maps of maps, program arrays. */
  #fillSlots(): void {
    for (const map of this.#maps.values())
      for (const [slot, name] of Object.entries(map.spec.slots ?? {})) {
        const inner = this.#maps.get(name);
        if (map instanceof ProgramMachineMap) map.set(Number(slot), name);
        else if (map instanceof MapOfMachineMaps && inner !== undefined) map.set(Number(slot), inner);
      }
  }

  #translate(image: Image, surroundings: Surroundings): void {
    const { btf: target } = this.#options;
    const { btf: local, programs } = this.spec;
    const resolver =
      target === undefined || local === undefined ? undefined : new CoreResolver(local, { kernel: target });
    for (const [name, program] of Object.entries(programs)) {
      const { instructions } = program;
      try {
        const relocated: readonly Instruction[] =
          resolver === undefined || local === undefined
            ? instructions
            : relocateCore(name, instructions, local, resolver);
        const entry = translate(name, relocated, image, surroundings);
        this.#programs.set(name, { entry, typed: readsTyped(program) });
      } catch (error) {
        if (!(error instanceof MachineFault)) throw error;
        this.#programs.set(name, { fault: error });
      }
    }
  }
}
