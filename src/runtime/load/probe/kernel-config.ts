import { existsSync, readFileSync } from "node:fs";
import type { Fact } from "./environment.ts";

/** The options this kernel was built with. */
export interface KernelConfig {
  /** The file they were read from. */
  readonly path: string;
  /** `y`, `m`, a number or text; `n` when the option is off or not in the file. */
  option(name: string): string;
}

/**
 * The build options of the running kernel: from the kernel itself (/proc/config.gz, CONFIG_IKCONFIG_PROC), or from where
 * distributions put the file. `$SKEP_KERNEL_CONFIG` names another file, for kernels whose own folder is not mounted.
 */
export function kernelConfig(): Fact<KernelConfig> {
  const version = process.getBuiltinModule("node:os").release();
  const paths = [
    process.env["SKEP_KERNEL_CONFIG"],
    "/proc/config.gz",
    `/boot/config-${version}`,
    `/lib/modules/${version}/config`,
    `/lib/modules/${version}/build/.config`,
  ];
  for (const path of paths) {
    if (path === undefined || path === "" || !existsSync(path)) continue;
    try {
      const bytes = readFileSync(path);
      const options = parseKernelConfig((path.endsWith(".gz") ? unpacked(bytes) : bytes).toString("latin1"));
      return { value: { path, option: (name) => options.get(name) ?? "n" } };
    } catch {
      // Not readable for this user, or cut short: the next place may do.
    }
  }
  return { value: undefined, reason: "The kernel does not show its build options (/proc/config.gz, /boot/config-…)." };
}

/** The lines `CONFIG_X=value`; strings without their quotes. What is off is a comment, and so not in the map. */
export function parseKernelConfig(text: string): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/^(CONFIG_\w+)=(.*)$/gm)) {
    options.set(name as string, (value as string).replace(/^"(.*)"$/, "$1"));
  }
  return options;
}

/** zlib is loaded when it is needed: that takes a command some milliseconds. */
function unpacked(bytes: Uint8Array): Buffer {
  return process.getBuiltinModule("node:zlib").gunzipSync(bytes);
}
