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
  const text = readKallsyms();
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
  if (found.size > 0) checkShown(found.values());
  return found;
}

/**
 * All addresses of the kernel symbols whose name fits: static functions of different files may share one. Throws as
 * `kernelAddresses` does.
 */
export function matchKernelAddresses(fits: (name: string) => boolean): ReadonlyMap<string, readonly bigint[]> {
  const found = new Map<string, bigint[]>();
  const text = readKallsyms();
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf(10, at);
    const line = text.toString("latin1", at, end < 0 ? text.length : end);
    at = end < 0 ? text.length : end + 1;
    const address = line.indexOf(" ");
    const tab = line.indexOf("\t");
    const name = line.slice(address + 3, tab < 0 ? line.length : tab);
    if (!fits(name)) continue;
    const addresses = found.get(name) ?? [];
    addresses.push(BigInt(`0x${line.slice(0, address)}`));
    found.set(name, addresses);
  }
  if (found.size > 0) checkShown([...found.values()].flat());
  return found;
}

/** Those of the names that the kernel has a symbol of; its address may be hidden. Throws KallsymsError. */
export function kernelHasSymbols(names: ReadonlySet<string>): ReadonlySet<string> {
  const text = readKallsyms();
  return new Set([...names].filter((name) => text.includes(` ${name}\n`) || text.includes(` ${name}\t`)));
}

/**
 * Names of kernel symbols by their distance from the one called `base`; empty where addresses are hidden or the file cannot be
 * read. In one pass over /proc/kallsyms.
 */
export function kernelSymbols(base: string, distances: ReadonlySet<number>): ReadonlyMap<number, string> {
  const found = new Map<number, string>();
  if (distances.size === 0) return found;
  try {
    const start = kernelAddresses(new Set([base])).get(base);
    if (start === undefined) return found;
    // `ffffffff81000000 T name`
    const wanted = new Map(
      [...distances].map((distance) => [
        BigInt.asUintN(64, start + BigInt(distance))
          .toString(16)
          .padStart(16, "0"),
        distance,
      ]),
    );
    for (const line of readKallsyms().toString("latin1").split("\n")) {
      const distance = wanted.get(line.slice(0, 16));
      const name = line.slice(19).split("\t")[0] as string;
      // Of several names at one place the helper's own.
      if (distance !== undefined && (!found.has(distance) || name.startsWith("bpf_"))) found.set(distance, name);
    }
  } catch (error) {
    if (!(error instanceof KallsymsError)) throw error;
  }
  return found;
}

function readKallsyms(): Buffer {
  try {
    return readFileSync("/proc/kallsyms");
  } catch (error) {
    throw new KallsymsError(
      `/proc/kallsyms cannot be read, where addresses of kernel symbols are: ${(error as Error).message}.`,
    );
  }
}

function checkShown(addresses: Iterable<bigint>): void {
  if ([...addresses].some((address) => address !== 0n)) return;
  throw new KallsymsError(
    "/proc/kallsyms shows all addresses as 0: kernel.kptr_restrict hides them (sysctl kernel.kptr_restrict=0 or 1), or CAP_SYSLOG is missing.",
  );
}
