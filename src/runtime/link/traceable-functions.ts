import { readFileSync } from "node:fs";
import { matchKernelAddresses, noTracefs, tracefsRefusal, tracefsRoot } from "../sys/index.ts";
import { TracepointError } from "./tracefs.ts";

/** A function of the kernel that a probe can be put on. */
export interface TraceableFunction {
  readonly name: string;
  readonly address: bigint;
}

/** Places in the list that are no functions: code that was thrown away after the start. */
const THROWN_AWAY = /^__ftrace_invalid_address___/;

/**
 * The functions of the kernel and its modules whose name fits and that probes can be put on, from tracefs
 * (Documentation/trace/ftrace.rst, available_filter_functions). `unclear` are names that several functions have, of which the kernel
 * does not say which can be probed (before Linux 6.5). Throws TracepointError without tracefs, KallsymsError.
 */
export function traceableFunctions(fits: (name: string) => boolean): {
  readonly functions: readonly TraceableFunction[];
  readonly unclear: readonly string[];
} {
  const root = tracefsRoot();
  if (root === undefined)
    throw new TracepointError(
      `Which functions of the kernel fit a pattern is read from tracefs; those that are named need none. ${noTracefs()}`,
    );
  const withAddresses = linesOf(`${root}/available_filter_functions_addrs`);
  if (withAddresses !== undefined) {
    const functions = withAddresses.flatMap((line): TraceableFunction[] => {
      const [address = "", name = ""] = line.split(" ");
      return fits(name) && !THROWN_AWAY.test(name) ? [{ name, address: BigInt(`0x${address}`) }] : [];
    });
    return { functions, unclear: [] };
  }
  const names = linesOf(`${root}/available_filter_functions`);
  if (names === undefined)
    throw new TracepointError(
      `${root} has no list of functions (available_filter_functions): the kernel is built without CONFIG_DYNAMIC_FTRACE.`,
    );
  const counts = new Map<string, number>();
  for (const line of names) {
    const [name = ""] = line.split(" ");
    if (fits(name) && !THROWN_AWAY.test(name)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const addresses = matchKernelAddresses((name) => counts.has(name));
  const functions: TraceableFunction[] = [];
  const unclear: string[] = [];
  for (const [name, count] of counts) {
    const all = addresses.get(name) ?? [];
    if (all.length === count) functions.push(...all.map((address) => ({ name, address })));
    else unclear.push(name);
  }
  return { functions, unclear };
}

function linesOf(path: string): readonly string[] | undefined {
  try {
    return readFileSync(path, "latin1").split("\n").slice(0, -1);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    if (code === "EACCES" || code === "EPERM")
      throw new TracepointError(`Which functions of the kernel fit is listed in tracefs. ${tracefsRefusal(path)}`);
    throw error;
  }
}
