import { Atomic } from "../../../object/asm/index.ts";
import type { Handler } from "./cpu.ts";
import { type Bytes, LOADS, STORES } from "./operations.ts";

/**
 * Atomic operations (RFC 9669 section 5.3). Nobody else is at the memory here, so that each is a load and a store; what is
 * checked is that the address is a multiple of the size. `cpu.dst[pc]` is the pointer, `cpu.src[pc]` the operand.
 */

/** An exchange always gives the old value: without `FETCH` it is none. */
const EXCHANGE = Atomic.XCHG & ~Atomic.FETCH;

type Combine = (old: bigint, operand: bigint) => bigint;

/** What is stored, by the operation without `FETCH`. */
const OPERATIONS: Readonly<Record<number, Combine>> = {
  [Atomic.ADD]: (old, operand) => old + operand,
  [Atomic.OR]: (old, operand) => old | operand,
  [Atomic.AND]: (old, operand) => old & operand,
  [Atomic.XOR]: (old, operand) => old ^ operand,
  [EXCHANGE]: (_old, operand) => operand,
};

/** The handler of an atomic operation by its `imm` and bytes; undefined when there is none. */
export function atomic(imm: number, bytes: Bytes): Handler | undefined {
  if (imm === Atomic.LOAD_ACQUIRE) return loadAcquire(bytes);
  if (imm === Atomic.STORE_RELEASE) return storeRelease(bytes);
  if (bytes < 4) return undefined;
  if (imm === Atomic.CMPXCHG) return bytes === 8 ? compareExchange64 : compareExchange32;
  const fetch = (imm & Atomic.FETCH) !== 0;
  const combine = OPERATIONS[imm & ~Atomic.FETCH];
  if (combine === undefined || imm === EXCHANGE) return undefined;
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
  (bytes: Bytes): Handler =>
  (cpu, pc) => {
    cpu.mustBeAligned(pc, cpu.reachLoad(pc, bytes), bytes);
    return LOADS[bytes](cpu, pc);
  };

const storeRelease =
  (bytes: Bytes): Handler =>
  (cpu, pc) => {
    cpu.mustBeAligned(pc, cpu.reachStore(pc, bytes), bytes);
    return STORES[bytes](cpu, pc);
  };
