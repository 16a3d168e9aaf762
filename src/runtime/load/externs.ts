import { Callee, type Instruction, Opcode, Pseudo } from "../../object/asm/index.ts";
import { type Btf, essentialName, typesCompatible } from "../../object/btf/index.ts";
import type { ExternSpec, ObjectSpec } from "../../object/spec/index.ts";
import { kernelAddresses } from "../sys/index.ts";
import type { KernelTypeId, KernelTypes } from "./kernel-types.ts";
import { ObjectError } from "./object-error.ts";

/** The helper numbers that stand where a kernel function is missing: this plus the extern's place in its object. */
export const KFUNC_POISON = 2_002_000_000;

/** What an extern is in this kernel. */
export type Extern =
  | { readonly kind: "kconfig"; readonly offset: number }
  | { readonly kind: "address"; readonly address: bigint }
  | { readonly kind: "type"; readonly type: KernelTypeId }
  | { readonly kind: "missing"; readonly index: number };

/**
 * Finds what the object wants of the kernel by name. Weak ones that the kernel lacks are `missing`; for others an
 * ObjectError names all that are missing at once.
 */
export function resolveExterns(spec: ObjectSpec, kernel: KernelTypes): ReadonlyMap<string, Extern> {
  const found = new Map<string, Extern>();
  const externs = Object.entries(spec.externs ?? {});
  const missing: string[] = [];
  const symbols = externs.filter(([, { kind }]) => kind === "symbol").map(([name]) => name);
  const addresses = symbols.length > 0 ? kernelAddresses(new Set(symbols)) : new Map<string, bigint>();
  for (const [index, [name, extern]] of externs.entries()) {
    const value = resolveExtern(name, extern, spec.btf, kernel, addresses);
    if (value === undefined && !extern.weak) missing.push(`${name} (${WORDS[extern.kind]})`);
    found.set(name, value ?? { kind: "missing", index });
  }
  if (missing.length > 0) {
    throw new ObjectError(
      `The object needs what this kernel does not have: ${missing.join(", ")}. Declared __weak, and tested before use, an object can do without.`,
    );
  }
  return found;
}

const WORDS: Readonly<Record<ExternSpec["kind"], string>> = {
  kfunc: "kernel function",
  variable: "kernel variable",
  symbol: "kernel symbol",
  kconfig: "kernel option",
};

function resolveExtern(
  name: string,
  extern: ExternSpec,
  local: Btf | undefined,
  kernel: KernelTypes,
  addresses: ReadonlyMap<string, bigint>,
): Extern | undefined {
  switch (extern.kind) {
    case "kconfig":
      return { kind: "kconfig", offset: extern.offset ?? 0 };
    case "symbol": {
      const address = addresses.get(name);
      return address === undefined ? undefined : { kind: "address", address };
    }
    case "kfunc":
    case "variable": {
      const type = kernel.find(essentialName(name), extern.kind === "kfunc" ? "function" : "variable");
      if (type === undefined) return undefined;
      if (local !== undefined && extern.type !== undefined) {
        const btf = kernel.btfOf(type);
        const target = btf.type(type.id);
        const targetType = target.kind === "function" || target.kind === "variable" ? target.type : 0;
        const ours = extern.kind === "variable" ? local.resolve(extern.type) : extern.type;
        const theirs = extern.kind === "variable" ? btf.resolve(targetType) : targetType;
        if (!typesCompatible(local, ours, btf, theirs)) {
          if (extern.weak) return undefined;
          throw new ObjectError(
            `The kernel's ${name} is of another type than the object declares it to be: its declaration is of another kernel.`,
          );
        }
      }
      return { kind: "type", type };
    }
  }
}

/** What instructions need of an object's descriptors. */
export interface ExternContext {
  readonly externs: ReadonlyMap<string, Extern>;
  /** Index, from 1 on, of a module's types in the program's array of descriptors. */
  moduleIndex(module: string): number;
  /** Descriptor of a module's types. */
  moduleFd(module: string): number;
}

/** An instruction that names an extern, with the extern put in. */
export function bindExtern(instruction: Instruction, context: ExternContext): Instruction {
  // Most have none, and taking an instruction apart is not cheap.
  if (instruction.extern === undefined) return instruction;
  const { extern: name, ...plain } = instruction;
  const extern = context.externs.get(name);
  if (extern === undefined)
    throw new ObjectError(`An instruction refers to "${name}", which the object does not declare.`);
  if (instruction.opcode === Opcode.CALL) {
    if (extern.kind === "type") {
      const { id, module } = extern.type;
      return { ...plain, src: Callee.KFUNC, imm: id, offset: module === undefined ? 0 : context.moduleIndex(module) };
    }
    const index = extern.kind === "missing" ? extern.index : 0;
    // The name stays, so that an error can tell what is missing.
    return { ...instruction, src: Callee.HELPER, dst: 0, offset: 0, imm: KFUNC_POISON + index };
  }
  switch (extern.kind) {
    case "kconfig":
      return { ...plain, src: Pseudo.MAP_VALUE, map: ".kconfig", mapValueOffset: extern.offset };
    case "address":
      return { ...plain, src: Pseudo.VALUE, imm64: extern.address };
    case "missing":
      return { ...plain, src: Pseudo.VALUE, imm64: 0n };
    case "type": {
      const { id, module } = extern.type;
      const fd = module === undefined ? 0 : context.moduleFd(module);
      return { ...plain, src: Pseudo.BTF_ID, imm64: (BigInt(fd) << 32n) | BigInt(id) };
    }
  }
}
