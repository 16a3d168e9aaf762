import { BpfAttr } from "./bpf.ts";
import { Fd } from "./fd.ts";
import { native } from "./native.ts";
import { SystemError } from "./system-error.ts";

/** What the kernel says of a BTF object (struct bpf_btf_info). */
export interface BtfInfo {
  readonly id: number;
  /** `vmlinux` or a module's name; "" for types that a program brought. */
  readonly name: string;
  /** Whether they are the kernel's own or a module's. */
  readonly kernel: boolean;
}

/** Asks about loaded types; the name and `kernel` come from Linux 5.11 on. */
export function btfInfo(fd: Fd): BtfInfo {
  const name = new Uint8Array(64);
  const info = new Uint8Array(32);
  const view = new DataView(info.buffer);
  view.setBigUint64(16, BigInt(native().addressOf(name)), true);
  view.setUint32(24, name.length, true);
  const result = new BpfAttr().u32(0, fd.number).u32(4, info.length).pointer(8, info).call("BPF_OBJ_GET_INFO_BY_FD");
  if (result < 0)
    throw new SystemError({ errno: -result, syscall: "bpf(BPF_OBJ_GET_INFO_BY_FD)", doing: `look at ${fd.what}` });
  return {
    id: view.getUint32(12, true),
    name: Buffer.from(name).toString("latin1").split("\0")[0] ?? "",
    kernel: view.getUint32(28, true) === 1,
  };
}

/**
 * The types of the kernel's own or a module's that `name` says, found among all by id; undefined when there are none.
 * The caller closes the descriptor. Needs CAP_SYS_ADMIN (before Linux 6.x) or CAP_BPF in a token.
 */
export function openKernelBtf(name: string): Fd | undefined {
  for (let id = 0; ; ) {
    // start_id, and next_id behind it.
    const next = new BpfAttr().u32(0, id);
    if (next.call("BPF_BTF_GET_NEXT_ID") < 0) return undefined;
    id = next.read32(4);
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
}
