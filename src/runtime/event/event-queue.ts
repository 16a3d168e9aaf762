/** Events that were read and wait to be taken, in order. At most `capacity` of them: a new one pushes the oldest out. */
export class EventQueue<T> {
  capacity = Number.POSITIVE_INFINITY;
  /** How many were pushed out. */
  displaced = 0;
  #events: T[] = [];
  #first = 0;

  get length(): number {
    return this.#events.length - this.#first;
  }

  push(event: T): void {
    if (this.length >= this.capacity) {
      this.#first++;
      this.displaced++;
      // Half of the array is what was pushed out: that many pushes pay for moving the rest.
      if (this.#first > this.capacity) {
        this.#events = this.#events.slice(this.#first);
        this.#first = 0;
      }
    }
    this.#events.push(event);
  }

  /** The oldest, at most `limit`. */
  take(limit: number = Number.POSITIVE_INFINITY): T[] {
    const events = this.#events;
    const first = this.#first;
    if (first + limit < events.length) {
      this.#first += limit;
      return events.slice(first, first + limit);
    }
    this.#events = [];
    this.#first = 0;
    return first === 0 ? events : events.slice(first);
  }
}
