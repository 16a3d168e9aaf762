import { readFileSync } from "node:fs";
import { interfaceIndexOf } from "../sys/index.ts";

/** A network interface that is not there. */
export class InterfaceError extends Error {
  override readonly name = "InterfaceError";
  readonly code = "SKEP_INTERFACE";
}

/** The index of an interface of this network namespace, by name; numbers are indexes already. Throws InterfaceError. */
export function interfaceIndex(nameOrIndex: string | number): number {
  if (typeof nameOrIndex === "number") return nameOrIndex;
  const index = interfaceIndexOf(nameOrIndex);
  if (index !== undefined) return index;
  let there: string[] = [];
  try {
    // Two lines of headings, then `  name: numbers`.
    there = readFileSync("/proc/self/net/dev", "latin1")
      .split("\n")
      .slice(2)
      .map((line) => line.split(":")[0]?.trim() ?? "")
      .filter((name) => name !== "");
  } catch {
    // Without /proc they cannot be listed.
  }
  throw new InterfaceError(
    `There is no network interface "${nameOrIndex}" in this network namespace${there.length > 0 ? ` (there are: ${there.join(", ")})` : ""}.`,
  );
}
