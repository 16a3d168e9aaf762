import type { LookupOptions, UpdateMode, UpdateOptions } from "./bpf-map.ts";
import { descriptorOf, type Holder } from "./holder.ts";
import { ValueMap } from "./value-map.ts";

/**
 * Local storage: a value for each socket (Linux 5.2), inode (5.10), task (5.11) or cgroup (6.2), which goes with it. It is
 * asked for by a descriptor: of the socket, of an open file, a pidfd (`openPidFd`), of the cgroup's directory. Its entries
 * cannot be listed from here; a program attached as an iterator can.
 */
export class StorageMap<V> extends ValueMap<V> {
  /** The value of an owner; undefined when it has none. Throws SystemError EBADF for a descriptor of something else. */
  get(owner: Holder, options?: LookupOptions): V | undefined {
    this.#setOwner(owner);
    return this.lookup(options) ? this.decodeValue() : undefined;
  }

  /** Gives an owner a value. Throws SystemError EEXIST/ENOENT as `mode` asks, EBADF. */
  set(owner: Holder, value: V, mode: UpdateMode | UpdateOptions = "any"): void {
    this.#setOwner(owner);
    this.encodeValue(value);
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
