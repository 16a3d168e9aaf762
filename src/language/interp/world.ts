import type { Btf } from "../../object/btf/index.ts";
import { KernelObjects, type KernelValue } from "./kernel-struct.ts";
import { AddressSpace, hex } from "./memory/address-space.ts";
import type { Region } from "./memory/region.ts";

/** What the world is like at the beginning; each can be set again at any time. */
export interface WorldOptions {
  /** Nanoseconds since boot without sleep, as `ktime_get_ns` tells them. A second when left out. */
  readonly now?: bigint | number;
  /** Nanoseconds that pass with each question for the time; 0 when left out: time stands still. */
  readonly tick?: bigint | number;
  /** The process (tgid); 1000 when left out. */
  readonly pid?: number;
  /** The thread; the process's when left out. */
  readonly tid?: number;
  /** 1000 when left out. */
  readonly uid?: number;
  /** 1000 when left out. */
  readonly gid?: number;
  /** Up to 15 bytes; `"program"` when left out. */
  readonly comm?: string;
  /** The CPU programs run on; 0 when left out. */
  readonly cpu?: number;
  /** 1 when left out. */
  readonly cgroupId?: bigint | number;
  /** Memory at addresses of your own: from 0x8000000000000000 on the kernel's, below the user's. */
  readonly memory?: Iterable<readonly [address: bigint, bytes: Uint8Array]>;
}

/** A signal that a program sent. */
export interface SentSignal {
  readonly signal: number;
  /** To the thread alone (`send_signal_thread`). */
  readonly thread: boolean;
  readonly pid: number;
  readonly tid: number;
}

/** How memory of the world is. */
export interface MemoryOptions {
  /** What faults call it. */
  readonly name?: string;
  /** False for memory that is swapped out: reading it fails in programs that may not sleep. */
  readonly resident?: boolean;
}

const COMM_BYTES = 16;
const SECOND = 1_000_000_000n;
/** What `now` and `jiffies64` differ by: 250 per second. */
const JIFFY = 4_000_000n;
const text = new TextEncoder();

/**
 * What programs of the machine see of the world: time, who they run as, the kernel's and the user's memory. Everything can be
 * set between runs.
 *
 * ```ts
 * const world = new World({ pid: 42, comm: "curl", now: 1_000_000n });
 * const path = world.user("/etc/hosts");
 * world.pid = 43;
 * ```
 */
export class World {
  /** Nanoseconds since boot without sleep. */
  now: bigint;
  /** Nanoseconds that pass with each question for the time. */
  tick: bigint;
  /** What the clock with sleep (`ktime_get_boot_ns`) is ahead by, in nanoseconds. */
  slept = 0n;
  /** What the clock of international atomic time is ahead by, in nanoseconds. */
  taiOffset = 0n;
  /** The process (tgid). */
  pid: number;
  /** The thread; follows `pid` until it is set. */
  #tid: number | undefined;
  uid: number;
  gid: number;
  /** The thread's name. */
  comm: string;
  /** The CPU that programs run on. */
  cpu: number;
  /** The NUMA node of that CPU. */
  numaNode = 0;
  /** Id of the cgroup (v2) of the task. */
  cgroupId: bigint;
  /** Whether the task is in the cgroup at an index of a cgroup array, or below it. */
  underCgroup: (index: number) => boolean = () => false;
  /** The address of the registers that the task entered the kernel with (`task_pt_regs`); 0 when it is not set. */
  registers = 0n;
  /** Ids of the cgroup's ancestors from the root on, for `get_current_ancestor_cgroup_id`. */
  ancestorCgroupIds: readonly bigint[] = [];
  /** What the task is called in the namespace that a program asks for; its own numbers when undefined. */
  namespaced: { readonly dev: bigint; readonly ino: bigint; readonly pid: number; readonly tid: number } | undefined;
  /** Addresses of the kernel's functions that were called, innermost first: what `get_stackid` and `get_stack` see. */
  kernelStack: readonly bigint[] = [];
  /** Addresses of the user's functions that were called, innermost first. */
  userStack: readonly bigint[] = [];
  /** The next number of `get_prandom_u32`; a fixed sequence when it is not set. */
  random: () => number = fixedSequence();
  /** Signals that programs sent, in order. */
  readonly signals: SentSignal[] = [];
  /** Lines that programs printed (`trace_printk`), in order, each as it would stand in the kernel's trace. */
  readonly printed: string[] = [];
  /** @internal */
  readonly _space = new AddressSpace();
  #task: bigint | undefined;
  readonly #kernelObjects = new KernelObjects(this._space);

