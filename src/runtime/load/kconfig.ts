import { Assembler, r0 } from "../../object/asm/index.ts";
import type { Btf } from "../../object/btf/index.ts";
import type { ObjectSpec } from "../../object/spec/index.ts";
import { kernelRelease } from "../sys/index.ts";
import type { KernelTypes } from "./kernel-types.ts";
import { ObjectError } from "./object-error.ts";
import { attemptLoad } from "./probe/attempt.ts";
import { kernelConfig } from "./probe/index.ts";

/** Kernel facts that objects ask for beside CONFIG_ options; undefined where there is no such name. */
export type VirtualOption = (name: string) => bigint | undefined;

/**
 * The value of `.kconfig`: what the object's `extern … __kconfig` variables read. Weak ones that the kernel lacks are 0.
 * Throws ObjectError for a missing option, a value that does not fit its variable, or a kernel that hides its options.
 */
export function kconfigContents(spec: ObjectSpec, size: number, virtual: VirtualOption): Uint8Array {
  const contents = new Uint8Array(size);
  const { btf } = spec;
  let config: ReturnType<typeof kernelConfig> | undefined;
  for (const [name, extern] of Object.entries(spec.externs ?? {})) {
    if (extern.kind !== "kconfig" || btf === undefined) continue;
    const at = extern.offset ?? 0;
    const room = contents.subarray(at, at + (extern.size ?? 0));
    const known = virtual(name);
    if (known !== undefined) {
      writeInteger(name, room, known);
      continue;
    }
    if (!name.startsWith("CONFIG_")) {
      if (extern.weak) continue;
      throw new ObjectError(
        `The object asks for the kernel's "${name}", which there is not: names are CONFIG_…, LINUX_KERNEL_VERSION, LINUX_HAS_BPF_COOKIE and LINUX_HAS_SYSCALL_WRAPPER.`,
      );
    }
    config ??= kernelConfig();
    if (config.value === undefined) {
      if (extern.weak) continue;
      throw new ObjectError(
        `The object asks for the kernel's ${name}. ${config.reason ?? ""} Name a file with SKEP_KERNEL_CONFIG.`,
      );
    }
    const text = config.value.option(name);
    if (text !== "n") writeOption(name, room, btf, extern.type ?? 0, text);
    // Off and not there are the same to the file: a variable that must be there is one that is on.
    else if (!extern.weak)
      throw new ObjectError(
        `The kernel was built without ${name}, which the object needs (declare it __weak to do without).`,
      );
  }
  return contents;
}

/** The facts that libbpf offers to objects under names of its own. */
export function kernelFacts(kernel: KernelTypes): VirtualOption {
  return (name) => {
    if (name === "LINUX_KERNEL_VERSION") return BigInt(kernelVersionCode());
    if (name === "LINUX_HAS_BPF_COOKIE") return hasCookie() ? 1n : 0n;
    if (name === "LINUX_HAS_SYSCALL_WRAPPER") {
      const wrapped = process.arch === "x64" ? "__x64_sys_bpf" : "__arm64_sys_bpf";
      return kernel.vmlinux.find(wrapped, "function") === undefined ? 0n : 1n;
    }
    return undefined;
  };
}

/** bpf_get_attach_cookie, Linux 5.15. */
function hasCookie(): boolean {
  const instructions = new Assembler().call("get_attach_cookie").mov(r0, 0).exit().instructions();
  return attemptLoad({ type: "tracepoint", instructions }).errno === 0;
}

/** LINUX_VERSION_CODE of the running kernel: `KERNEL_VERSION(a, b, c)` of linux/version.h. */
export function kernelVersionCode(text: string = kernelRelease()): number {
  const [major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? [])
    .slice(1)
    .map((n) => Number(n ?? 0));
  return (major << 16) + (minor << 8) + Math.min(patch, 255);
}

function writeOption(name: string, room: Uint8Array, btf: Btf, typeId: number, text: string): void {
  const type = btf.type(btf.resolve(typeId));
  if (text === "y" || text === "m") {
    writeTristate(name, room, btf, typeId, text);
  } else if (type.kind === "array") {
    const bytes = new TextEncoder().encode(text);
    // A text is cut to its variable, with a NUL at the end.
    room.set(bytes.subarray(0, Math.max(0, room.length - 1)));
  } else if (/^-?(0x[0-9a-fA-F]+|\d+)$/.test(text)) {
    writeInteger(name, room, text.startsWith("-") ? -BigInt(text.slice(1)) : BigInt(text));
  } else {
    throw new ObjectError(`The kernel's ${name} is "${text}", and the object's variable of that name is no text.`);
  }
}

/** bool: 1; char: 'm' or 'y'; enum libbpf_tristate: 1 (y), 2 (m). */
function writeTristate(name: string, room: Uint8Array, btf: Btf, typeId: number, text: "y" | "m"): void {
  const type = btf.type(btf.resolve(typeId));
  if (type.kind === "enum" || type.kind === "enum64") {
    writeInteger(name, room, text === "y" ? 1n : 2n);
  } else if (type.kind === "int" && type.bool) {
    if (text === "m")
      throw new ObjectError(
        `The kernel's ${name} is "m" (a module), which a bool cannot hold: declare it as enum libbpf_tristate.`,
      );
    writeInteger(name, room, text === "y" ? 1n : 0n);
  } else if (type.kind === "int" && type.size === 1) room[0] = text.charCodeAt(0);
  else
    throw new ObjectError(
      `The kernel's ${name} is "${text}", which a variable of ${room.length} bytes cannot hold: declare it as bool, char or enum libbpf_tristate.`,
    );
}

function writeInteger(name: string, room: Uint8Array, value: bigint): void {
  const bits = room.length * 8;
  if (bits === 0 || (BigInt.asUintN(bits, value) !== value && BigInt.asIntN(bits, value) !== value))
    throw new ObjectError(`The kernel's ${name} is ${value}, which a variable of ${room.length} bytes cannot hold.`);
  const all = new DataView(new ArrayBuffer(8));
  all.setBigInt64(0, BigInt.asIntN(64, value), true);
  room.set(new Uint8Array(all.buffer, 0, room.length));
}
