import type { Slot } from "../ssa/ir.ts";
import { addBits, forEachBit, hasBit, newBits, setBit } from "./bits.ts";
import type { MachineBlock, MachineFunction, MachineInst, Operand } from "./machine.ts";

/** Where the content of a piece of stack matters. */
export interface SlotRange {
  readonly slot: Slot;
  /** from, to, from, to … of positions. */
  readonly ranges: number[];
}

/** What an instruction does with a slot: reads or writes `size` bytes from `offset` on. */
interface Access {
  readonly slot: number;
  readonly position: number;
  readonly reads: boolean;
  readonly offset: number;
  readonly size: number;
}

/**
 * Finds from where to where each piece of stack is in use: from the first that is written to it, if what was written can still
 * be read. Pieces whose address goes where it cannot be followed (into memory, through a phi) are in use everywhere.
 */
export function analyseSlots(func: MachineFunction): SlotRange[] {
  const accesses = new AccessFinder(func);
  const { slots, escaped } = accesses;
  if (slots.length === 0) return [];
  const blocks = func.blocks;
  const count = slots.length;
  const index = new Map(blocks.map((block, i) => [block, i]));
  const exposed = blocks.map(() => newBits(count));
  const covered = blocks.map(() => newBits(count));
  const touched = blocks.map(() => newBits(count));
  blocks.forEach((block, i) => {
    const written = new Map<number, Uint8Array>();
    for (const access of accesses.of(block)) {
      const { slot } = access;
      setBit(touched[i] as Uint32Array, slot);
      let bytes = written.get(slot);
      if (bytes === undefined) {
        bytes = new Uint8Array((slots[slot] as Slot).size);
        written.set(slot, bytes);
      }
      if (access.reads) {
        if (bytes.subarray(access.offset, access.offset + access.size).includes(0))
          setBit(exposed[i] as Uint32Array, slot);
      } else bytes.fill(1, access.offset, access.offset + access.size);
      if (!bytes.includes(0) && !hasBit(exposed[i] as Uint32Array, slot)) setBit(covered[i] as Uint32Array, slot);
    }
  });
  // Backward: may be read before it is written whole. Forward: may have been touched.
  const liveIn = exposed.map((bits) => bits.slice());
  const liveOut = blocks.map(() => newBits(count));
  const seenOut = touched.map((bits) => bits.slice());
  const seenIn = blocks.map(() => newBits(count));
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = blocks.length - 1; i >= 0; i--) {
      for (const succ of (blocks[i] as MachineBlock).succs) {
        if (addBits(liveOut[i] as Uint32Array, liveIn[index.get(succ) as number] as Uint32Array)) changed = true;
      }
      if (addBits(liveIn[i] as Uint32Array, liveOut[i] as Uint32Array, covered[i])) changed = true;
    }
    for (let i = 0; i < blocks.length; i++) {
      for (const pred of (blocks[i] as MachineBlock).preds) {
        if (addBits(seenIn[i] as Uint32Array, seenOut[index.get(pred) as number] as Uint32Array)) changed = true;
      }
      if (addBits(seenOut[i] as Uint32Array, seenIn[i] as Uint32Array)) changed = true;
    }
  }
  const result: SlotRange[] = slots.map((slot) => ({ slot, ranges: [] }));
  const whole = (blocks[blocks.length - 1] as MachineBlock).to;
  blocks.forEach((block, i) => {
    const first = new Map<number, number>();
    const last = new Map<number, number>();
    for (const { slot, position } of accesses.of(block)) {
      if (!first.has(slot)) first.set(slot, position);
      last.set(slot, position + 2);
    }
    const inUse = touched[i]?.slice() as Uint32Array;
    addBits(inUse, liveIn[i] as Uint32Array);
    addBits(inUse, liveOut[i] as Uint32Array);
    forEachBit(inUse, (slot) => {
      const carriedIn = hasBit(liveIn[i] as Uint32Array, slot) && hasBit(seenIn[i] as Uint32Array, slot);
      const carriedOut = hasBit(liveOut[i] as Uint32Array, slot) && hasBit(seenOut[i] as Uint32Array, slot);
      const from = carriedIn ? block.from : first.get(slot);
      const to = carriedOut ? block.to : (last.get(slot) ?? block.to);
      if (from !== undefined && from < to && (carriedIn || carriedOut || first.has(slot)))
        (result[slot] as SlotRange).ranges.push(from, to);
    });
  });
  forEachBit(escaped, (slot) => {
    const { ranges } = result[slot] as SlotRange;
    ranges.length = 0;
    ranges.push(0, whole);
  });
  return result;
}