  constructor(options: WorldOptions = {}) {
    this.now = BigInt(options.now ?? SECOND);
    this.tick = BigInt(options.tick ?? 0);
    this.pid = options.pid ?? 1000;
    this.#tid = options.tid;
    this.uid = options.uid ?? 1000;
    this.gid = options.gid ?? 1000;
    this.comm = options.comm ?? "program";
    this.cpu = options.cpu ?? 0;
    this.cgroupId = BigInt(options.cgroupId ?? 1);
    for (const [address, bytes] of options.memory ?? []) this.place(address, bytes);
  }

  get tid(): number {
    return this.#tid ?? this.pid;
  }

  set tid(tid: number) {
    this.#tid = tid;
  }

  /**
   * The address of the current task, as `get_current_task` gives it: an object without content, until it is set to one of
   * `kernelStruct(btf, "task_struct", …)`.
   */
  get task(): bigint {
    this.#task ??= this.#kernelRegion(new Uint8Array(0), "task_struct").address;
    return this.#task;
  }

  set task(address: bigint) {
    this.#task = BigInt.asUintN(64, address);
  }

  /** Puts text (with a NUL behind it) or bytes into user memory; the address. */
  user(content: string | Uint8Array, options: MemoryOptions = {}): bigint {
    const region = this._space.addUser(options.name ?? "memory", bytesOf(content));
    region.resident = options.resident ?? true;
    return region.address;
  }

  /** Puts text (with a NUL behind it) or bytes into the kernel's memory; the address. Programs may read it, not write it. */
  kernel(content: string | Uint8Array, options: MemoryOptions = {}): bigint {
    const region = this.#kernelRegion(bytesOf(content), options.name ?? "memory");
    region.resident = options.resident ?? true;
    return region.address;
  }

  /**
   * Puts bytes at an address: from 0x8000000000000000 on the kernel's memory, below the user's. Throws MachineError where there
   * is something.
   */
  place(address: bigint, bytes: Uint8Array, options: MemoryOptions = {}): void {
    const isKernel = BigInt.asIntN(64, address) < 0n;
    const kind = isKernel ? "kernel memory" : "user memory";
    const region = this._space.place(kind, options.name ?? "memory", address, bytes.slice(), false);
    region.resident = options.resident ?? true;
  }

  /**
   * Lays an object of the kernel out in memory, as a type of its BTF says; its address. Members that are not given are zero. A
   * member that is a pointer takes an address, or the value of what it points to, which is laid out as well; a `char *` takes
   * text; members of unnamed structs and unions are named directly. Throws MachineError for a type or a member that there is not.
   *
   * ```ts
   * world.task = world.kernelStruct(btf, "task_struct", { pid: 7, comm: "cat", real_parent: { pid: 1 } });
   * ```
   */
  kernelStruct(btf: Btf, type: string, value: Readonly<Record<string, KernelValue>>): bigint {
    return this.#kernelObjects.make(btf, type, value);
  }

  /** The bytes at an address. Throws RangeError where there is no such memory. */
  read(address: bigint, length: number): Uint8Array {
    const { region, at } = this.#located(address, length);
    return region.bytes.slice(at, at + length);
  }

  /** Changes bytes at an address, whoever may write there. Throws RangeError where there is no such memory. */
  write(address: bigint, bytes: Uint8Array): void {
    const { region, at } = this.#located(address, bytes.length);
    region.bytes.set(bytes, at);
    region.written(at, bytes.length);
  }

  /** @internal The time, which passes by `tick`. */
  _time(): bigint {
    const { now } = this;
    this.now += this.tick;
    return now;
  }

  /** @internal Ticks since boot. */
  get _jiffies(): bigint {
    return this.now / JIFFY;
  }

  /** @internal The name in 16 bytes, cut off as the kernel does. */
  get _comm(): Uint8Array {
    const bytes = new Uint8Array(COMM_BYTES);
    bytes.set(text.encode(this.comm).subarray(0, COMM_BYTES - 1));
    return bytes;
  }

  #located(address: bigint, length: number) {
    const found = this._space.locate(address);
    if (found === undefined || found.at + length > found.region.size)
      throw new RangeError(`There are no ${length} bytes at ${hex(address)}.`);
    return found;
  }

  #kernelRegion(bytes: Uint8Array, name: string): Region {
    return this._space.add("kernel memory", name, bytes, false);
  }
}

/** Text with a NUL behind it, or a copy of bytes. */
function bytesOf(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? text.encode(`${content}\0`) : content.slice();
}

/** xorshift32: the same numbers in each world. */
function fixedSequence(): () => number {
  let state = 0x2545f491;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
