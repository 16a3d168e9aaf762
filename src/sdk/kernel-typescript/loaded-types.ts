import type {
  ArrayMap,
  Average,
  CgroupArray,
  Counter,
  Global,
  HashMap,
  Histogram,
  KernelProgram,
  Linear,
  Maximum,
  Minimum,
  Param,
  PerCpuArrayMap,
  PerCpuHashMap,
  ProgramArray,
  Records,
  Ring,
  StackTraces,
  Sum,
  TaskStorage,
} from "../../language/kernel/index.ts";
import type { Link } from "../../runtime/link/index.ts";
import type { LoadedObject } from "../../runtime/load/index.ts";
import type { KeyedMap, ReferenceMap, StorageMap } from "../../runtime/map/index.ts";
import type { HistogramValue } from "./histogram-value.ts";
import type { LiveEvents } from "./live-events.ts";
import type { LiveAggregate, LiveArray, LiveStacks, LiveTotal } from "./live-maps.ts";
import type { AttachArguments, LiveProgram } from "./live-program.ts";

// What a module's exports become when it is loaded: worked out by TypeScript alone, from the descriptors' types.

// biome-ignore lint/suspicious/noExplicitAny: whatever the descriptor is of.
type Any = any;

/** A map by its descriptor: what it holds is inferred from the descriptor's types. */
export type LiveMapOf<T> =
  T extends HashMap<Any, infer K, Any, infer V>
    ? KeyedMap<K, V>
    : T extends PerCpuHashMap<Any, infer K, Any, infer V>
      ? KeyedMap<K, V[]>
      : T extends ArrayMap<Any, infer V, Any>
        ? LiveArray<V>
        : T extends PerCpuArrayMap<Any, infer V, Any>
          ? LiveArray<V[]>
          : T extends TaskStorage<Any, infer V>
            ? StorageMap<V>
            : T extends StackTraces
              ? LiveStacks
              : T extends ProgramArray<Any> | CgroupArray
                ? ReferenceMap<number>
                : T extends Counter<Any, infer K> | Sum<Any, infer K>
                  ? Aggregated<K, number>
                  : T extends Average<Any, infer K> | Minimum<Any, infer K> | Maximum<Any, infer K>
                    ? Aggregated<K, number | undefined>
                    : T extends Histogram<Any, infer K> | Linear<Any, infer K>
                      ? Aggregated<K, HistogramValue>
                      : never;

type Aggregated<K, V> = [K] extends [undefined] ? LiveTotal<V> : LiveAggregate<K, V>;

/** Descriptors that become maps. */
export type AnyMap =
  | HashMap<Any, Any, Any, Any>
  | PerCpuHashMap<Any, Any, Any, Any>
  | ArrayMap<Any, Any, Any>
  | PerCpuArrayMap<Any, Any, Any>
  | TaskStorage<Any, Any>
  | StackTraces
  | ProgramArray<Any>
  | CgroupArray
  | Counter<Any, Any>
  | Sum<Any, Any>
  | Average<Any, Any>
  | Minimum<Any, Any>
  | Maximum<Any, Any>
  | Histogram<Any, Any>
  | Linear<Any, Any>;

/** A variable of a loaded program. */
export interface LiveGlobal<V> {
  /** What it holds now; writing it changes it for the programs at once. Throws CodecError for a value that does not fit. */
  value: V;
}

type ParamMark = keyof Extract<Param<object, unknown>, object>;
type ParamKeys<X> = { [E in keyof X]: ParamMark extends keyof X[E] ? E : never }[keyof X];
type ParamValue<T> = T extends Param<unknown, infer D> ? D | (bigint extends D ? number : never) : never;

/** The parameters of a module with what they may be set to. */
export type ParamsOf<X> = { readonly [E in ParamKeys<X>]?: ParamValue<X[E]> };

/** A loaded module: its exports, as far as they are at work. Closing it detaches and frees all that it has. */
export interface Loaded<X> extends Disposable {
  /** Maps and aggregations that the module exports, decoded. */
  readonly maps: { readonly [E in keyof X as X[E] extends AnyMap ? E : never]: LiveMapOf<X[E]> };
  /** Ring buffers that the module exports, as streams of events. */
  readonly events: {
    readonly [E in keyof X as X[E] extends Ring<Any, Any> | Records ? E : never]: X[E] extends Ring<Any, infer D>
      ? LiveEvents<D>
      : LiveEvents<Uint8Array>;
  };
  /** Variables that the module exports. */
  readonly globals: {
    readonly [E in keyof X as X[E] extends Global<Any, Any> ? E : never]: X[E] extends Global<Any, infer D>
      ? LiveGlobal<D>
      : never;
  };
  /** Programs that the module exports, to be attached one by one or run. */
  readonly programs: {
    readonly [E in keyof X as X[E] extends KernelProgram<Any, Any> ? E : never]: X[E] extends KernelProgram<
      infer K extends keyof AttachArguments,
      infer C
    >
      ? LiveProgram<K, C>
      : never;
  };
  /** The lines that programs print; `undefined` where no program prints. */
  readonly prints: LiveEvents<string> | undefined;
  /** How often each map and ring had no room for what programs put in, unless they looked themselves: 0 is as it should be. */
  readonly losses: Readonly<Record<string, number>>;
  /** The object that the module was compiled to, with all that objects can. */
  readonly object: LoadedObject;
  /**
   * Attaches every program but those that are told where to (`xdp`), run by JavaScript (`syscall`), or gone on in (`progArray`). When one fails, those
   * attached before it are detached. Closing the link detaches; so does closing the module. Throws what attaching the kinds throws.
   */
  attach(): Link;
  /** Detaches and frees all that the module has. Closing twice does nothing. */
  close(): void;
}
