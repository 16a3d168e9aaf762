import type { Ref } from "./cell.ts";
import type { KernelType } from "./context.ts";
import { kernelOnly } from "./kernel-only.ts";
import { Descriptor } from "./origin.ts";
import type { i64 } from "./scalar.ts";
import type { Type } from "./type.ts";

/** How a map is made. */
export interface MapOptions {
  /** Entries that it holds at most; 10,240 when left out. */
  readonly max?: number;
  /** When it is full, the entries that were not used for longest make room. */
  readonly lru?: boolean;
  /** Each CPU has values of its own. */
  readonly perCpu?: boolean;
  /** Kept under this name in a bpffs, where the next load finds it with all it holds. */
  readonly pinned?: string;
}

/** When a write may happen: always, only for a new key, only for a key that is there. */
export type WriteMode = "any" | "noexist" | "exist";

abstract class Keyed<KK, DK, KV, DV> extends Descriptor {
  readonly key: Type<KK, DK>;
  readonly value: Type<KV, DV>;
  readonly options: MapOptions;

  constructor(key: Type<KK, DK>, value: Type<KV, DV>, options: MapOptions) {
    super();
    this.key = key;
    this.value = value;
    this.options = options;
  }

  /** What stands at the key: of scalars a copy, of structs the value in place; `undefined` when nothing does. */
  get(_key: KK): KV | undefined {
    return kernelOnly("map.get()");
  }

  /** What stands at the key, in place; `undefined` when nothing does. */
  ref(_key: KK): Ref<KV> | undefined {
    return kernelOnly("map.ref()");
  }

  /** Writes a value; false when it was refused: the map is full, or `mode` says so. */
  set(_key: KK, _value: KV, _mode?: WriteMode): boolean {
    return kernelOnly("map.set()");
  }

  /** What stands at the key, in place, after `initial` (zeros when left out) was put there if nothing was; `undefined` when the map is full. */
  getOrInsert(_key: KK, _initial?: KV): Ref<KV> | undefined {
    return kernelOnly("map.getOrInsert()");
  }

  /** Removes a key; false when it was not there. */
  delete(_key: KK): boolean {
    return kernelOnly("map.delete()");
  }

  /** Whether the key is there. */
  has(_key: KK): boolean {
    return kernelOnly("map.has()");
  }

  /** `for (const [key, value] of map)`: all entries, in no order. Linux 5.13. */
  [Symbol.iterator](): IterableIterator<[KK, KV]> {
    return kernelOnly("for (… of map)");
  }
}

/** A hash table that all CPUs share. Made by `hash(key, value)`. */
export class HashMap<KK, DK, KV, DV> extends Keyed<KK, DK, KV, DV> {
  readonly kind = "hash";
}

/** A hash table in which each CPU has a value of its own for a key. Made by `hash(key, value, { perCpu: true })`. */
export class PerCpuHashMap<KK, DK, KV, DV> extends Keyed<KK, DK, KV, DV> {
  readonly kind = "perCpuHash";
}

/** A hash table: `hash(u32, u64, { max: 10_240 })`; with `lru`, old entries make room. */
export function hash<KK, DK, KV, DV>(
  key: Type<KK, DK>,
  value: Type<KV, DV>,
  options: MapOptions & { readonly perCpu: true },
): PerCpuHashMap<KK, DK, KV, DV>;
export function hash<KK, DK, KV, DV>(
  key: Type<KK, DK>,
  value: Type<KV, DV>,
  options?: MapOptions & { readonly perCpu?: false },
): HashMap<KK, DK, KV, DV>;
export function hash<KK, DK, KV, DV>(
  key: Type<KK, DK>,
  value: Type<KV, DV>,
  options: MapOptions = {},
): HashMap<KK, DK, KV, DV> | PerCpuHashMap<KK, DK, KV, DV> {
  return options.perCpu === true ? new PerCpuHashMap(key, value, options) : new HashMap(key, value, options);
}

/** How an array map is made. */
export type ArrayOptions = Pick<MapOptions, "perCpu" | "pinned">;

abstract class Indexed<KV, DV, N extends number> extends Descriptor {
  readonly value: Type<KV, DV>;
  readonly length: N;
  readonly options: ArrayOptions;

  constructor(value: Type<KV, DV>, length: N, options: ArrayOptions) {
    super();
    this.value = value;
    this.length = length;
    this.options = options;
  }

  /** What stands at the index, which the compiler must see to be below `length`: of scalars a copy, of structs in place. */
  get(_index: number): KV {
    return kernelOnly("map.get()");
  }

  /** What stands at the index, in place. */
  ref(_index: number): Ref<KV> {
    return kernelOnly("map.ref()");
  }

  /** Writes a value. */
  set(_index: number, _value: KV): void {
    kernelOnly("map.set()");
  }
}

