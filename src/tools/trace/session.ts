import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import {
  type AssembledObject,
  type BpfMap,
  beginAssembled,
  isKernelBefore,
  type KeyedMap,
  type Link,
  type RecordView,
  RingBufferReader,
  VerifierError,
} from "../../sdk/index.ts";
import {
  AGAIN,
  Control,
  type KernelOptions,
  perfGroup,
  Thread,
  ThreadFlag,
  TRACEPOINTS,
  traceSpec,
} from "./kernel/index.ts";
import type { Tracker } from "./tracker.ts";

/** What was lost, by cause; all zero when nothing was. */
export interface TraceLosses {
  /** Calls that found the ring full: not reported at all. */
  readonly calls: number;
  /** Texts and buffers that found the ring full: their calls are reported without them. */
  readonly captures: number;
  /** Births, exits and signals that found the ring full. */
  readonly life: number;
  /** Threads not followed because more than `maxThreads` lived at a time. */
  readonly untrackedThreads: number;
  /** Times the kernel skipped a program because it was already running on that CPU. */
  readonly recursionMisses: number;
}

/** The key of the one entry of an array; by codec it would be the first function to be generated, before the first event. */
const FIRST = new Uint8Array(4);

/** A session whose programs are still with the verifier. */
export interface PendingSession {
  /** Says what is reported and copied for each call: `plans` as in kernel/layout.ts. */
  readonly setPlans: (plans: Uint8Array) => void;
  /** Reads the events; the reader is the caller's to close, before the session. */
  readonly reader: <T>(decode: (record: RecordView) => T) => RingBufferReader<T>;
  /** Waits for the verifier. Throws SystemError or VerifierError; then nothing stays. */
  readonly finish: () => KernelSession;
  readonly cancel: () => void;
}

/** The kernel side of one trace: loaded, attached, and to be closed by whoever opened it. */
export class KernelSession {
  readonly #object: AssembledObject;
  readonly #links: Link[] = [];
  readonly #control: KeyedMap<number, Uint8Array>;

  /** Whether the programs use BPF_CMPXCHG; without it (before Linux 5.12) the map of threads takes its memory at once. */
  readonly compareExchange: boolean;

  private constructor(object: AssembledObject, compareExchange: boolean) {
    this.#object = object;
    this.compareExchange = compareExchange;
    this.#control = this.#map("control");
  }

  /** Loads the programs, for kernels without compare-and-exchange too; nothing is attached yet. */
  static load(options: KernelOptions): KernelSession {
    try {
      return KernelSession.begin(options).finish();
    } catch (error) {
      if (!lacksCompareExchange(error, options)) throw error;
      return KernelSession.begin({ ...options, compareExchange: false }).finish();
    }
  }

  /**
   * Begins to load, with the verifier at work on a thread beside. `finish()` or `cancel()` must be called. `attachAtOnce`
   * attaches in the same go: only where nothing is followed before it is asked for, as with a command.
   */
  static begin(options: KernelOptions, attachAtOnce = false): PendingSession {
    const preallocate = isKernelBefore(SAFE_ALLOCATION);
    const throughPerf = !isKernelBefore(PREEMPTIBLE_RAW_TRACEPOINTS) && hasTracefs();
    const rawTracepoints = attachAtOnce && !throughPerf ? TRACEPOINTS : {};
    const { spec, params } = traceSpec({ throughPerf, ...options }, preallocate);
    const pending = beginAssembled(spec, { rawTracepoints });
    const map = (name: string) => pending.maps[name] as BpfMap;
    if (params !== undefined) map(".rodata").setRaw(FIRST, params);
    return {
      setPlans: (plans) => map("syscalls").setRaw(FIRST, plans),
      reader: (decode) => RingBufferReader.with(map("events"), decode),
      finish: () => new KernelSession(pending.finish(), options.compareExchange),
      cancel: pending.cancel,
    };
  }

  addRoot(pid: number): void {
    this.#map<number, number>("roots").set(pid, 1);
  }

  /** Chooses the cgroup by its folder in a cgroup2 file system. */
  setCgroup(path: string): void {
    const fd = openSync(path, "r");
    try {
      this.#raw("cgroup").setRaw(word(0), word(fd));
    } finally {
      closeSync(fd);
    }
  }

  attach(): void {
    this.#links.push(...this.#object.links);
    if (this.#links.length > 0) return;
    for (const [name, tracepoint] of Object.entries(TRACEPOINTS)) {
      const program = this.#object.programs[name];
      if (program === undefined) continue;
      const throughPerf = program.spec.type === "tracepoint";
      this.#links.push(
        throughPerf
          ? program.attachTracepoint(`${perfGroup(name)}:${tracepoint}`)
          : program.attachRawTracepoint(tracepoint),
      );
    }
  }

