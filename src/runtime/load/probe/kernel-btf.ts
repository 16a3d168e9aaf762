import { kernelBtf } from "../../sys/index.ts";

export const VMLINUX_BTF = "/sys/kernel/btf/vmlinux";

export type BtfKindName = "struct" | "typedef" | "function";

export interface KernelTypes {
  /** By `kind:name`; those that the kernel lacks are left out. */
  readonly ids: ReadonlyMap<string, number>;
  /** Whether the kernel shows its types. */
  readonly isReadable: boolean;
}

/** The ids of types of the running kernel. */
export function findKernelTypes(wanted: readonly `${BtfKindName}:${string}`[]): KernelTypes {
  const ids = new Map<string, number>();
  try {
    const btf = kernelBtf();
    for (const key of wanted) {
      const [kind, name] = key.split(":") as [BtfKindName, string];
      const id = btf.find(name, kind);
      if (id !== undefined) ids.set(key, id);
    }
    return { ids, isReadable: true };
  } catch (error) {
    // A kernel without BTF, or one with kinds that are newer than this version of Skep: errors with a code, as the system's are.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return { ids, isReadable: false };
  }
}
