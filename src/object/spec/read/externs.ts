import type { Btf, BtfType } from "../../btf/index.ts";
import type { ElfObject } from "../../elf/index.ts";
import type { ExternSpec } from "../object-spec.ts";
import { ObjectFileError } from "./object-file-error.ts";
import { isExtern } from "./relocations.ts";

interface Found {
  readonly name: string;
  readonly spec: ExternSpec;
  readonly align: number;
}

/**
 * What the object wants of the kernel by name, in the order that other loaders have: options of the kernel first, by
 * alignment and size, then by name; options get their places in `.kconfig`.
 */
export function readExterns(elf: ElfObject, btf: Btf | undefined): Readonly<Record<string, ExternSpec>> {
  const symbols = elf.symbols.filter((symbol) => isExtern(symbol) && symbol.name !== "");
  if (symbols.length === 0) return {};
  if (btf === undefined) {
    throw new ObjectFileError(
      `The object refers to ${symbols.map(({ name }) => name).join(", ")}, which it does not define, and has no types: compile it with -g.`,
    );
  }
  const sections = externSections(btf);
  const found = symbols.map(({ name, binding }): Found => {
    const declared = sections.get(name);
    if (declared === undefined) {
      throw new ObjectFileError(
        `"${name}" is not defined, and not declared as the kernel's: extern … ${name} __ksym (a function or variable) or __kconfig (an option), or link the object that has it.`,
      );
    }
    return describe(name, binding === "weak", declared, btf);
  });
  const isOption = ({ spec }: Found) => spec.kind === "kconfig";
  found.sort((a, b) => {
    if (isOption(a) !== isOption(b)) return isOption(a) ? -1 : 1;
    if (isOption(a)) {
      if (a.align !== b.align) return b.align - a.align;
      if (a.spec.size !== b.spec.size) return (a.spec.size ?? 0) - (b.spec.size ?? 0);
    }
    return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
  });
  let end = 0;
  const externs: Record<string, ExternSpec> = {};
  for (const one of found) {
    if (!isOption(one)) {
      externs[one.name] = one.spec;
      continue;
    }
    const offset = Math.ceil(end / one.align) * one.align;
    end = offset + (one.spec.size ?? 0);
    externs[one.name] = { ...one.spec, offset };
  }
  return externs;
}

interface Declared {
  readonly section: string;
  readonly type: BtfType;
}

function externSections(btf: Btf): ReadonlyMap<string, Declared> {
  const found = new Map<string, Declared>();
  for (const section of [".kconfig", ".ksyms"]) {
    const id = btf.find(section, "section");
    const type = id === undefined ? undefined : btf.type(id);
    if (type?.kind !== "section") continue;
    for (const { type: memberId } of type.variables) {
      const member = btf.type(memberId);
      found.set(member.name, { section, type: member });
    }
  }
  return found;
}

function describe(name: string, weak: boolean, { section, type }: Declared, btf: Btf): Found {
  if (type.kind === "function" && section === ".ksyms")
    return { name, spec: { kind: "kfunc", weak, type: type.type }, align: 1 };
  if (type.kind !== "variable")
    throw new ObjectFileError(
      `"${name}" in section ${section} is a ${type.kind}: an extern is a variable or a function.`,
    );
  if (section === ".kconfig") {
    return {
      name,
      spec: { kind: "kconfig", weak, type: type.type, size: btf.sizeOf(type.type) },
      align: alignOf(btf, type.type),
    };
  }
  // `extern const void name __ksym` wants the address only.
  const resolved = btf.resolve(type.type);
  if (btf.type(resolved).kind === "void") return { name, spec: { kind: "symbol", weak }, align: 1 };
  return { name, spec: { kind: "variable", weak, type: resolved }, align: 1 };
}

/** As C aligns a value of the type. */
function alignOf(btf: Btf, id: number, depth = 0): number {
  const type = btf.type(btf.resolve(id));
  if (depth > 32) return 1;
  switch (type.kind) {
    case "int":
    case "enum":
    case "enum64":
    case "float":
      return Math.min(8, Math.max(1, type.size));
    case "pointer":
      return 8;
    case "array":
      return alignOf(btf, type.element, depth + 1);
    case "struct":
    case "union":
      return Math.max(1, ...type.members.map((member) => alignOf(btf, member.type, depth + 1)));
    default:
      return 1;
  }
}
