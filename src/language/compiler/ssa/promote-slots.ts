import type { Block, Func, Inst, Slot } from "./ir.ts";
import type { Leaves } from "./leaves.ts";
import { forEachSlotUse, isAccess } from "./private-slots.ts";
import { Reconstruction, settleKinds } from "./reconstruction.ts";
import { loadToExtension, Replacements } from "./rewrite.ts";

/** The part of a slot that is always read and written as a whole: identity only. */
interface Field {
  readonly slot: Slot;
}

/**
 * Turns what lives on the stack without need into values: fields of slots of which nobody has the address (no call, no
 * computed distance), and which no access cuts or straddles. A slot whose other parts have to stay keeps those.
 */
export function promoteSlots(func: Func, leaves: Leaves): boolean {
  const fields = findFields(func);
  if (fields.size === 0) return false;
  const replacements = new Replacements();
  const reconstructions = new Map<Field, Reconstruction>();
  for (const field of new Set(fields.values())) {
    const reconstruction = new Reconstruction(
      func,
      leaves.constant(0n),
      field.slot.name === "" ? undefined : field.slot.name,
    );
    reconstructions.set(field, reconstruction);
  }
  // What is stored last in a block is what the field is at its end.
  for (const block of func.blocks)
    for (const inst of block.insts) {
      const field = inst.op === "store" ? fields.get(inst) : undefined;
      if (field !== undefined) reconstructions.get(field)!.define(block, inst.args[1]!);
    }
  for (const block of [...func.blocks]) promoteBlock(block, fields, reconstructions, replacements);
  replacements.apply(func);
  // Operands that were loads are values now: only now the phis know what they are. All at once, as fields are stored in each other.
  settleKinds([...reconstructions.values()].flatMap(({ phis }) => phis));
  return true;
}

function promoteBlock(
  block: Block,
  fields: ReadonlyMap<Inst, Field>,
  reconstructions: ReadonlyMap<Field, Reconstruction>,
  replacements: Replacements,
): void {
  const current = new Map<Field, Inst>();
  const insts: Inst[] = [];
  for (const inst of block.insts) {
    const field = fields.get(inst);
    if (field === undefined) {
      insts.push(inst);
      continue;
    }
    if (inst.op === "store") {
      current.set(field, inst.args[1]!);
      continue;
    }
    let value = current.get(field);
    if (value === undefined) {
      value = reconstructions.get(field)!.atEntry(block);
      current.set(field, value);
    }
    if (inst.size === 8) {
      replacements.replace(inst, value);
      continue;
    }
    loadToExtension(inst, value);
    insts.push(inst);
  }
  block.insts = insts;
}

/** For each load and store that goes away the field that it reaches. */
function findFields(func: Func): Map<Inst, Field> {
  const escaped = new Set<Slot>();
  const accesses = new Map<Slot, Inst[]>();
  forEachSlotUse(func, (slot, inst, i) => {
    if (!isAccess(inst, i)) escaped.add(slot);
    else {
      const list = accesses.get(slot);
      if (list === undefined) accesses.set(slot, [inst]);
      else list.push(inst);
    }
  });
  const fields = new Map<Inst, Field>();
  for (const [slot, insts] of accesses) {
    if (escaped.has(slot)) continue;
    insts.sort((a, b) => Number(a.imm - b.imm));
    for (let i = 0; i < insts.length; ) {
      const first = insts[i]!;
      let end = first.imm + BigInt(first.size);
      let whole = true;
      let j = i;
      for (; j < insts.length && insts[j]!.imm < end; j++) {
        const each = insts[j]!;
        if (each.imm !== first.imm || each.size !== first.size) whole = false;
        if (each.imm + BigInt(each.size) > end) end = each.imm + BigInt(each.size);
      }
      if (whole) {
        const field = { slot };
        for (const each of insts.slice(i, j)) fields.set(each, field);
      }
      i = j;
    }
  }
  return fields;
}