  /** From now on the next process this thread starts is the command. */
  awaitChild(): void {
    const who = this.#object.programs["who"];
    if (who === undefined) throw new TypeError("This trace was not loaded for a command.");
    who.testRun({ context: new Uint8Array(8) });
  }

  /** Takes back `awaitChild()` when no process came of it. */
  forgetChild(): void {
    const value = this.#controlValue();
    value.fill(0, Control.parent, Control.parent + 8);
    this.#control.set(0, value);
  }

  /** The statistics so far: for each call number one value per possible CPU. */
  stats(): KeyedMap<number, Uint8Array[]> {
    return this.#map("stats");
  }

  /**
   * Whether any traced thread is alive. No entry is read: while bpf(2) reads some, above all in a batch, the kernel skips
   * perf's tracepoints (Linux 7) for whatever thread takes the CPU from it meanwhile.
   */
  hasThreads(): boolean {
    return !this.#map("threads").isEmpty();
  }

  /**
   * Forgets threads that are gone, though nobody was told of their end: where the kernel skipped a program (`recursionMisses`)
   * they would count as alive for ever. Those that made no call yet have no number to ask for and stay.
   */
  forgetGone(): void {
    if (this.#recursionMisses() === 0) return;
    const threads = this.#map<Uint8Array, Uint8Array>("threads");
    // Not in batches, for the reason that `hasThreads()` has.
    for (const [key, state] of threads.entries({ batch: false })) {
      const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
      const tid = view.getUint32(Thread.ids, true);
      if (tid !== 0 && !existsSync(`/proc/${tid}`)) threads.delete(key);
    }
  }

  /** Hands the calls in which the threads alive now still are to the tracker. */
  pendingCalls(tracker: Tracker): void {
    for (const [, state] of this.#map<Uint8Array, Uint8Array>("threads")) {
      const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
      const start = Number(view.getBigUint64(Thread.start, true));
      if (start === 0) continue;
      const u32 = (at: number) => view.getUint32(at, true);
      tracker.takePending(u32(Thread.ids), u32(Thread.ids + 4), u32(Thread.seq), ({ args }) => {
        for (let i = 0; i < 12; i++) args[i] = u32(Thread.args + 4 * i);
        return { nr: u32(Thread.nr), start, compat: (u32(Thread.flags) & ThreadFlag.compat) !== 0 };
      });
    }
  }

  losses(): TraceLosses {
    const value = this.#controlValue();
    const view = new DataView(value.buffer, value.byteOffset);
    const at = (offset: number) => Number(view.getBigUint64(offset, true));
    return {
      calls: at(Control.droppedCalls),
      captures: at(Control.droppedCaptures),
      life: at(Control.droppedLife),
      untrackedThreads: at(Control.untracked),
      recursionMisses: this.#recursionMisses(),
    };
  }

  #recursionMisses(): number {
    const { programs } = this.#object;
    let misses = 0;
    for (const [name, program] of Object.entries(programs)) {
      if (name.endsWith(AGAIN)) continue;
      const once = Number(program.stats().recursionMisses);
      const twice = Number(programs[`${name}${AGAIN}`]?.stats().recursionMisses ?? once);
      // What the first copy was skipped for the second one saw, as far as it was not skipped as well.
      misses += Math.min(once, twice);
    }
    return misses;
  }

  /** Stops the reporting; maps can still be read. */
  detach(): void {
    for (const link of this.#links.splice(0).reverse()) link.close();
  }

  close(): void {
    this.detach();
    this.#object.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #controlValue(): Uint8Array {
    return this.#control.get(0) as Uint8Array;
  }

  #raw(name: string): BpfMap {
    return this.#object.maps[name] as BpfMap;
  }

  #map<K = number, V = Uint8Array>(name: string): KeyedMap<K, V> {
    return this.#object.maps[name] as unknown as KeyedMap<K, V>;
  }
}

/**
 * The first Linux that allocates map entries safely in the middle of anything a program may have interrupted. It is read
 * off the version, for once, because an older kernel cannot be asked: it takes such a map, and warns of it in its log.
 */
const SAFE_ALLOCATION = "6.1";

/**
 * The first Linux whose raw tracepoints can be preempted (KernelOptions.throughPerf). Nor can this be asked: it shows only
 * as events that are skipped, once threads compete for a CPU.
 */
const PREEMPTIBLE_RAW_TRACEPOINTS = "7.0";

/** perf's tracepoints have their ids in tracefs, which may not be mounted, or not be this user's to read. */
function hasTracefs(): boolean {
  return ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"].some((root) => {
    try {
      return readFileSync(`${root}/events/${perfGroup("enter")}/sys_enter/id`, "latin1") !== "";
    } catch {
      return false;
    }
  });
}

/** Linux before 5.12: the kernel then says that the instruction is unknown. */
export function lacksCompareExchange(error: unknown, { compareExchange }: KernelOptions): boolean {
  return compareExchange && error instanceof VerifierError;
}

function word(value: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(value).buffer);
}
