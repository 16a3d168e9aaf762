import { bytes, type Decoder, type Encoder, type Layout, makeDecoder, makeEncoder } from "../../object/codec/index.ts";
import type { Fd } from "../sys/index.ts";
import { BpfMap, type LookupOptions, type MapInfo, type UpdateMode, type UpdateOptions } from "./bpf-map.ts";
import { checkLayout } from "./check-layout.ts";
import { descriptorOf, type Holder } from "./holder.ts";

/**
 * Local storage: a value for each socket (Linux 5.2), inode (5.10), task (5.11) or cgroup (6.2), which goes with it. It is
 * asked for by a descriptor: of the socket, of an open file, a pidfd (`openPidFd`), of the cgroup's directory. Its entries
 * cannot be listed from here; a program attached as an iterator can.
 */
export class StorageMap<V> extends BpfMap {
  readonly #encode: Encoder<V>;
  readonly #decode: Decoder<V>;

  constructor(fd: Fd, info: MapInfo, value?: Layout) {
    const layout = checkLayout(value ?? bytes(info.valueSize), info.valueSize, "value", info.name);
    super(fd, info);
    this.#encode = makeEncoder(layout) as Encoder<V>;
    this.#decode = makeDecoder(layout) as Decoder<V>;
  }

  /** The value of an owner; undefined when it has none. Throws SystemError EBADF for a descriptor of something else. */
  get(owner: Holder, options?: LookupOptions): V | undefined {
    this.#setOwner(owner);
    return this.lookup(options) ? this.#decode(this.slot.memory, this.valueOffset) : undefined;
  }

  /** Gives an owner a value. Throws SystemError EEXIST/ENOENT as `mode` asks, EBADF. */
  set(owner: Holder, value: V, mode: UpdateMode | UpdateOptions = "any"): void {
    this.#setOwner(owner);
    this.#encode(this.slot.memory, this.valueOffset, value);
    this.update(mode);
  }

  /** Takes an owner's value away; false when it has none. */
  delete(owner: Holder): boolean {
    this.#setOwner(owner);
    return this.remove();
  }

  #setOwner(owner: Holder): void {
    this.slot.memory.i32[this.keyOffset >>> 2] = descriptorOf(owner);
  }
}
