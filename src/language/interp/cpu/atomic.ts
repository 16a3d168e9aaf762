import type { Handler } from "./cpu.ts";

/**
 * Atomic operations (RFC 9669 section 5.3). Nobody else is at the memory here, so that each is a load and a store; what is
 * checked is that the address is a multiple of the size. `cpu.dst[pc]` is the pointer, `cpu.src[pc]` the operand.
 */

type Combine = (old: bigint, operand: bigint) => bigint;

const OPERATIONS: Readonly<Record<number, Combine>> = {
  0: (old, operand) => old + operand,
  64: (old, operand) => old | operand,
  80: (old, operand) => old & operand,
  160: (old, operand) => old ^ operand,
  224: (_old, operand) => operand,
};

const FETCH = 0x01;
const CMPXCHG = 0xf1;
const LOAD_ACQUIRE = 0x100;
const STORE_RELEASE = 0x110;

/** The handler of an atomic operation by its `imm` and bytes; undefined when there is none. */
export function atomic(imm: number, bytes: 1 | 2 | 4 | 8): Handler | undefined {
  if (imm === LOAD_ACQUIRE) return loadAcquire(bytes);
  if (imm === STORE_RELEASE) return storeRelease(bytes);
  if (bytes < 4) return undefined;
  if (imm === CMPXCHG) return bytes === 8 ? compareExchange64 : compareExchange32;
  const fetch = (imm & FETCH) !== 0;
  const combine = OPERATIONS[imm & ~FETCH];
  if (combine === undefined || imm === 0xe0) return undefined;
  return bytes === 8 ? combine64(combine, fetch) : combine32(combine, fetch);
}

const combine64 =
  (combine: Combine, fetch: boolean): Handler =>
  (cpu, pc) => {
    const at = cpu.reachAtomic(pc, 8);
    const { view, little, wide } = cpu;
    const s = (cpu.src[pc] as number) >> 1;
    const old = view.getBigUint64(at, little);
    view.setBigUint64(at, combine(old, wide[s] as bigint), little);
    if (fetch) wide[s] = old;
    return pc + 1;
  };

const combine32 =
  (combine: Combine, fetch: boolean): Handler =>
  (cpu, pc) => {
    const at = cpu.reachAtomic(pc, 4);
    const { view, little, regs } = cpu;
    const s = cpu.src[pc] as number;
    const old = view.getInt32(at, little);
    view.setInt32(at, Number(BigInt.asIntN(32, combine(BigInt(old), BigInt(regs[s] as number)))), little);
    if (fetch) {
      regs[s] = old;
      regs[s + 1] = 0;
    }
    return pc + 1;
  };

const compareExchange64: Handler = (cpu, pc) => {
  const at = cpu.reachAtomic(pc, 8);
  const { view, little, wide } = cpu;
  const old = view.getBigUint64(at, little);
  if (old === wide[0]) view.setBigUint64(at, wide[(cpu.src[pc] as number) >> 1] as bigint, little);
  wide[0] = old;
  return pc + 1;
};

const compareExchange32: Handler = (cpu, pc) => {
  const at = cpu.reachAtomic(pc, 4);
  const { view, little, regs } = cpu;
  const old = view.getInt32(at, little);
  if (old === regs[0]) view.setInt32(at, regs[cpu.src[pc] as number] as number, little);
  regs[0] = old;
  regs[1] = 0;
  return pc + 1;
};

/** Here `src` is the pointer and `dst` what is loaded into, as in any load. */
const loadAcquire =
  (bytes: 1 | 2 | 4 | 8): Handler =>
  (cpu, pc) => {
    const at = cpu.reachLoad(pc, bytes);
    cpu.mustBeAligned(pc, at, bytes);
    const { view, little, regs } = cpu;
    const d = cpu.dst[pc] as number;
    if (bytes === 8) cpu.wide[d >> 1] = view.getBigUint64(at, little);
    else {
      regs[d] = bytes === 1 ? view.getUint8(at) : bytes === 2 ? view.getUint16(at, little) : view.getInt32(at, little);
      regs[d + 1] = 0;
    }
    return pc + 1;
  };

const storeRelease =
  (bytes: 1 | 2 | 4 | 8): Handler =>
  (cpu, pc) => {
    const at = cpu.reachStore(pc, bytes);
    cpu.mustBeAligned(pc, at, bytes);
    const { view, little, regs } = cpu;
    const s = cpu.src[pc] as number;
    if (bytes === 8) view.setBigUint64(at, cpu.wide[s >> 1] as bigint, little);
    else if (bytes === 4) view.setInt32(at, regs[s] as number, little);
    else if (bytes === 2) view.setInt16(at, regs[s] as number, little);
    else view.setInt8(at, regs[s] as number);
    return pc + 1;
  };
