import { type Memory, memoryOf } from "../../object/codec/index.ts";
import { type BpfMap, onlineCpus } from "../map/index.ts";
import { type Fd, pageSize, pollSet, Region, waitForPrograms } from "../sys/index.ts";
import { COMMIT_EVERY } from "./drain.ts";
import { type EventSource, newTally, type Tally } from "./event-source.ts";
import { beginReading, checkReadable, endReading } from "./one-reader.ts";
import { makePerfDrain, type PerfDrain, type PerfRecordSource } from "./perf-drain.ts";
import { PerfRing, type PerfWakeup } from "./perf-ring.ts";
import type { RecordView } from "./record-view.ts";

/** A record's size is a u16. */
const LONGEST = 65_536;
/** Offsets in a reader's memory fit int32 arithmetic. */
const MOST = 2 ** 31 - LONGEST;
const DEFAULT_BYTES = 256 * 1024;

/** A perf buffer that cannot be read as it was asked for. */
export class PerfBufferError extends Error {
  override readonly name = "PerfBufferError";
  readonly code = "SKEP_PERF_BUFFER";
}

export interface PerfSourceOptions {
  readonly bytesPerCpu?: number | undefined;
  readonly cpus?: readonly number[] | undefined;
  readonly wakeup: PerfWakeup;
  readonly overwrite: boolean;
}

/** The perf buffers of all CPUs whose events go through one map. */
export class PerfSource<T> implements EventSource<T> {
  readonly name: string;
  readonly descriptor: Fd;
  readonly toldOnce = true;
  readonly tally: Tally = newTally();
  /** The CPU whose records are being handed out; −1 for none. */
  cpu = -1;
  readonly #map: BpfMap;
  readonly #region: Region;
  readonly #lease: RecordView | undefined;
  readonly #rings: readonly PerfRing[];
  readonly #drain: PerfDrain<T>;
  readonly #size: number;
  /** Whether the map has the events that wake for each record: only while somebody waits for them. */
  #eager = false;
  /** Which CPU comes first: when the number of records is limited, each has its turn. */
  #turn = 0;
  #held: Tally | undefined;
  #lost: number | undefined;
  #closed = false;

  constructor(map: BpfMap, records: (memory: Memory) => PerfRecordSource<T>, options: PerfSourceOptions) {
    checkReadable(map, "perf_event_array", "Perf buffer");
    this.#map = map;
    this.name = `reader of perf buffer "${map.name}"`;
    this.#size = checkSize(options.bytesPerCpu ?? DEFAULT_BYTES);
    const cpus = options.cpus ?? onlineCpus();
    checkCpus(map, cpus);
    const stride = pageSize() + this.#size;
    const buffers = cpus.length * stride;
    if (buffers > MOST)
      throw new PerfBufferError(
        `${cpus.length} buffers of ${this.#size} bytes are more than 2 GiB, and their reader has one memory for all: take a smaller \`bytesPerCpu\`.`,
      );
    const region = new Region(buffers + LONGEST, this.name);
    this.#region = region;
    const { wakeup, overwrite: backward } = options;
    const rings: PerfRing[] = [];
    this.#rings = rings;
    let descriptor: Fd | undefined;
    let put = false;
    try {
      const memory = memoryOf(region.buffer);
      const source = records(memory);
      this.#lease = source.lease;
      this.#drain = makePerfDrain({ memory, scratch: buffers }, source);
      const common = { region, memory, size: this.#size, wakeup, backward };
      for (const cpu of cpus) rings.push(new PerfRing(cpu, common, rings.length * stride));
      descriptor = pollSet(
        rings.map(({ event }) => event),
        this.name,
      );
      put = true;
      this.#put();
    } catch (error) {
      descriptor?.close();
      // Before that the slots may hold events of others.
      if (put) this.#takeOut();
      for (const ring of rings) ring.closeEvents();
      region.close();
      throw error;
    }
    this.descriptor = descriptor;
    beginReading(map);
  }

  /** Records for which there was no room; before Linux 6.0 those of which the buffers told so far. */
  get lost(): number {
    return this.#lost ?? this.#askLost();
  }

  get capacity(): number {
    return this.#size;
  }

  get taken(): number {
    return this.#most((ring) => (ring.position - ring.lookedAt) >>> 0);
  }

  get filled(): number {
    return this.#most((ring) => (ring.end - ring.position) >>> 0);
  }

  get pendingBytes(): number {
    return this.#closed ? 0 : this.#rings.reduce((sum, ring) => sum + ring.pendingBytes, 0);
  }

  /** Nobody is woken for what came before. */
  arm(): boolean {
    return this.#wakeFor("each");
  }

  hush(): void {
    if (!this.#closed) this.#wakeFor("watermarks");
  }

  look(): void {
    for (const ring of this.#rings) ring.look();
  }

  read(visit: (event: T) => void, limit: number): number {
    const { tally } = this;
    const { delivered } = tally;
    try {
      this.#each((ring) => {
        this.cpu = ring.cpu;
        const left = limit - (tally.delivered - delivered);
        if (left > 0 && !tally.stopped && ring.position !== ring.end) this.#readRing(ring, visit, left);
      });
    } finally {
      this.cpu = -1;
    }
    return tally.delivered - delivered;
  }

  skip(limit: number): number {
    let skipped = 0;
    this.#each((ring) => {
      const { position } = ring;
      skipped += ring.skip(this.tally, limit - skipped);
      if (this.#held === undefined) ring.commit(position);
    });
    this.tally.skipped += skipped;
    return skipped;
  }

