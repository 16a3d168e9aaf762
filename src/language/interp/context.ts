import { type Infer, type Layout, makeEncoder, memoryOf } from "../../object/codec/index.ts";
import { MachineError } from "./machine-fault.ts";

/**
 * What r1 points to when a program begins: bytes, which the program sees (and may change, where its type may) in place, or a
 * packet with what stands around it.
 */
export type Context = Uint8Array | PacketContext;

/** A packet and the context that programs see it through; made by `packetContext`. */
export interface PacketContext {
  readonly kind: "xdp" | "skb";
  /** The context itself: `struct xdp_md` or `struct __sk_buff`. */
  readonly bytes: Uint8Array;
  /** The packet, which the program may change in place. */
  readonly packet: Uint8Array;
}

/** Bytes of a context by a layout: what a tracepoint hands over, or a structure of your own for a `syscall` program. */
export function layoutContext<L extends Layout>(layout: L, value: Infer<L>): Uint8Array {
  const memory = memoryOf(new ArrayBuffer(Math.ceil(layout.size / 8) * 8));
  makeEncoder(layout)(memory, 0, value);
  return memory.u8.subarray(0, layout.size);
}

/**
 * The arguments of a raw tracepoint, a `tp_btf`, an fentry, fexit or LSM program: 64 bits each. Pointers are addresses of the
 * world; for fexit what the function returned comes last.
 */
export function argumentsContext(...values: readonly (bigint | number)[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values, (value) => BigInt.asUintN(64, BigInt(value))).buffer);
}

/** The registers of a function that a kprobe or uprobe stopped at. */
export interface Registers {
  /** The machine: `"x64"` or `"arm64"`. */
  readonly arch: "x64" | "arm64";
  /** The first six arguments (eight on arm64), in registers. */
  readonly arguments?: readonly (bigint | number)[];
  /** What the function returned, for kretprobes. */
  readonly returnValue?: bigint | number;
  /** The instruction pointer. */
  readonly ip?: bigint | number;
  /** The stack pointer. */
  readonly sp?: bigint | number;
}

/** Where things stand in `struct pt_regs`, in 64-bit words (arch/x86/include/asm/ptrace.h, arch/arm64/include/uapi/asm/ptrace.h). */
const PT_REGS = {
  x64: { words: 21, arguments: [14, 13, 12, 11, 9, 8], returnValue: 10, ip: 16, sp: 19 },
  arm64: { words: 34, arguments: [0, 1, 2, 3, 4, 5, 6, 7], returnValue: 0, ip: 32, sp: 31 },
} as const;

/** The context of a kprobe, kretprobe, uprobe or uretprobe: `struct pt_regs`. Throws MachineError for more arguments than there are registers. */
export function registersContext(registers: Registers): Uint8Array {
  const places = PT_REGS[registers.arch];
  const words = new BigUint64Array(places.words);
  const put = (at: number, value: bigint | number | undefined) => {
    if (value !== undefined) words[at] = BigInt.asUintN(64, BigInt(value));
  };
  for (const [i, value] of (registers.arguments ?? []).entries()) {
    const at = places.arguments[i];
    if (at === undefined)
      throw new MachineError(
        `On ${registers.arch} ${places.arguments.length} arguments are in registers, and this is one more.`,
      );
    put(at, value);
  }
  put(places.returnValue, registers.returnValue);
  put(places.ip, registers.ip);
  put(places.sp, registers.sp);
  return new Uint8Array(words.buffer);
}

/** What stands around a packet. */
export interface PacketFields {
  /** The interface it came by; 1, which is `lo`, when left out. */
  readonly ifindex?: number;
  /** The queue it came by (XDP). */
  readonly rxQueue?: number;
  readonly mark?: number;
  /** The EtherType, in the byte order of the machine, as `__sk_buff` has it swapped: 0x0008 for IPv4. */
  readonly protocol?: number;
  readonly priority?: number;
  readonly hash?: number;
}

const XDP_MD = { size: 24, data: 0, dataEnd: 4, dataMeta: 8, ifindex: 12, rxQueue: 16 } as const;
const SK_BUFF = {
  size: 192,
  len: 0,
  mark: 8,
  protocol: 16,
  priority: 32,
  ifindex: 40,
  hash: 68,
  data: 76,
  dataEnd: 80,
  dataMeta: 140,
} as const;

/** Where the pointers of a packet's context stand, which the program sees as 32 bits and gets as 64. */
export const PACKET_POINTERS = { xdp: XDP_MD, skb: SK_BUFF } as const;

/**
 * A packet for XDP programs (`"xdp"`: `struct xdp_md`) or for tc, socket filters and cgroup programs (`"skb"`: `struct
 * __sk_buff`). The loads of `data` and `data_end` give pointers into it, and each access is checked against its end.
 */
export function packetContext(kind: "xdp" | "skb", packet: Uint8Array, fields: PacketFields = {}): PacketContext {
  const bytes = new Uint8Array(PACKET_POINTERS[kind].size);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number | undefined) => {
    if (value !== undefined) view.setUint32(at, value, true);
  };
  if (kind === "xdp") {
    put(XDP_MD.ifindex, fields.ifindex ?? 1);
    put(XDP_MD.rxQueue, fields.rxQueue);
  } else {
    put(SK_BUFF.len, packet.length);
    put(SK_BUFF.mark, fields.mark);
    put(SK_BUFF.protocol, fields.protocol);
    put(SK_BUFF.priority, fields.priority);
    put(SK_BUFF.ifindex, fields.ifindex ?? 1);
    put(SK_BUFF.hash, fields.hash);
  }
  return { kind, bytes, packet };
}
