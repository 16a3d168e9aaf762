import {
  bytes,
  type Decoder,
  type Encoder,
  type Layout,
  makeDecoder,
  makeEncoder,
  u32,
} from "../../object/codec/index.ts";
import { isNumbered } from "../../object/spec/index.ts";
import type { Fd } from "../sys/index.ts";
import { BpfMap, type MapInfo, type UpdateMode } from "./bpf-map.ts";
import { checkLayout } from "./check-layout.ts";
import { descriptorOf, type Holder } from "./holder.ts";
import { ShownKeys } from "./shown-keys.ts";

/**
 * A map whose slots refer to other things of the kernel, which are put in by descriptor: programs (prog_array), perf events
 * (perf_event_array), cgroups (cgroup_array), sockets (sockmap, sockhash, reuseport_sockarray, xskmap), maps (array_of_maps,
 * hash_of_maps). What a slot refers to stays as long as the slot does; but sockets leave when they are closed, and perf
 * events and programs of some arrays when the last descriptor of the map is.
 */
export class ReferenceMap<K> extends BpfMap {
  readonly #encodeKey: Encoder<K>;
  readonly #decodeKey: Decoder<K>;

  constructor(fd: Fd, info: MapInfo, key?: Layout) {
    const layout = key ?? (isNumbered(info.type) ? u32 : bytes(info.keySize));
    checkLayout(layout, info.keySize, "key", info.name);
    super(fd, info);
    this.#encodeKey = makeEncoder(layout) as Encoder<K>;
    this.#decodeKey = makeDecoder(layout) as Decoder<K>;
  }

  /** Puts something into a slot, by its descriptor. Throws SystemError EBADF/EINVAL for a descriptor of another kind. */
  set(key: K, held: Holder, mode: UpdateMode = "any"): void {
    this.#encodeKey(this.slot.memory, this.keyOffset, key);
    const { view } = this.slot.memory;
    // Maps of sockets may have values of 8 bytes, so that cookies can be read from them.
    if (this.info.valueSize === 8) view.setUint32(this.valueOffset + 4, 0, true);
    view.setUint32(this.valueOffset, descriptorOf(held), true);
    this.update(mode);
  }

  /** Empties a slot; false when it was empty. */
  delete(key: K): boolean {
    this.#encodeKey(this.slot.memory, this.keyOffset, key);
    return this.remove();
  }

  /**
   * The kernel's id of what a slot holds: of a program (`openProgram`) or map (`openMap`), the cookie of a socket in a map
   * with values of 8 bytes; undefined for an empty slot. Throws SystemError for map types that do not tell.
   */
  idOf(key: K): number | bigint | undefined {
    this.#encodeKey(this.slot.memory, this.keyOffset, key);
    if (!this.lookup()) return undefined;
    const { view } = this.slot.memory;
    return this.info.valueSize === 8
      ? view.getBigUint64(this.valueOffset, true)
      : view.getUint32(this.valueOffset, true);
  }

  /**
   * The slots that there are: of arrays all, of hashes those that hold something. None twice, though the kernel starts over
   * when the key it stands at is deleted; MapChangedError when that goes on and on.
   */
  *keys(): IterableIterator<K> {
    const { memory } = this.slot;
    const place = new Int32Array((this.info.keySize + 3) >>> 2);
    const shown = isNumbered(this.info.type) ? undefined : new ShownKeys(this);
    for (let more = this.nextKey(true); more; ) {
      if (shown?.add(memory, this.keyOffset) === false) {
        more = this.nextKey(false);
        continue;
      }
      const key = this.#decodeKey(memory, this.keyOffset);
      // Asked for before the caller may delete this one, upon which the kernel would start over.
      more = this.nextKey(false);
      this.copyKey(place);
      yield key;
      if (more) this.moveTo(place);
    }
  }
}

/** A map of maps. */
export class MapOfMaps<K, M extends BpfMap> extends ReferenceMap<K> {
  readonly #open: (id: number) => M;

  constructor(fd: Fd, info: MapInfo, key: Layout | undefined, open: (id: number) => M) {
    super(fd, info, key);
    this.#open = open;
  }

  /**
   * The map in a slot, with a descriptor of its own: the caller closes it. Undefined for an empty slot. Throws SystemError;
   * opening maps by id needs CAP_SYS_ADMIN.
   */
  get(key: K): M | undefined {
    const id = this.idOf(key);
    return id === undefined ? undefined : this.#open(Number(id));
  }
}
