import { readFileSync } from "node:fs";

/** Kernel symbols cannot be had. */
export class KallsymsError extends Error {
  override readonly name = "KallsymsError";
  readonly code = "SKEP_KALLSYMS";
}

/**
 * Addresses of kernel symbols from /proc/kallsyms, all in one pass; what is not there is left out. Throws KallsymsError
 * where the file cannot be read or shows zeros (kernel.kptr_restrict, or no CAP_SYSLOG).
 */
export function kernelAddresses(names: ReadonlySet<string>): ReadonlyMap<string, bigint> {
  let text: Buffer;
  try {
    text = readFileSync("/proc/kallsyms");
  } catch (error) {
    throw new KallsymsError(
      `/proc/kallsyms cannot be read, where addresses of kernel symbols are: ${(error as Error).message}.`,
    );
  }
  const found = new Map<string, bigint>();
  for (const name of names) {
    // `ffffffff81000000 T name`, with `\t[module]` behind it for modules.
    for (let at = text.indexOf(` ${name}`); at >= 0; at = text.indexOf(` ${name}`, at + 1)) {
      const after = text[at + 1 + name.length];
      if (after !== 10 && after !== 9 && after !== undefined) continue;
      const start = text.lastIndexOf("\n", at) + 1;
      found.set(name, BigInt(`0x${text.toString("latin1", start, text.indexOf(" ", start))}`));
      break;
    }
  }
  if (found.size > 0 && [...found.values()].every((address) => address === 0n)) {
    throw new KallsymsError(
      "/proc/kallsyms shows all addresses as 0: kernel.kptr_restrict hides them (sysctl kernel.kptr_restrict=0 or 1), or CAP_SYSLOG is missing.",
    );
  }
  return found;
}
