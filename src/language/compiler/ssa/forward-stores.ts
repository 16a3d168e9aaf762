import type { Block, Func, Inst, Size, Slot } from "./ir.ts";
import type { Leaves } from "./leaves.ts";
import { isZero } from "./non-null.ts";
import { findPrivateSlots, type PrivateSlots } from "./private-slots.ts";
import { loadToExtension, Replacements } from "./rewrite.ts";

/** What is known to stand in a slot. */
interface Content {
  readonly slot: Slot;
  readonly offset: bigint;
  readonly size: Size;
  readonly value: Inst;
}

/**
 * Loads of slots that nobody else knows of become what was stored there (or loaded before), within a block and down ways
 * without a merge, and storing what stands there already is left out; then stores that nothing reads go: what is overwritten
 * first, and what is never read before the function returns.
 */
export function forwardStores(func: Func, leaves: Leaves): boolean {
  const found = findPrivateSlots(func);
  if (found.slots.size === 0) return false;
  const forwarded = forward(func, found, leaves);
  // Who reads a slot may be gone now.
  return removeDeadStores(func, forwarded ? findPrivateSlots(func) : found) || forwarded;
}

function forward(func: Func, found: PrivateSlots, leaves: Leaves): boolean {
  const replacements = new Replacements();
  const atEnd: (readonly Content[] | undefined)[] = [];
  const again = new Set<Inst>();
  let changed = false;
  // A block that has one predecessor comes in a turn after it, or begins with nothing known: that is only less.
  for (const block of func.blocks) {
    const before = block.preds.length === 1 ? atEnd[block.preds[0]!.id] : undefined;
    let contents = before ?? [];
    for (const inst of block.insts) {
      const slot = inst.args[0]?.slot;
      if (inst.op === "call") {
        const { writes } = inst.callee!;
        if (writes === undefined) continue;
        const written = writes.map((i) => inst.args[i]!.slot);
        contents = contents.filter((content) => !written.includes(content.slot));
      } else if (slot === undefined || !found.slots.has(slot)) {
      } else if (inst.op === "store") {
        if (contents.some((content) => isSame(content, inst, replacements))) {
          again.add(inst);
          continue;
        }
        contents = contents.filter((content) => !overlap(content, inst));
        contents = [...contents, { slot, offset: inst.imm, size: inst.size, value: inst.args[1]! }];
      } else if (inst.op === "load") {
        if (forwardLoad(inst, contents, replacements, leaves)) changed = true;
        else contents = [...contents, { slot, offset: inst.imm, size: inst.size, value: inst }];
      }
    }
    atEnd[block.id] = contents;
  }
  replacements.apply(func);
  return removeAll(func, again) || changed;
}

/** Whether what is stored stands there already. */
function isSame(content: Content, store: Inst, replacements: Replacements): boolean {
  return (
    content.slot === store.args[0]!.slot &&
    content.offset === store.imm &&
    content.size === store.size &&
    replacements.resolve(content.value) === replacements.resolve(store.args[1]!)
  );
}

function overlap(content: Content, access: Inst): boolean {
  return (
    content.slot === access.args[0]!.slot &&
    content.offset < access.imm + BigInt(access.size) &&
    access.imm < content.offset + BigInt(content.size)
  );
}

function forwardLoad(load: Inst, contents: readonly Content[], replacements: Replacements, leaves: Leaves): boolean {
  for (const content of contents) {
    if (!overlap(content, load)) continue;
    const { value } = content;
    const within = content.offset <= load.imm && load.imm + BigInt(load.size) <= content.offset + BigInt(content.size);
    if (within && isZero(value)) {
      replacements.replace(load, leaves.constant(0n));
      return true;
    }
    if (content.offset !== load.imm || content.size !== load.size) return false;
    if (load.size === 8) replacements.replace(load, value);
    else loadToExtension(load, value);
    return true;
  }
  return false;
}

function removeDeadStores(func: Func, found: PrivateSlots): boolean {
  const dead = new Set<Inst>();
  for (const block of func.blocks) collectDeadStores(block, found, dead);
  return removeAll(func, dead);
}

function removeAll(func: Func, dead: ReadonlySet<Inst>): boolean {
  if (dead.size === 0) return false;
  for (const block of func.blocks)
    if (block.insts.some((inst) => dead.has(inst))) block.insts = block.insts.filter((inst) => !dead.has(inst));
  return true;
}

function collectDeadStores(block: Block, found: PrivateSlots, dead: Set<Inst>): void {
  // Bytes that are written again before they are read. With the function its stack ends.
  const overwritten = new Map<Slot, Uint8Array>();
  const bytesOf = (slot: Slot): Uint8Array => {
    let bytes = overwritten.get(slot);
    if (bytes === undefined) {
      bytes = new Uint8Array(slot.size).fill(block.end!.op === "return" ? 1 : 0);
      overwritten.set(slot, bytes);
    }
    return bytes;
  };
  for (let i = block.insts.length - 1; i >= 0; i--) {
    const inst = block.insts[i]!;
    if (inst.op === "call") {
      for (const argument of inst.callee!.reads ?? []) {
        const { slot } = inst.args[argument]!;
        if (slot !== undefined && found.slots.has(slot)) bytesOf(slot).fill(0);
      }
      continue;
    }
    const slot = inst.args[0]?.slot;
    if (slot === undefined || !found.slots.has(slot)) continue;
    const start = Number(inst.imm);
    if (inst.op === "load") bytesOf(slot).fill(0, start, start + inst.size);
    else if (inst.op === "store") {
      const bytes = bytesOf(slot);
      if (!found.read.has(slot) || bytes.subarray(start, start + inst.size).every((byte) => byte === 1)) dead.add(inst);
      else bytes.fill(1, start, start + inst.size);
    }
  }
}
