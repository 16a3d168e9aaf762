import { Btf, BtfEdit, BtfError } from "../../btf/index.ts";
import type { ElfObject } from "../../elf/index.ts";

const STATIC = 0;

/**
 * The object's types with what the compiler leaves to the linker filled in from the symbols: sizes of sections of
 * variables, and where in them each is. Variables and functions that are hidden count as static, as they cannot be seen
 * from outside: the verifier then looks into such functions instead of judging them by themselves.
 */
export function fixBtf(btf: Btf, elf: ElfObject): Btf {
  const edit = new BtfEdit(btf.bytes);
  let changed = false;
  const hidden = new Set(elf.symbols.filter((symbol) => symbol.hidden && symbol.section !== 0).map(({ name }) => name));
  for (let id = btf.firstId; id < btf.endId; id++) {
    const kind = btf.kind(id);
    if (kind === "function" && hidden.size > 0) {
      const type = btf.type(id);
      if (!hidden.has(type.name)) continue;
      edit.set(id, 4, (edit.get(id, 4) & 0xffff0000) >>> 0);
      changed = true;
    }
    if (kind !== "section") continue;
    const type = btf.type(id);
    if (type.kind !== "section" || type.name === ".kconfig" || type.name === ".ksyms") continue;
    const section = elf.sections.find(({ name }) => name === type.name);
    const fill = type.size === 0;
    if (fill && section === undefined)
      throw new BtfError(`The types tell of a section ${type.name}, which the object does not have.`);
    const places = type.variables.map(({ type: variableId, offset, size }) => {
      const variable = btf.type(variableId);
      if (variable.kind !== "variable")
        throw new BtfError(`Section ${type.name} holds a ${variable.kind} instead of a variable.`);
      if (variable.linkage === "static") return { variableId, offset, size };
      if (hidden.has(variable.name)) {
        edit.set(variableId, 12, STATIC);
        changed = true;
      }
      const symbol = elf.symbols.find(
        (one) =>
          one.type === "object" && (one.binding === "global" || one.binding === "weak") && one.name === variable.name,
      );
      if (fill && symbol === undefined)
        throw new BtfError(`The object has no symbol of variable ${variable.name} in section ${type.name}.`);
      return { variableId, offset: fill ? (symbol?.value ?? offset) : offset, size };
    });
    if (!fill && places.every(({ offset }, i) => i === 0 || offset >= (places[i - 1]?.offset ?? 0))) continue;
    if (fill) edit.set(id, 8, section?.size ?? 0);
    // The kernel wants them in the order of their places.
    places.sort((a, b) => a.offset - b.offset);
    for (const [i, { variableId, offset, size }] of places.entries()) {
      edit.set(id, 12 + i * 12, variableId);
      edit.set(id, 16 + i * 12, offset);
      edit.set(id, 20 + i * 12, size);
    }
    changed = true;
  }
  return changed ? Btf.parse(edit.bytes()) : btf;
}
