import { readdirSync, readFileSync } from "node:fs";
import { Btf } from "../../object/btf/index.ts";
import { BTF_FOLDER, type Fd, kernelBtf, openKernelBtf } from "../sys/index.ts";
import { ObjectError } from "./object-error.ts";

/** Types of one kernel module. */
export interface ModuleTypes {
  readonly name: string;
  readonly btf: Btf;
}

/** A type of the running kernel that a program refers to by number. */
export interface KernelTypeId {
  readonly id: number;
  /** The module it is in; undefined for the kernel itself. */
  readonly module?: string;
  /** The loaded program that it is a function of, where it is one's. */
  readonly program?: Fd;
}

/**
 * The types of the kernel that objects are fitted to: the running kernel's own, or others that the caller names for a
 * kernel without. Each is read when it is first needed. `close()` gives up the descriptors of modules' types.
 */
export class KernelTypes {
  readonly #external: Btf | undefined;
  #vmlinux: Btf | undefined;
  #modules: readonly ModuleTypes[] | undefined;
  readonly #fds = new Map<string, Fd>();

  constructor(external?: Btf) {
    this.#external = external;
  }

  /** Throws KernelBtfError for a kernel that was built without BTF. */
  get vmlinux(): Btf {
    this.#vmlinux ??= this.#external ?? kernelBtf();
    return this.#vmlinux;
  }

  /** None where the caller brought the kernel's types: libbpf looks at no modules then either. */
  get modules(): readonly ModuleTypes[] {
    this.#modules ??= this.#external === undefined ? readModules(this.vmlinux) : [];
    return this.#modules;
  }

  /** The kernel's own type of that name and kind, or a module's. */
  find(name: string, kind: "function" | "variable" | "typedef" | "struct"): KernelTypeId | undefined {
    const id = this.vmlinux.find(name, kind);
    if (id !== undefined) return { id };
    for (const { name: module, btf } of this.modules) {
      const own = btf.findAll(name, kind).find((one) => one >= btf.firstId);
      if (own !== undefined) return { id: own, module };
    }
    return undefined;
  }

  btfOf({ module }: KernelTypeId): Btf {
    return module === undefined
      ? this.vmlinux
      : (this.modules.find(({ name }) => name === module)?.btf ?? this.vmlinux);
  }

  /** A descriptor of a module's types, open until `close()`. Throws ObjectError when the module is gone. */
  moduleFd(name: string): Fd {
    let fd = this.#fds.get(name);
    if (fd === undefined) {
      fd = openKernelBtf(name);
      if (fd === undefined)
        throw new ObjectError(
          `The types of module ${name} cannot be opened: it was unloaded, or CAP_SYS_ADMIN is missing.`,
        );
      this.#fds.set(name, fd);
    }
    return fd;
  }

  close(): void {
    for (const fd of this.#fds.values()) fd.close();
    this.#fds.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function readModules(base: Btf): readonly ModuleTypes[] {
  return readdirSync(BTF_FOLDER).flatMap((name): ModuleTypes[] => {
    if (name === "vmlinux") return [];
    try {
      return [{ name, btf: Btf.parse(readFileSync(`${BTF_FOLDER}/${name}`), { base }) }];
    } catch (error) {
      // Unloaded meanwhile.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  });
}
