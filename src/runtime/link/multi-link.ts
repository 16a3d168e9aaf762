import type { Attachable } from "./create-link.ts";
import { Link, type LinkParts } from "./link.ts";

/** The first of some names, and whether there are more. */
export function someOf(names: readonly string[]): string {
  return `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
}

/** Throws RangeError where a list that has one for each place (or function) has more or fewer. */
export function expectOneEach(
  count: number,
  place: "function" | "place",
  lists: Readonly<Record<string, readonly unknown[] | undefined>>,
): void {
  for (const [what, list] of Object.entries(lists)) {
    if (list !== undefined && list.length !== count)
      throw new RangeError(`There are ${count} ${place}s and ${list.length} ${what}: each ${place} has one.`);
  }
}

/** Whether the program runs at both ends of functions. Throws TypeError where only their returns are wanted of such a one. */
export function isSession(program: Attachable, kind: "kprobe" | "uprobe", isReturn: boolean): boolean {
  if (program.spec?.expectedAttachType !== `trace_${kind}_session`) return false;
  if (!isReturn) return true;
  throw new TypeError(`A session runs at both ends of the function: isReturn is for programs of trace_${kind}_multi.`);
}

/** An attachment to many functions. */
export class MultiLink extends Link {
  /** The functions' names, where they are known. */
  readonly functions: readonly string[];
  /**
   * Names that fit the pattern and were left out: several functions have them, and a kernel before 6.5 does not say which
   * of these can be probed.
   */
  readonly leftOut: readonly string[];

  constructor(description: string, parts: LinkParts, functions: readonly string[], leftOut: readonly string[] = []) {
    super(description, parts);
    this.functions = functions;
    this.leftOut = leftOut;
  }
}
