import { setTimeout as wait } from "node:timers/promises";
import { json } from "../text/index.ts";
import { type Entry, entriesOf } from "./map-entries.ts";
import type { TypedMap } from "./map-types.ts";

/** What changed in a map from one look to the next. */
export interface MapChange {
  readonly what: "added" | "changed" | "removed";
  readonly key: unknown;
  /** The value now; for one that was removed the last that was seen. */
  readonly value: unknown;
  /** What it was before, for one that changed. */
  readonly before?: unknown;
}

/**
 * Looks at a map again and again, and yields what changed since the last look; the first look is the beginning, and yields
 * nothing. What comes and goes, or changes back, between two looks is not seen. Ends when `signal` does. Throws what reading it
 * throws.
 */
export async function* watchMap(
  typed: TypedMap,
  options: { readonly intervalMs: number; readonly signal?: AbortSignal },
): AsyncIterableIterator<readonly MapChange[]> {
  const { intervalMs, signal } = options;
  let last = look(typed);
  for (;;) {
    try {
      await wait(intervalMs, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      if ((error as { code?: unknown }).code === "ABORT_ERR") return;
      throw error;
    }
    const now = look(typed);
    const changes = differences(last, now);
    last = now;
    if (changes.length > 0) yield changes;
  }
}

interface Seen extends Entry {
  readonly text: string;
}

function look(typed: TypedMap): ReadonlyMap<string, Seen> {
  const seen = new Map<string, Seen>();
  for (const { key, value } of entriesOf(typed)) seen.set(json(key), { key, value, text: json(value) });
  return seen;
}

function differences(last: ReadonlyMap<string, Seen>, now: ReadonlyMap<string, Seen>): readonly MapChange[] {
  const changes: MapChange[] = [];
  for (const [text, { key, value, text: valueText }] of now) {
    const before = last.get(text);
    if (before === undefined) changes.push({ what: "added", key, value });
    else if (before.text !== valueText) changes.push({ what: "changed", key, value, before: before.value });
  }
  for (const [text, { key, value }] of last) if (!now.has(text)) changes.push({ what: "removed", key, value });
  return changes;
}
