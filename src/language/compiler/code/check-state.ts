/** A register (0 to 9), or 8 bytes of the stack by their (negative) distance from the frame pointer. */
export type Location = number;
/** What a location may hold: virtual registers by number, everything else by a text. */
export type Value = number | string;

/** What is known where the symbolic execution stands. */
export interface State {
  readonly values: Map<Location, ReadonlySet<Value>>;
  /** For each byte of the stack, by its distance below the frame pointer: whose content was written there last. */
  readonly owners: Int16Array;
}

/** Bytes of which nothing is known, and bytes that hold a value that was kept; slots are their id + 1. */
export const UNKNOWN = 0;
export const OTHER = -1;

/** What both states know; a byte that is somebody's in only one of them is his. */
export function meet(a: State, b: State): State {
  const values: State["values"] = new Map();
  for (const [location, held] of a.values) {
    const others = b.values.get(location);
    if (others === undefined) continue;
    const both = new Set([...held].filter((value) => others.has(value)));
    if (both.size > 0) values.set(location, both);
  }
  const owners = a.owners.map((owner, i) => {
    const other = b.owners[i] as number;
    return owner === other || other === UNKNOWN ? owner : owner === UNKNOWN ? other : OTHER;
  });
  return { values, owners };
}

export function equal(a: State, b: State): boolean {
  if (a.values.size !== b.values.size || a.owners.some((owner, i) => owner !== b.owners[i])) return false;
  for (const [location, values] of a.values) if (b.values.get(location)?.size !== values.size) return false;
  return true;
}
