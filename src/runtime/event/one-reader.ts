import type { BpfMap } from "../map/index.ts";

/** Maps that have a reader: a second one would take the first one's events, and neither would know where the other is. */
const beingRead = new WeakSet<BpfMap>();

/** Refuses a map that is not of this type, or that has a reader already. */
export function checkReadable(map: BpfMap, type: "ringbuf" | "perf_event_array", what: string): void {
  if (map.info.type !== type) throw new TypeError(`Map "${map.name}" is of type ${map.info.type}, not ${type}.`);
  if (beingRead.has(map)) {
    throw new TypeError(
      `${what} "${map.name}" has a reader already, and two would take each other's events. Close the first one.`,
    );
  }
}

export function beginReading(map: BpfMap): void {
  beingRead.add(map);
}

export function endReading(map: BpfMap): void {
  beingRead.delete(map);
}