  finish(): void {
    this.#turn = (this.#turn + 1) % this.#rings.length;
    for (const ring of this.#rings) ring.finish(this.tally);
  }

  hold(): void {
    this.#held = { ...this.tally };
    for (const ring of this.#rings) ring.heldAt = ring.position;
  }

  rewind(): void {
    if (this.#held === undefined) return;
    Object.assign(this.tally, this.#held, { stopped: this.tally.stopped });
    this.#held = undefined;
    for (const ring of this.#rings) ring.position = ring.heldAt;
  }

  settle(): void {
    if (this.#held === undefined || this.#closed) return;
    this.#held = undefined;
    for (const ring of this.#rings) ring.commit(ring.heldAt);
  }

  /**
   * Nobody finds the buffers through the map any more, then programs that had found them are waited for, so that what is
   * counted as unread is all that was written.
   */
  close(): void {
    this.rewind();
    this.#takeOut();
    waitForPrograms();
    const counted = this.#rings[0]?.countsLost === true ? this.#askLost() : undefined;
    this.#closed = true;
    this.descriptor.close();
    for (const ring of this.#rings) ring.close(this.tally);
    this.#lost = counted ?? this.tally.lost;
    // A lease that outlives the reader sees a record of no bytes instead of memory that is gone.
    this.#lease?._move(0, 0);
    this.#region.close();
    endReading(this.#map);
  }

  #readRing(ring: PerfRing, visit: (event: T) => void, limit: number): void {
    const { tally } = this;
    for (let left = limit, more = true; more; ) {
      const { position } = ring;
      const { delivered } = tally;
      const part = Math.min(left, COMMIT_EVERY);
      try {
        this.#drain(tally, ring, visit, ring.end, part);
      } finally {
        if (this.#held === undefined) ring.commit(position);
      }
      const taken = tally.delivered - delivered;
      left -= taken;
      more = taken === part && left > 0 && !tally.stopped;
    }
  }

  #each(visit: (ring: PerfRing) => void): void {
    const rings = this.#rings;
    for (let i = 0; i < rings.length; i++) visit(rings[(this.#turn + i) % rings.length] as PerfRing);
  }

  #most(of: (ring: PerfRing) => number): number {
    let most = 0;
    for (const ring of this.#rings) most = Math.max(most, of(ring));
    return most / this.#size;
  }

  /** Changes which event of each CPU programs write to; true when that changed anything. Their buffer is one and the same. */
  #wakeFor(what: "each" | "watermarks"): boolean {
    const eager = what === "each";
    if (eager === this.#eager || this.#rings[0]?.eager === undefined) return false;
    this.#eager = eager;
    this.#put();
    return true;
  }

  #put(): void {
    const value = new Uint32Array(1);
    this.#eachSlot(({ event, eager }, key) => {
      value[0] = (this.#eager ? (eager ?? event) : event).number;
      this.#map.setRaw(key, new Uint8Array(value.buffer));
    });
  }

  #takeOut(): void {
    this.#eachSlot((_, key) => void this.#map.deleteRaw(key));
  }

  #eachSlot(visit: (ring: PerfRing, key: Uint8Array) => void): void {
    // The kernel took the events out when the map was closed.
    if (this.#map.fd.closed) return;
    const key = new Uint32Array(1);
    const bytes = new Uint8Array(key.buffer);
    for (const ring of this.#rings) {
      key[0] = ring.cpu;
      visit(ring, bytes);
    }
  }

  #askLost(): number {
    return this.#rings[0]?.countsLost === true
      ? this.#rings.reduce((sum, ring) => sum + ring.lost, 0)
      : this.tally.lost;
  }
}

function checkSize(bytes: number): number {
  const page = pageSize();
  if (bytes >= page && bytes <= 2 ** 30 && Number.isInteger(Math.log2(bytes))) return bytes;
  throw new RangeError(
    `A perf buffer of ${bytes} bytes cannot be: it takes a power of two from a page (${page}) to 1 GiB for each CPU.`,
  );
}

function checkCpus(map: BpfMap, cpus: readonly number[]): void {
  if (cpus.length === 0) throw new PerfBufferError("There is no perf buffer without a CPU: `cpus` is empty.");
  const bad = cpus.find((cpu, i) => !Number.isInteger(cpu) || cpu < 0 || cpus.indexOf(cpu) !== i);
  if (bad !== undefined) throw new PerfBufferError(`\`cpus\` names CPU ${bad} twice, or it is no CPU's number.`);
  const highest = Math.max(...cpus);
  if (highest >= map.info.maxEntries) {
    throw new PerfBufferError(
      `Map "${map.name}" has ${map.info.maxEntries} slots, one for each CPU from 0 on, and CPU ${highest} is to be read: its events would be lost. Make the map with \`maxEntries: ${highest + 1}\` or more, or name the \`cpus\` to read.`,
    );
  }
}
