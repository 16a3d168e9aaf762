import { readFileSync } from "node:fs";
import { Btf } from "../../object/btf/index.ts";
import { mapFile } from "./map-file.ts";

export const BTF_FOLDER = "/sys/kernel/btf";

/** The running kernel was built without its types. */
export class KernelBtfError extends Error {
  override readonly name = "KernelBtfError";
  readonly code = "SKEP_KERNEL_BTF";
}

/** The running kernel's types do not change: who loads one object after the other reads them once. */
let kernel: WeakRef<Btf> | undefined;

/**
 * The types of the running kernel (`/sys/kernel/btf/vmlinux`, Linux 5.2 with CONFIG_DEBUG_INFO_BTF), read once as long as
 * somebody holds them. One structure costs milliseconds: only what is asked for is decoded. Throws KernelBtfError for a kernel
 * built without.
 */
export function kernelBtf(): Btf {
  const known = kernel?.deref();
  if (known !== undefined) return known;
  try {
    const path = `${BTF_FOLDER}/vmlinux`;
    // Mapped (Linux 6.16) it takes neither the time of a copy nor the memory.
    const mapped = mapFile(path);
    const btf = mapped === undefined ? Btf.parse(readFileSync(path)) : Btf.parse(mapped, { readOnly: true });
    kernel = new WeakRef(btf);
    return btf;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new KernelBtfError(
      `This kernel does not show its types (${BTF_FOLDER}/vmlinux is not there: CONFIG_DEBUG_INFO_BTF). Give the types of this very kernel with the option kernelBtf (BTFHub has those of many).`,
    );
  }
}

/**
 * The types of a loaded kernel module (Linux 5.11), which go on from the kernel's own. Throws Node's ENOENT when it is not
 * loaded or has none.
 */
export function moduleBtf(name: string): Btf {
  if (name === "vmlinux") return kernelBtf();
  return Btf.parse(readFileSync(`${BTF_FOLDER}/${name}`), { base: kernelBtf() });
}
