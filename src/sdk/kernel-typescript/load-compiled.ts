import {
  type AnyType,
  type Counter,
  type Histogram,
  type KernelProgram,
  type Linear,
  ORIGIN,
  type ParamDescriptor,
  type ProgramArray,
  type Ring,
} from "../../language/kernel/index.ts";
import { BytesCodec, type Layout } from "../../object/codec/index.ts";
import { VariableError } from "../../object/spec/index.ts";
import { Link } from "../../runtime/link/index.ts";
import { type LoadedObject, loadObject, type ObjectLoadOptions, type Program } from "../../runtime/load/index.ts";
import type { BpfMap, KeyedMap } from "../../runtime/map/index.ts";
import { ClosedError } from "../../runtime/sys/index.ts";
import type { Compiled, PrintFormat } from "./compiled.ts";
import { LiveEvents } from "./live-events.ts";
import {
  keyedAggregate,
  keyedHistogram,
  LiveArray,
  LiveStacks,
  logarithmic,
  READINGS,
  type Reading,
  stepped,
  totalAggregate,
  totalHistogram,
} from "./live-maps.ts";
import { livePrints } from "./live-prints.ts";
import { AttachableProgram, RunnableProgram } from "./live-program.ts";
import type { LiveGlobal, Loaded, ParamsOf } from "./loaded-types.ts";
import { lossCounter, lossesOf } from "./losses.ts";

/** Kinds that are told where to, or when: `attach()` of all leaves them alone. */
const TOLD: ReadonlySet<string> = new Set(["xdp", "syscall"]);

/** Loads what a module was compiled to, and makes of its exports what they are at work. When one part fails nothing stays. */
export function loadCompiled<X extends object>(
  module: X,
  { spec, prints }: Compiled,
  params: ParamsOf<X>,
  options: Omit<ObjectLoadOptions, "variables"> = {},
): Loaded<X> {
  const object = loadObject(spec, { ...options, variables: variablesOf(module, params, spec.variables ?? {}) });
  try {
    return new LiveModule(module, object, prints) as unknown as Loaded<X>;
  } catch (error) {
    object.close();
    throw error;
  }
}

/** The bytes of parameters by the types that they are declared with. Throws VariableError. */
function variablesOf(
  module: object,
  params: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, unknown>>,
): Record<string, Uint8Array> {
  const descriptors = descriptorsOf(module).filter(([, { kind }]) => kind === "param");
  const variables: Record<string, Uint8Array> = {};
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    const descriptor = descriptors.find(([one]) => one === name)?.[1] as unknown as ParamDescriptor | undefined;
    if (descriptor === undefined)
      throw new VariableError(
        `The module has no parameter "${name}" (it has: ${descriptors.map(([one]) => one).join(", ") || "none"}).`,
      );
    const bytes = encode(name, descriptor.type as AnyType, value);
    // A parameter that no program asks for has no place.
    if (Object.hasOwn(known, name)) variables[name] = bytes;
  }
  return variables;
}

