import type { Handler } from "./cpu.ts";

/**
 * Loads and stores (RFC 9669 section 5). For loads `cpu.src[pc]` is the pointer, for stores `cpu.dst[pc]`; `cpu.arg[pc]` is the
 * offset. Immediates are registers here as well.
 */

export const load8: Handler = (cpu, pc) => {
  const at = cpu.reachLoad(pc, 1);
  const d = cpu.dst[pc] as number;
  cpu.regs[d] = cpu.view.getUint8(at);
  cpu.regs[d + 1] = 0;
  return pc + 1;
};

export const load16: Handler = (cpu, pc) => {
  const at = cpu.reachLoad(pc, 2);
  const d = cpu.dst[pc] as number;
  cpu.regs[d] = cpu.view.getUint16(at, cpu.little);
  cpu.regs[d + 1] = 0;
  return pc + 1;
};

export const load32: Handler = (cpu, pc) => {
  const at = cpu.reachLoad(pc, 4);
  const d = cpu.dst[pc] as number;
  if (cpu.pointers !== undefined && cpu.loadPointer(d, at)) return pc + 1;
  cpu.regs[d] = cpu.view.getInt32(at, cpu.little);
  cpu.regs[d + 1] = 0;
  return pc + 1;
};

export const load64: Handler = (cpu, pc) => {
  const at = cpu.reachLoad(pc, 8);
  const d = cpu.dst[pc] as number;
  const { view, little, regs } = cpu;
  regs[d] = view.getInt32(little ? at : at + 4, little);
  regs[d + 1] = view.getInt32(little ? at + 4 : at, little);
  return pc + 1;
};

export const loadSigned8: Handler = (cpu, pc) => {
  const at = cpu.reachLoad(pc, 1);
  const d = cpu.dst[pc] as number;
  const value = cpu.view.getInt8(at);
  cpu.regs[d] = value;
  cpu.regs[d + 1] = value >> 31;
  return pc + 1;
};

export const loadSigned16: Handler = (cpu, pc) => {
  const at = cpu.reachLoad(pc, 2);
  const d = cpu.dst[pc] as number;
  const value = cpu.view.getInt16(at, cpu.little);
  cpu.regs[d] = value;
  cpu.regs[d + 1] = value >> 31;
  return pc + 1;
};

export const loadSigned32: Handler = (cpu, pc) => {
  const at = cpu.reachLoad(pc, 4);
  const d = cpu.dst[pc] as number;
  const value = cpu.view.getInt32(at, cpu.little);
  cpu.regs[d] = value;
  cpu.regs[d + 1] = value >> 31;
  return pc + 1;
};

export const store8: Handler = (cpu, pc) => {
  const at = cpu.reachStore(pc, 1);
  cpu.view.setInt8(at, cpu.regs[cpu.src[pc] as number] as number);
  return pc + 1;
};

export const store16: Handler = (cpu, pc) => {
  const at = cpu.reachStore(pc, 2);
  cpu.view.setInt16(at, cpu.regs[cpu.src[pc] as number] as number, cpu.little);
  return pc + 1;
};

export const store32: Handler = (cpu, pc) => {
  const at = cpu.reachStore(pc, 4);
  cpu.view.setInt32(at, cpu.regs[cpu.src[pc] as number] as number, cpu.little);
  return pc + 1;
};

export const store64: Handler = (cpu, pc) => {
  const at = cpu.reachStore(pc, 8);
  const s = cpu.src[pc] as number;
  const { view, little, regs } = cpu;
  view.setInt32(little ? at : at + 4, regs[s] as number, little);
  view.setInt32(little ? at + 4 : at, regs[s + 1] as number, little);
  return pc + 1;
};

/** Offsets from here on count from the link layer's header, which is the packet's beginning (SKF_LL_OFF). */
const LINK_LAYER = -0x20_0000;
/** Those from here on would count from the network layer's (SKF_NET_OFF), which the machine does not know. */
const NETWORK_LAYER = -0x10_0000;

const packet =
  (bytes: 1 | 2 | 4, indexed: boolean): Handler =>
  (cpu, pc) => {
    // Signed, as the kernel has it: what lies before the packet is outside of it.
    const base = indexed ? (cpu.regs[cpu.src[pc] as number] as number) : 0;
    const offset = base + (cpu.arg[pc] as number);
    const at = offset >= LINK_LAYER && offset < NETWORK_LAYER ? offset - LINK_LAYER : offset;
    const data = cpu.packet(pc);
    // The one load that may fail: it ends the program.
    if (at < 0 || at + bytes > data.size) {
      cpu.regs[0] = 0;
      cpu.regs[1] = 0;
      return cpu.leave();
    }
    cpu.regs[0] = bytes === 1 ? data.view.getUint8(at) : bytes === 2 ? data.view.getUint16(at) : data.view.getInt32(at);
    cpu.regs[1] = 0;
    cpu.clobber();
    return pc + 1;
  };

/** The old loads from packets, big endian (RFC 9669 section 5.5), by bytes. */
export const packetAbsolute = { 1: packet(1, false), 2: packet(2, false), 4: packet(4, false) } as const;
export const packetIndexed = { 1: packet(1, true), 2: packet(2, true), 4: packet(4, true) } as const;
