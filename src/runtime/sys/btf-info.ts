import { Btf } from "../../object/btf/index.ts";
import { BpfAttr } from "./bpf.ts";
import { Fd } from "./fd.ts";
import { nextId, openId } from "./ids.ts";
import { kernelBtf } from "./kernel-btf.ts";
import { cText, objectInfo } from "./object-info.ts";
import { SystemError } from "./system-error.ts";

/** What the kernel says of a BTF object (struct bpf_btf_info). */
export interface BtfInfo {
  readonly id: number;
  /** `vmlinux` or a module's name; "" for types that a program brought. */
  readonly name: string;
  /** Whether they are the kernel's own or a module's. */
  readonly kernel: boolean;
}

/** struct bpf_btf_info */
const INFO_SIZE = 32;
const OLD_INFO_SIZE = 16;

/**
 * The types that a program or map was loaded with, or the kernel's own or a module's, by their id (Linux 4.18). Throws
 * SystemError ENOENT when there are none of this id. Needs CAP_SYS_ADMIN.
 */
export function loadedBtf(id: number): Btf {
  using fd = openId("BPF_BTF_GET_FD_BY_ID", id, "BTF");
  const { kernel, name } = btfInfo(fd);
  if (kernel && name === "vmlinux") return kernelBtf();
  const size = objectInfo(fd, new Uint8Array(INFO_SIZE)).getUint32(8, true);
  const bytes = new Uint8Array(size);
  const info = new Uint8Array(INFO_SIZE);
  new DataView(info.buffer).setUint32(8, size, true);
  objectInfo(fd, info, [[0, bytes]]);
  return Btf.parse(bytes, kernel ? { base: kernelBtf() } : {});
}

/** Asks about loaded types; the name and `kernel` come from Linux 5.11 on. */
export function btfInfo(fd: Fd): BtfInfo {
  const name = new Uint8Array(64);
  const info = new Uint8Array(INFO_SIZE);
  new DataView(info.buffer).setUint32(24, name.length, true);
  let view: DataView;
  try {
    view = objectInfo(fd, info, [[16, name]]);
  } catch (error) {
    if (!(error instanceof SystemError) || error.code !== "E2BIG") throw error;
    // Before Linux 5.11 there is no room for a name, and only programs and maps have types with an id.
    view = objectInfo(fd, new Uint8Array(OLD_INFO_SIZE));
    return { id: view.getUint32(12, true), name: "", kernel: false };
  }
  return {
    id: view.getUint32(12, true),
    name: cText(name),
    kernel: view.getUint32(28, true) === 1,
  };
}

/** The bytes of loaded types. */
export function btfBytes(fd: Fd): Uint8Array {
  // struct bpf_btf_info: where to, and how many; the kernel says how many there are.
  const size = objectInfo(fd, new Uint8Array(16)).getUint32(8, true);
  const bytes = new Uint8Array(size);
  const info = new Uint8Array(16);
  new DataView(info.buffer).setUint32(8, size, true);
  objectInfo(fd, info, [[0, bytes]]);
  return bytes;
}

/**
 * The types of the kernel's own or a module's that `name` says, found among all by id; undefined when there are none.
 * The caller closes the descriptor. Needs CAP_SYS_ADMIN (before Linux 6.x) or CAP_BPF in a token.
 */
export function openKernelBtf(name: string): Fd | undefined {
  for (let id = nextId("BPF_BTF_GET_NEXT_ID", 0); id >= 0; id = nextId("BPF_BTF_GET_NEXT_ID", id)) {
    const result = new BpfAttr().u32(0, id).call("BPF_BTF_GET_FD_BY_ID");
    if (result < 0) continue; // gone meanwhile
    const fd = new Fd(result, `types of ${name}`);
    try {
      const info = btfInfo(fd);
      if (info.kernel && info.name === name) return fd;
    } catch (error) {
      fd.close();
      throw error;
    }
    fd.close();
  }
  return undefined;
}