function encode(name: string, { layout }: AnyType, value: unknown): Uint8Array {
  try {
    return new BytesCodec(layout).encode(wide(layout, value) as never);
  } catch (error) {
    throw new VariableError(`Parameter "${name}" cannot be ${String(value)}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** 64 bits may be said as a number: `{ minUs: 5 }`. */
function wide({ kind }: Layout, value: unknown): unknown {
  const isWide = kind === "u64" || kind === "i64" || kind === "be64";
  return isWide && typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value;
}

/** The ring of what programs print. */
const PRINTS = "print";

class LiveModule implements Disposable {
  readonly maps: Record<string, unknown> = {};
  readonly events: Record<string, LiveEvents<unknown>> = {};
  readonly globals: Record<string, LiveGlobal<unknown>> = {};
  readonly programs: Record<string, AttachableProgram | RunnableProgram> = {};
  /** The object itself, with all that objects can. */
  readonly object: LoadedObject;
  readonly prints: LiveEvents<string> | undefined;
  readonly #links = new Set<Link>();
  /** Programs that others go on in: they do not begin by themselves. */
  readonly #continued = new Set<string>();
  #closed = false;

  constructor(module: object, object: LoadedObject, prints: readonly PrintFormat[]) {
    this.object = object;
    this.prints =
      prints.length === 0 ? undefined : livePrints(this.#map(PRINTS), prints, { dropped: lossCounter(object, PRINTS) });
    for (const [name, descriptor] of descriptorsOf(module)) {
      if ("target" in descriptor) this.#addProgram(name, descriptor as unknown as KernelProgram);
      else if (descriptor.kind === "records")
        this.events[name] = LiveEvents.records(this.#map(name), { dropped: lossCounter(object, name) });
      else if (descriptor.kind === "ringbuf")
        this.events[name] = LiveEvents.of(
          this.#map(name),
          (descriptor as unknown as Ring<unknown, unknown>).value.layout,
          {
            dropped: lossCounter(object, name),
          },
        );
      else if (descriptor.kind === "global") this.globals[name] = liveGlobal(object, name);
      else {
        if (descriptor.kind === "progArray")
          for (const program of (descriptor as unknown as ProgramArray<string>).programs) this.#continued.add(program);
        const map = this.#liveMap(name, descriptor);
        if (map !== undefined) this.maps[name] = map;
      }
    }
  }

  get losses(): Readonly<Record<string, number>> {
    return lossesOf(this.object);
  }

  attach(): Link {
    if (this.#closed) throw new ClosedError("The module");
    const links: Link[] = [];
    const undo = () => {
      for (const link of links) link.close();
    };
    try {
      for (const [name, program] of Object.entries(this.programs))
        if (program instanceof AttachableProgram && !TOLD.has(program.kind) && !this.#continued.has(name))
          links.push(program.attach());
    } catch (error) {
      undo();
      throw error;
    }
    const link = new Link(`${links.length} program${links.length === 1 ? "" : "s"} of a module`, { undo });
    this.#links.add(link);
    return link;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const link of this.#links) link.close();
    for (const events of Object.values(this.events)) events._close();
    this.prints?._close();
    this.object.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #map(name: string): BpfMap {
    return found("map", name, this.object.maps as Readonly<Record<string, BpfMap>>);
  }

  #addProgram(name: string, descriptor: KernelProgram): void {
    const program = found("program", name, this.object.programs as Readonly<Record<string, Program>>);
    this.programs[name] =
      descriptor.kind === "syscall"
        ? new RunnableProgram(descriptor as KernelProgram<"syscall">, program)
        : new AttachableProgram(
            descriptor as KernelProgram<never>,
            program,
            this.object.maps as Readonly<Record<string, BpfMap>>,
          );
  }

  /** What a descriptor's map is at work; undefined for what is no map. */
  #liveMap(name: string, descriptor: Described): unknown {
    const keyed = () => this.#map(name) as KeyedMap<unknown, unknown>;
    switch (descriptor.kind) {
      case "hash":
      case "perCpuHash":
      case "taskStorage":
      case "progArray":
      case "cgroupArray":
        return this.#map(name);
      case "array":
      case "perCpuArray":
        return new LiveArray(keyed() as KeyedMap<number, unknown>);
      case "stackTraces":
        return new LiveStacks(keyed() as KeyedMap<number, bigint[]>);
      case "counter":
      case "sum":
      case "avg":
      case "min":
      case "max": {
        const reading = READINGS[descriptor.kind] as Reading<unknown>;
        const { key } = descriptor as unknown as Counter<unknown, unknown>;
        return key === undefined ? totalAggregate(keyed(), reading) : keyedAggregate(keyed(), reading);
      }
      case "histogram": {
        const { key, options } = descriptor as unknown as Histogram<unknown, unknown>;
        const range = logarithmic(options.bits ?? 0);
        return key === undefined ? totalHistogram(keyed(), range) : keyedHistogram(keyed(), range);
      }
      case "linear": {
        const { key, options } = descriptor as unknown as Linear<unknown, unknown>;
        const range = stepped(options);
        return key === undefined ? totalHistogram(keyed(), range) : keyedHistogram(keyed(), range);
      }
      default:
        return undefined;
    }
  }
}

/** A descriptor of `skep/kernel`. Which class made it does not matter: a bundle may have a copy of these of its own. */
interface Described {
  readonly kind: string;
}

function descriptorsOf(module: object): [name: string, descriptor: Described][] {
  return Object.entries(module).filter(
    (entry): entry is [string, Described] => typeof entry[1] === "object" && entry[1] !== null && ORIGIN in entry[1],
  );
}

/** What the object has under an export's name. A module that was changed after it was compiled may differ. */
function found<T>(what: string, name: string, all: Readonly<Record<string, T>>): T {
  const one = Object.hasOwn(all, name) ? all[name] : undefined;
  if (one !== undefined) return one;
  throw new TypeError(
    `The module exports ${what} "${name}", and the source that was compiled has none of this name (it has: ${Object.keys(all).join(", ") || "none"}): is it the source of this module?`,
  );
}

function liveGlobal(object: LoadedObject, name: string): LiveGlobal<unknown> {
  const variable = found("variable", name, object.variables);
  return {
    get value() {
      return variable.get();
    },
    set value(value: unknown) {
      variable.set(value);
    },
  };
}
