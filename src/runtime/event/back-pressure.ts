/**
 * What happens when events come faster than they are taken. `block`: they wait in the kernel's buffer, and when that is
 * full the kernel drops the newest, which the books count as `dropped`. `sample`: while more than half of the buffer is
 * full, one of so many records is read and the others are passed by undecoded (`skipped`).
 */
export type Shedding = "block" | { readonly sample: number };

/**
 * For loops also `dropOldest`: the buffer is read on while the loop's body is busy, into a queue of at most so many events,
 * out of which new ones push the oldest (`displaced`).
 */
export type BackPressure = Shedding | { readonly dropOldest: number };

/** How `EventReader.listen` reads. */
export interface ListenOptions {
  /** Ends listening when it is aborted; the reader stays open, and what comes then waits for the next way of reading. */
  readonly signal?: AbortSignal | undefined;
  readonly backPressure?: Shedding | undefined;
}

/** How `EventReader.batches` reads. */
export interface BatchOptions {
  /** Ends the loop with the signal's reason. Nothing that was read is lost: it is what the next way of reading begins with. */
  readonly signal?: AbortSignal | undefined;
  readonly backPressure?: BackPressure | undefined;
  /** At most so many events in a batch; 65,536 by default. */
  readonly size?: number | undefined;
}

/** One of how many records is read while behind: 1 where all are. Throws TypeError. */
export function sampleOf(backPressure: BackPressure): number {
  const sample = typeof backPressure === "object" && "sample" in backPressure ? backPressure.sample : 1;
  if (!Number.isInteger(sample) || sample < 1) throw new TypeError(`One of ${sample} events makes no sense.`);
  return sample;
}

/** How many events a loop's queue holds at most. Throws TypeError. */
export function capacityOf(backPressure: BackPressure): number {
  const queueing = typeof backPressure === "object" && "dropOldest" in backPressure;
  const capacity = queueing ? backPressure.dropOldest : Number.POSITIVE_INFINITY;
  if (!(capacity >= 1)) throw new TypeError(`A queue of at most ${capacity} events makes no sense.`);
  return capacity;
}
