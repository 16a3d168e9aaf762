import { SystemError } from "../../sdk/index.ts";
import { InspectError } from "./inspect-error.ts";

/** Which map, program or link is meant. */
export type Selection =
  | { readonly by: "id"; readonly id: number }
  | { readonly by: "name"; readonly name: string }
  | { readonly by: "tag"; readonly tag: string }
  | { readonly by: "pinned"; readonly path: string };

/**
 * Reads a selection from the beginning of some words: `id 7`, `name counts`, `tag 0123456789abcdef`, `pinned /sys/fs/bpf/x`, or
 * without a keyword `7`, `counts`, `/sys/fs/bpf/x`. What is left of the words is the second part. Throws InspectError.
 */
export function readSelection(words: readonly string[]): readonly [Selection, readonly string[]] {
  const [first, second] = words;
  if (first === undefined)
    throw new InspectError("SKEP_SELECTION", "Say which one: an id, a name, or where it is pinned.");
  if (second !== undefined) {
    const rest = words.slice(2);
    if (first === "id") return [{ by: "id", id: idOf(second) }, rest];
    if (first === "name") return [{ by: "name", name: second }, rest];
    if (first === "tag") return [{ by: "tag", tag: second }, rest];
    if (first === "pinned") return [{ by: "pinned", path: second }, rest];
  }
  if (/^\d+$/.test(first)) return [{ by: "id", id: idOf(first) }, words.slice(1)];
  if (first.startsWith("/")) return [{ by: "pinned", path: first }, words.slice(1)];
  return [{ by: "name", name: first }, words.slice(1)];
}

function idOf(text: string): number {
  const id = Number(text);
  if (/^\d+$/.test(text) && id > 0 && id < 2 ** 32) return id;
  throw new InspectError("SKEP_SELECTION", `"${text}" is no id: ids are numbers from 1 on, as list shows them.`);
}

/** How things of one kind are found and opened. */
export interface Openable<T> {
  /** `program`, `map` or `link`. */
  readonly what: string;
  readonly ids: () => Iterable<number>;
  readonly open: (id: number) => T;
  readonly openPinned: (path: string) => T;
  readonly idOf: (one: T) => number;
  /** Whether it is the one by a name or tag; always false for a kind that has none. */
  readonly matches: (one: T, selection: Selection) => boolean;
}

interface Closable {
  [Symbol.dispose](): void;
}

/** All that a selection means, opened: several may have one name. The caller closes them. Throws InspectError when there is none. */
export function openAll<T extends Closable>(kind: Openable<T>, selection: Selection): readonly T[] {
  if (selection.by === "id") return [kind.open(selection.id)];
  if (selection.by === "pinned") return [kind.openPinned(selection.path)];
  const found = openWhere(kind, (one) => kind.matches(one, selection));
  if (found.length > 0) return found;
  const wanted = selection.by === "name" ? `"${selection.name}"` : `with tag ${selection.tag}`;
  throw new InspectError(
    "SKEP_SELECTION",
    `There is no ${kind.what} ${wanted}. The kernel keeps 15 characters of a name; list shows them.`,
  );
}

/** All that are wanted, opened. The caller closes them; none stays open when it throws. */
export function openWhere<T extends Closable>(kind: Openable<T>, wanted: (one: T) => boolean): readonly T[] {
  const found: T[] = [];
  try {
    for (const id of kind.ids()) {
      const one = openIfThere(kind, id);
      if (one === undefined) continue;
      found.push(one);
      if (!wanted(one)) found.pop()?.[Symbol.dispose]();
    }
    return found;
  } catch (error) {
    for (const one of found) one[Symbol.dispose]();
    throw error;
  }
}

/** The one that a selection means. The caller closes it. Throws InspectError when there is none, or more than one. */
export function openOne<T extends Closable>(kind: Openable<T>, selection: Selection): T {
  const found = openAll(kind, selection);
  const [one, ...more] = found;
  if (one !== undefined && more.length === 0) return one;
  try {
    throw new InspectError(
      "SKEP_SELECTION",
      `There are ${found.length} of that name: say which by its id (${found.map(kind.idOf).join(", ")}).`,
    );
  } finally {
    for (const other of found) other[Symbol.dispose]();
  }
}

/** Tells something of each one there is; `newer` gets the ids of those that cannot be told of. */
export function reportAll<T extends Closable, R>(
  kind: Openable<T>,
  report: (one: T) => R,
  newer?: number[],
): readonly R[] {
  const all: R[] = [];
  for (const id of kind.ids()) {
    using one = openIfThere(kind, id, newer);
    if (one !== undefined) all.push(report(one));
  }
  return all;
}

/** Undefined for what is gone meanwhile, and for a kind that is newer than this version of Skep, whose id goes into `newer`. */
export function openIfThere<T>(kind: Pick<Openable<T>, "open">, id: number, newer?: number[]): T | undefined {
  try {
    return kind.open(id);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (error instanceof SystemError && code === "ENOENT") return undefined;
    if (code !== "SKEP_NEWER_KERNEL") throw error;
    newer?.push(id);
    return undefined;
  }
}
