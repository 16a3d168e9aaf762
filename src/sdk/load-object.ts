import type { ObjectSpec } from "../object/spec/index.ts";
import {
  type LiveVariable,
  type LoadedObject,
  loadObject as loadSpec,
  type ObjectLoadOptions,
  type ObjectSource,
  type Program,
  specOf,
} from "../runtime/load/index.ts";
import type { BpfMap } from "../runtime/map/index.ts";

/** A global variable whose type is known: what `skep gen` writes. */
export interface TypedVariable<T> extends LiveVariable {
  /** Its value now. */
  get(): T;
  /** Changes it, for running programs, too. Throws as `LiveVariable.set` does. */
  set(value: T): void;
}

/** What a loaded file holds, as `skep gen` writes it; what every file may hold when nothing is said. */
export interface LoadedShape {
  readonly maps: Readonly<Record<string, BpfMap>>;
  readonly programs: Readonly<Record<string, Program>>;
  readonly variables: Readonly<Record<string, LiveVariable>>;
}

/** The values that variables of a file take before it is loaded. */
type VariablesOf<T> = T extends { readonly variables: infer V }
  ? { readonly [K in keyof V]?: V[K] extends TypedVariable<infer U> ? U : unknown }
  : Readonly<Record<string, unknown>>;

/** Parts of a loaded object that are the same whatever it holds. */
type Common = Pick<LoadedObject, "links" | "attach" | "replace" | "close" | typeof Symbol.dispose>;

/**
 * Loads an object into the kernel: a file, the bytes of one, or a spec. Fits its programs to the kernel's types (CO-RE),
 * finds what it wants of the kernel by name, creates its maps and fills them, loads its programs. When one part fails,
 * those made before it are closed again: the kernel is left as it was.
 *
 * Throws ElfError, BtfError, ObjectFileError (the file), CoreError, ObjectError (it does not fit this kernel), SystemError,
 * VerifierError (the kernel refuses it). Needs CAP_BPF, and CAP_PERFMON for tracing or CAP_NET_ADMIN for networking programs.
 * The caller closes the object. Of a spec written in TypeScript the maps' types are known; of a file they are when its
 * interface is named, which `skep gen FILE.o` writes: `loadObject<Opensnoop>("opensnoop.bpf.o")`.
 */
export function loadObject<const S extends ObjectSpec>(source: S, options?: ObjectLoadOptions): LoadedObject<S>;
export function loadObject<T extends { readonly [K in keyof LoadedShape]: object } = LoadedShape>(
  source: string | URL | Uint8Array,
  options?: Omit<ObjectLoadOptions, "variables" | "programs"> & {
    readonly programs?: readonly Extract<keyof T["programs"], string>[];
    readonly variables?: VariablesOf<T>;
  },
): NoInfer<T> & Common;
export function loadObject(source: ObjectSource, options: ObjectLoadOptions = {}): LoadedObject {
  return loadSpec(specOf(source), options);
}
