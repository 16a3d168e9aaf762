import { BpfAttr, type Fd } from "../sys/index.ts";
import { BpfMap, type MapInfo } from "./bpf-map.ts";

/** Functions of an object that the kernel calls instead of its own (`.struct_ops`, Linux 5.6); attached by `attachStructOps`. */
export class StructOpsMap extends BpfMap {
  /** Attached by a link of its own (`.struct_ops.link`, Linux 6.4), which can be updated and closed. */
  readonly linked: boolean;
  /** What the kernel's structure is filled with: numbers, and the descriptors of programs at the places of functions. */
  readonly contents: Uint8Array;
  /** The programs that it is made for, by the places in `contents` where their descriptors stand. */
  readonly functions: ReadonlyMap<number, string>;

  constructor(fd: Fd, info: MapInfo, table: Pick<StructOpsMap, "contents" | "functions">, linked: boolean) {
    super(fd, info);
    this.contents = table.contents;
    this.functions = table.functions;
    this.linked = linked;
  }

  /** Puts a program's descriptor in the place of a function, before the table is registered. */
  setFunction(offset: number, program: number): void {
    new DataView(this.contents.buffer, this.contents.byteOffset).setBigUint64(offset, BigInt(program), true);
  }

  /**
   * Gives the table to the kernel. One without a link is in force from now on, until it is unregistered. Throws SystemError
   * EINVAL when the kernel's subsystem does not take it (a function it needs is missing), EEXIST for a name that it has.
   */
  register(): void {
    this.setRaw(new Uint8Array(4), this.contents);
  }

  /** Takes a table without a link back out of the kernel; never throws. */
  unregister(): void {
    new BpfAttr().u32(0, this.fd.number).pointer(8, new Uint8Array(4)).call("BPF_MAP_DELETE_ELEM");
  }
}