/** Values by index that all CPUs share, zero from the beginning. Made by `arrayMap(value, length)`. */
export class ArrayMap<KV, DV, N extends number> extends Indexed<KV, DV, N> {
  readonly kind = "array";
}

/** Values by index, for each CPU its own. Made by `arrayMap(value, length, { perCpu: true })`. */
export class PerCpuArrayMap<KV, DV, N extends number> extends Indexed<KV, DV, N> {
  readonly kind = "perCpuArray";
}

/** An array map: `arrayMap(Stat, 256)`. Every index is there from the beginning. */
export function arrayMap<KV, DV, N extends number>(
  value: Type<KV, DV>,
  length: N,
  options: ArrayOptions & { readonly perCpu: true },
): PerCpuArrayMap<KV, DV, N>;
export function arrayMap<KV, DV, N extends number>(
  value: Type<KV, DV>,
  length: N,
  options?: ArrayOptions & { readonly perCpu?: false },
): ArrayMap<KV, DV, N>;
export function arrayMap<KV, DV, N extends number>(
  value: Type<KV, DV>,
  length: N,
  options: ArrayOptions = {},
): ArrayMap<KV, DV, N> | PerCpuArrayMap<KV, DV, N> {
  return options.perCpu === true
    ? new PerCpuArrayMap(value, length, options)
    : new ArrayMap<KV, DV, N>(value, length, options);
}

/** A value for each thread that ends with it. Made by `taskStorage(type)`. Linux 5.11. */
export class TaskStorage<KV, DV> extends Descriptor {
  readonly kind = "taskStorage";
  readonly value: Type<KV, DV>;

  constructor(value: Type<KV, DV>) {
    super();
    this.value = value;
  }

  /** The task's value in place (`get(task())`); `undefined` when it has none. */
  get(_task: KernelType<"task_struct">): Ref<KV> | undefined {
    return kernelOnly("storage.get()");
  }

  /** The task's value in place, zeros where it had none; `undefined` when there is no memory. */
  getOrInsert(_task: KernelType<"task_struct">): Ref<KV> | undefined {
    return kernelOnly("storage.getOrInsert()");
  }

  /** Removes the task's value; false when it had none. */
  delete(_task: KernelType<"task_struct">): boolean {
    return kernelOnly("storage.delete()");
  }
}

/** A value for each thread: `taskStorage(u64)`. It needs no key, no size, and is gone with its thread. */
export function taskStorage<KV, DV>(value: Type<KV, DV>): TaskStorage<KV, DV> {
  return new TaskStorage(value);
}

/** Call stacks by number. Made by `stackTraces(max)`. */
export class StackTraces extends Descriptor {
  readonly kind = "stackTraces";
  readonly max: number;

  constructor(max: number) {
    super();
    this.max = max;
  }

  /** The number of the kernel's call stack here; negative when it could not be taken. */
  id(): i64 {
    return kernelOnly("stacks.id()");
  }

  /** The number of the process's call stack; negative when it could not be taken. */
  userId(): i64 {
    return kernelOnly("stacks.userId()");
  }
}

/** Keeps up to `max` different call stacks; programs get their numbers, JavaScript the addresses. */
export function stackTraces(max: number): StackTraces {
  return new StackTraces(max);
}

/** Programs of the module by number, to go on in. Made by `progArray([…])`. */
export class ProgramArray<N extends string> extends Descriptor {
  readonly kind = "progArray";
  readonly programs: readonly N[];

  constructor(programs: readonly N[]) {
    super();
    this.programs = programs;
  }

  /**
   * Goes on in another program, of the same kind and with the same context, and does not come back; after 33 of them, or where the slot
   * is empty, it does nothing. What a program keeps for the next stands in a map: variables are gone.
   */
  tailCall(_program: N | number): void {
    kernelOnly("programs.tailCall()");
  }
}

/** Programs to go on in, by the names under which the module has them: `progArray(["parse", "report"])`. */
export function progArray<const N extends string>(programs: readonly N[]): ProgramArray<N> {
  return new ProgramArray(programs);
}

/** Cgroups that JavaScript puts in by their folders. Made by `cgroupArray(length)`. */
export class CgroupArray extends Descriptor {
  readonly kind = "cgroupArray";
  readonly length: number;

  constructor(length: number) {
    super();
    this.length = length;
  }

  /** Whether the thread is in the cgroup (v2) at the index, or in one below it; false where there is none. */
  currentTaskUnder(_index: number): boolean {
    return kernelOnly("cgroups.currentTaskUnder()");
  }
}

/** Cgroups to look for the thread in: `cgroupArray(1)`. */
export function cgroupArray(length: number): CgroupArray {
  return new CgroupArray(length);
}
