import { Link, type LinkParts } from "./link.ts";

/** The first of some names, and whether there are more. */
export function someOf(names: readonly string[]): string {
  return `${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""}`;
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