/** Follows the addresses of slots through the registers of a function. */
export class SlotAddresses {
  readonly #held = new Map<number, Slot>();

  constructor(func: MachineFunction) {
    for (const block of func.blocks) {
      for (const { form, dst, a, constant } of block.insts) {
        if (form !== "constant" && form !== "alu") continue;
        const slot = constant?.slot ?? this.#held.get(a);
        if (slot !== undefined) this.#held.set(dst, slot);
      }
    }
  }

  /** The slot whose address, at some distance, a virtual register holds. */
  of(vreg: number): Slot | undefined {
    return this.#held.get(vreg);
  }

  ofOperand({ vreg, constant }: Operand): Slot | undefined {
    return constant === undefined ? this.#held.get(vreg) : constant.slot;
  }
}

/** Finds what each block does with which slot, in order, and the slots whose address cannot be followed. */
class AccessFinder {
  readonly slots: Slot[] = [];
  readonly escaped: Uint32Array;
  readonly #numbers = new Map<Slot, number>();
  readonly #addresses: SlotAddresses;
  readonly #byBlock = new Map<MachineBlock, Access[]>();

  constructor(func: MachineFunction) {
    this.#addresses = new SlotAddresses(func);
    const escapes: number[] = [];
    for (const block of func.blocks) {
      const list: Access[] = [];
      for (const inst of block.insts) this.#inst(inst, list, escapes);
      this.#byBlock.set(block, list);
    }
    for (const block of func.blocks) {
      for (const phi of block.phis) {
        for (const input of phi.inputs) this.#escape(escapes, this.#addresses.ofOperand(input));
      }
    }
    this.escaped = newBits(this.slots.length);
    for (const slot of escapes) setBit(this.escaped, slot);
  }

  of(block: MachineBlock): readonly Access[] {
    return this.#byBlock.get(block) as Access[];
  }

  #number(slot: Slot): number {
    let number = this.#numbers.get(slot);
    if (number === undefined) {
      number = this.slots.push(slot) - 1;
      this.#numbers.set(slot, number);
    }
    return number;
  }

  #escape(escapes: number[], slot: Slot | undefined): void {
    if (slot !== undefined) escapes.push(this.#number(slot));
  }

  #inst(inst: MachineInst, list: Access[], escapes: number[]): void {
    const { position, form, a, b, callee } = inst;
    const addresses = this.#addresses;
    /** Where it is not known how much, all may be read, and nothing is certainly written. */
    const touch = (slot: Slot | undefined, reads: boolean, offset = 0, size = reads ? (slot?.size ?? 0) : 0) => {
      if (slot !== undefined) list.push({ slot: this.#number(slot), position, reads, offset, size });
    };
    const access = (reads: boolean) => {
      if (inst.slot !== undefined) touch(inst.slot, reads, inst.offset, bytesOf(inst.opcode));
      else touch(addresses.of(a), reads);
    };
    switch (form) {
      case "constant":
        return;
      case "alu":
        this.#escape(escapes, addresses.of(b));
        return;
      case "load":
        access(true);
        return;
      case "store":
      case "storeImm":
        this.#escape(escapes, addresses.of(b));
        access(false);
        return;
      case "atomic":
      case "fetch":
        this.#escape(escapes, addresses.of(b));
        access(true);
        return;
      case "branch":
        return;
      case "call":
        inst.operands.forEach((operand, n) => {
          const slot = addresses.ofOperand(operand);
          const written = callee?.reads?.includes(n) === true ? undefined : writtenBy(inst, n);
          if (written === undefined) touch(slot, true);
          else touch(slot, false, written.offset, written.size);
        });
        return;
      default:
        // Returned, or moved to where it is not followed.
        this.#escape(escapes, addresses.of(b));
        for (const operand of inst.operands) this.#escape(escapes, addresses.ofOperand(operand));
    }
  }
}

/** What of a slot, passed as its operand number `n`, a call writes: as many bytes as the next says, where both are known. */
export function writtenBy(
  { callee, operands }: MachineInst,
  n: number,
): { readonly offset: number; readonly size: number } | undefined {
  const address = operands[n]?.constant;
  const length = operands[n + 1]?.constant;
  if (callee?.writes?.includes(n) !== true || address === undefined || length?.kind !== "int") return undefined;
  return { offset: address.offset, size: Number(length.value) };
}

/** Bytes that a load or store moves. */
export function bytesOf(opcode: number): number {
  return [4, 2, 1, 8][(opcode >> 3) & 3] as number;
}
