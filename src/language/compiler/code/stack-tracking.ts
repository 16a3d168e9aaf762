// What old verifiers get wrong about numbers on the stack, and how it is kept from them.
import { Alu, Class, Opcode } from "../../../object/asm/index.ts";
import type { Func, Inst, Size, Slot } from "../ssa/ir.ts";
import { NONE } from "./machine.ts";
import type { Selector } from "./select.ts";

/** The first Linux that follows numbers through every register that points to the stack. */
export const FOLLOWS_POINTERS = "6.8";

/** The piece of stack that an address lies in; how far from its beginning, where that is known. */
export function slotPlace(address: Inst): { readonly slot: Slot; readonly offset: number | undefined } | undefined {
  let offset: number | undefined = 0;
  for (let at = address; ; at = at.args[0] as Inst) {
    if (at.op === "slot") return at.slot === undefined ? undefined : { slot: at.slot, offset };
    if (at.op !== "offset") return undefined;
    const distance = at.args[1] as Inst;
    offset =
      distance.op === "const" && offset !== undefined ? offset + Number(BigInt.asIntN(64, distance.imm)) : undefined;
  }
}

/** Whether an address may be one of the stack: also what a function was given, or a callback took over, may be. */
function mayBeOnStack(address: Inst, seen = new Set<Inst>()): boolean {
  const { kind, op, args } = address;
  if (kind === "stack") return true;
  if (kind !== "memory" || seen.has(address)) return false;
  seen.add(address);
  switch (op) {
    case "offset":
      return mayBeOnStack(args[0] as Inst, seen);
    case "phi":
      return args.some((arg) => mayBeOnStack(arg as Inst, seen));
    default:
      return op === "param" || op === "load";
  }
}

/** Pieces of stack that something is stored to at a computed place. */
export function looseSlots(func: Func): Set<Slot> {
  const loose = new Set<Slot>();
  for (const { insts } of func.blocks)
    for (const { op, args } of insts) {
      const place = op === "store" ? slotPlace(args[0] as Inst) : undefined;
      if (place !== undefined && place.offset === undefined) loose.add(place.slot);
    }
  return loose;
}

/**
 * Whether the kernel would remember the number that is stored, where it must not.
 *
 * Before Linux 6.4 a store at a computed place makes it forget the numbers that it knows on the words around, and refuse every
 * other byte of those ("invalid size of register fill"). And before 6.8, where a store goes through another register than r10,
 * it does not see which register the number came from (`isLostTrackOf`).
 */
export function isRemembered(s: Selector, inst: Inst): boolean {
  const [base, value] = inst.args as [Inst, Inst];
  if (value.kind !== "scalar" || !mayBeOnStack(base)) return false;
  // Zeros are of a kind of their own.
  if (value.op === "const" && BigInt.asUintN(inst.size * 8, value.imm) === 0n) return false;
  const place = slotPlace(base);
  if (place?.offset === undefined) return !s.followsPointers;
  if (s.features.iterNum || !s.looseSlots().has(place.slot)) return false;
  const offset = place.offset + Number(BigInt.asIntN(64, inst.imm));
  return place.slot.align < 8 || offset % 8 === 0;
}

/**
 * Whether the kernel takes a number from the stack that it knows, and forgets where from. Before Linux 6.8 it does when the load
 * goes through another register than r10: what a function is handed, what a callback shares with its caller, places that loops
 * count. A branch that it decides by such a number it removes, without noting that the way there decides it: it takes ways for alike
 * on which the number is another one, and the program goes the wrong way when it runs.
 */
export function isLostTrackOf(s: Selector, inst: Inst): boolean {
  if (s.followsPointers || inst.kind !== "scalar") return false;
  const base = inst.args[0] as Inst;
  return slotPlace(base)?.offset === undefined && mayBeOnStack(base);
}

/** A number that the kernel knows nothing of but its size: it does not follow what is done to the order of bytes. */
export function forgotten(s: Selector, inst: Inst, value: number, size: Size): number {
  const swap = s.isLittleEndian ? Opcode.TO_BE : Opcode.TO_LE;
  const same = s.alu(swap, inst, s.alu(swap, inst, value, NONE, 64), NONE, 64);
  if (size === 8) return same;
  // Both leave the number as it is, and tell the kernel how large it may be.
  if (size === 4) return s.alu(Class.ALU | Alu.OR, inst, same, NONE, 0);
  return s.alu(Class.ALU64 | Alu.AND, inst, same, NONE, size === 1 ? 0xff : 0xffff);
}
