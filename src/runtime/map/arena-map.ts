import { type Memory, memoryOf } from "../../object/codec/index.ts";
import { type Fd, Mapping, native, Protection, pageSize } from "../sys/index.ts";
import { BpfMap, type MapInfo } from "./bpf-map.ts";

/**
 * An arena (Linux 6.9): memory that programs and this process share, at one address for both, up to 4 GiB. Pages come into
 * being when they are first touched, by either side. `maxEntries` is its size in pages.
 */
export class ArenaMap extends BpfMap {
  readonly #wished: number;
  #mapping: Mapping | undefined;
  #memory: Memory | undefined;

  /** `address`: where the map was made to be (`map_extra`); 0 lets the first mapping choose. */
  constructor(fd: Fd, info: MapInfo, address: number) {
    super(fd, info);
    this.#wished = address;
  }

  /** Bytes of the whole arena. */
  get size(): number {
    return this.info.maxEntries * pageSize();
  }

  /** The memory, mapped on first use; gone after `close()`. Throws SystemError when its address is taken in this process. */
  get memory(): Memory {
    this.#mapping ??= new Mapping(
      this.fd,
      this.size,
      Protection.read | Protection.write,
      0,
      `arena "${this.name}"`,
      this.#wished,
    );
    this.#memory ??= memoryOf(this.#mapping.buffer);
    return this.#memory;
  }

  /** Where the memory begins: what pointers inside it are relative to. */
  get address(): number {
    return native().addressOf(this.memory.u8);
  }

  override close(): void {
    this.#memory = undefined;
    this.#mapping?.close();
    super.close();
  }
}
