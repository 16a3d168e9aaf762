import type { Infer, Layout } from "../../../object/codec/index.ts";
import type { Region } from "../memory/region.ts";
import { Codec, MachineMap, type MapPlace } from "./machine-map.ts";

/** Before each record of a ring (BPF_RINGBUF_HDR_SZ). */
const HEADER = 8;
const MOST_BYTES = 0x3fff_ffff;

interface Record {
  readonly bytes: Uint8Array;
  readonly room: number;
  state: "busy" | "submitted" | "discarded";
}

/**
 * A ring buffer. Records take the room that they take in the kernel, in the order they were reserved in, until `events()` or
 * `records()` has taken them out: a program that finds it full is given NULL, and `dropped` counts it.
 */
export class RingMachineMap<T = Uint8Array> extends MachineMap {
  readonly #records: Record[] = [];
  readonly #byRegion = new Map<Region, Record>();
  readonly #codec: Codec<T>;
  #producer = 0;
  #consumer = 0;
  #dropped = 0;
  #discarded = 0;
  #unwritten = 0;

  /** Made by a `Machine`. */
  constructor(place: MapPlace) {
    super(place);
    this.#codec = new Codec<T>(place.value, place.value?.size ?? 0);
  }

  /** Reservations and outputs that found no room. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Records that the program discarded. */
  get discarded(): number {
    return this.#discarded;
  }

  /** Bytes of submitted records that the program never wrote: in the kernel they hold what was there before. */
  get unwritten(): number {
    return this.#unwritten;
  }

  /** Bytes that records take, their headers too. */
  get used(): number {
    return this.#producer - this.#consumer;
  }

  /**
   * Takes the submitted records out, oldest first, decoded by `layout` (by default the one of the map's spec; bytes without).
   * A record that is still being written keeps those after it back. Throws RangeError for a record shorter than the layout.
   */
  events<L extends Layout>(layout: L): Infer<L>[];
  events(): T[];
  events(layout?: Layout): unknown[] {
    const codec = layout === undefined ? this.#codec : new Codec<unknown>(layout, layout.size);
    return this.records().map((bytes) => {
      if (bytes.length < codec.size)
        throw new RangeError(
          `A record of ring "${this.name}" has ${bytes.length} bytes, and its layout ${codec.size}.`,
        );
      return codec.decode(bytes);
    });
  }

  /** Takes the submitted records out, as bytes. */
  records(): Uint8Array[] {
    const busy = this.#records.findIndex(({ state }) => state === "busy");
    const ended = this.#records.splice(0, busy < 0 ? this.#records.length : busy);
    for (const { room } of ended) this.#consumer += room;
    return ended.filter(({ state }) => state === "submitted").map(({ bytes }) => bytes);
  }

  /** @internal A record to be written, or undefined where there is no room. */
  _reserve(size: number): Region | undefined {
    const record = this.#take(size);
    if (record === undefined) return undefined;
    const region = this._place.space.add("ring record", this.name, record.bytes, true);
    region.watch();
    region.owner = this;
    this.#byRegion.set(region, record);
    return region;
  }

  /** @internal Copies a record in; false where there is no room. */
  _output(bytes: Uint8Array): boolean {
    const record = this.#take(bytes.length);
    if (record === undefined) return false;
    record.bytes.set(bytes);
    record.state = "submitted";
    return true;
  }

  /** @internal Ends a reservation. */
  _finish(region: Region, state: "submitted" | "discarded"): void {
    const record = this.#byRegion.get(region);
    if (record === undefined) return;
    this.#byRegion.delete(region);
    record.state = state;
    if (state === "discarded") this.#discarded++;
    else for (let i = 0; i < region.size; i++) if (region.shadow?.getUint8(i) === 0) this.#unwritten++;
    region.dead = true;
    this._place.bury(region);
  }

  /** @internal Takes back what the program kept; how many records. */
  _abandon(): number {
    const held = [...this.#byRegion.keys()];
    for (const region of held) this._finish(region, "discarded");
    return held.length;
  }

  /** @internal What bpf_ringbuf_query tells. */
  _query(what: bigint): number {
    const answers: readonly number[] = [this.used, this.maxEntries, this.#consumer, this.#producer];
    return answers[Number(what)] ?? 0;
  }

  #take(size: number): Record | undefined {
    const room = Math.ceil((size + HEADER) / 8) * 8;
    if (size > MOST_BYTES || room > this.maxEntries || this.used + room > this.maxEntries - 1) {
      this.#dropped++;
      return undefined;
    }
    const record: Record = { bytes: new Uint8Array(size), room, state: "busy" };
    this.#records.push(record);
    this.#producer += room;
    return record;
  }
}
