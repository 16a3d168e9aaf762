import { readFileSync } from "node:fs";
import { Btf, BtfError } from "../../../object/btf/index.ts";

export const VMLINUX_BTF = "/sys/kernel/btf/vmlinux";

export type BtfKindName = "struct" | "typedef" | "function";

let cached: Btf | undefined;

/**
 * The ids of types of the running kernel, by `kind:name`. Names that it lacks are left out; without a readable BTF the
 * answer is empty.
 */
export function findKernelTypes(wanted: readonly `${BtfKindName}:${string}`[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  try {
    cached ??= Btf.parse(readFileSync(VMLINUX_BTF));
    for (const key of wanted) {
      const [kind, name] = key.split(":") as [BtfKindName, string];
      const id = cached.find(name, kind);
      if (id !== undefined) found.set(key, id);
    }
  } catch (error) {
    // A kernel without BTF, or one with kinds that are newer than this version of Skep.
    if (!(error instanceof BtfError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
  }
  return found;
}
