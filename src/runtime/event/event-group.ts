import { type Fd, leavePollSet, pollSet } from "../sys/index.ts";
import { EventReader } from "./event-reader.ts";
import type { EventBooks, EventSource, Tally } from "./event-source.ts";
import type { Latency } from "./wakeup.ts";

/** How an `EventGroup` waits for its members. */
export interface GroupOptions {
  /** As of a single reader; the latencies of the group's members do not count. */
  readonly latency?: Latency | undefined;
}

/**
 * Many streams read as one: one thing for the event loop to wait for, one timer, one callback or loop. For a ring for each
 * CPU, or rings and perf buffers of several objects. The members stay their owners': while they are in the group only the
 * group reads them, `close()` of the group gives them back, and a member that is closed leaves it. Events of different
 * members come in no common order.
 */
export class EventGroup<T> extends EventReader<T> {
  readonly #source: GroupSource<T>;

  /** Throws TypeError when there is no member, or one is being read already; ClosedError for a closed one. */
  constructor(members: readonly EventReader<T>[], { latency }: GroupOptions = {}) {
    const source = new GroupSource(members);
    super(source, latency);
    this.#source = source;
  }

  /** In a callback, the member that its event comes from. */
  get member(): EventReader<T> | undefined {
    return this.#source.member;
  }

  /** The sums of the members' books; each member's own say what came through it. */
  get books(): EventBooks {
    return this.commonBooks(this.#source.dropped);
  }
}

/** What is counted is in the members' tallies. */
class GroupTally implements Tally {
  readonly #tallies: readonly Tally[];

  constructor(tallies: readonly Tally[]) {
    this.#tallies = tallies;
  }

  get delivered(): number {
    return this.#sum("delivered");
  }
  get discarded(): number {
    return this.#sum("discarded");
  }
  get undecoded(): number {
    return this.#sum("undecoded");
  }
  get skipped(): number {
    return this.#sum("skipped");
  }
  get lost(): number {
    return this.#sum("lost");
  }
  get abandoned(): number {
    return this.#sum("abandoned");
  }

  /** The group is stopped; a member alone may be so, too. */
  get stopped(): boolean {
    return this.#tallies.every(({ stopped }) => stopped);
  }
  set stopped(stopped: boolean) {
    for (const tally of this.#tallies) tally.stopped = stopped;
  }

  #sum(what: "delivered" | "discarded" | "undecoded" | "skipped" | "lost" | "abandoned"): number {
    return this.#tallies.reduce((sum, tally) => sum + tally[what], 0);
  }
}

class GroupSource<T> implements EventSource<T> {
  readonly name: string;
  readonly descriptor: Fd;
  readonly toldOnce: boolean;
  readonly tally: Tally;
  /** The one whose events are being handed out. */
  member: EventReader<T> | undefined;
  readonly #all: readonly EventReader<T>[];
  /** Those that are still in it, and how each is given back. */
  readonly #open = new Map<EventReader<T>, () => void>();
  /** The same; another array when one has left, so that whoever goes over it is not disturbed. */
  #members: readonly EventReader<T>[] = [];
  #sources: readonly EventSource<T>[] = [];
  /** Those that `look` began with, and with which of them reading begins: each has its turn. */
  #reading: readonly EventReader<T>[] = [];
  #turn = 0;

  constructor(members: readonly EventReader<T>[]) {
    if (members.length === 0) throw new TypeError("A group of no streams can never have an event.");
    this.#all = members;
    this.name = `group of ${members.length} streams`;
    try {
      for (const member of members)
        this.#open.set(
          member,
          member._join(() => this.#leave(member)),
        );
      this.descriptor = pollSet(
        members.map(({ _source }) => _source.descriptor),
        this.name,
      );
    } catch (error) {
      for (const giveBack of this.#open.values()) giveBack();
      throw error;
    }
    this.#count();
    this.toldOnce = members.every(({ _source }) => _source.toldOnce);
    this.tally = new GroupTally(members.map(({ _source }) => _source.tally));
  }

  get dropped(): number | undefined {
    let sum = 0;
    for (const { books } of this.#all) {
      if (books.dropped === undefined) return undefined;
      sum += books.dropped;
    }
    return sum;
  }

  get capacity(): number {
    return this.#sources.reduce((least, { capacity }) => Math.min(least, capacity), Number.POSITIVE_INFINITY);
  }

  get taken(): number {
    return this.#most((source) => source.taken);
  }

  get filled(): number {
    return this.#most((source) => source.filled);
  }

  get pendingBytes(): number {
    return this.#sources.reduce((sum, { pendingBytes }) => sum + pendingBytes, 0);
  }

  arm(): boolean {
    // Each of them must be armed, whatever the others say. In a mixed group nobody waited meanwhile for those that tell once.
    return this.#sources.map((source) => source.arm() || source.toldOnce !== this.toldOnce).includes(true);
  }

  hush(): void {
    for (const source of this.#sources) source.hush();
  }

  look(quietly: boolean): void {
    this.#turn++;
    let begun = 0;
    const members = this.#members;
    try {
      for (; begun < members.length; begun++) (members[begun] as EventReader<T>)._begin(quietly);
    } finally {
      this.#reading = begun === members.length ? members : members.slice(0, begun);
    }
  }

  read(visit: (event: T) => void, limit: number): number {
    return this.#each(limit, (source, left) => source.read(visit, left));
  }

  skip(limit: number): number {
    return this.#each(limit, (source, left) => source.skip(left));
  }

  finish(): void {
    const members = this.#reading;
    this.#reading = [];
    for (const member of members) member._end();
  }

  hold(): void {
    for (const source of this.#sources) source.hold();
  }

  rewind(): void {
    for (const source of this.#sources) source.rewind();
  }

  settle(): void {
    for (const source of this.#sources) source.settle();
  }

  close(): void {
    this.rewind();
    this.descriptor.close();
    for (const giveBack of this.#open.values()) giveBack();
    this.#open.clear();
    this.#count();
    // They go on without the group.
    this.tally.stopped = false;
  }

  #most(of: (source: EventSource<T>) => number): number {
    let most = 0;
    for (const source of this.#sources) most = Math.max(most, of(source));
    return most;
  }

  #each(limit: number, read: (source: EventSource<T>, left: number) => number): number {
    let count = 0;
    try {
      const members = this.#reading;
      for (let i = 0; i < members.length && count < limit; i++) {
        const member = members[(this.#turn + i) % members.length] as EventReader<T>;
        this.member = member;
        if (!member._source.tally.stopped) count += read(member._source, limit - count);
      }
    } finally {
      this.member = undefined;
    }
    return count;
  }

  #count(): void {
    this.#members = [...this.#open.keys()];
    this.#sources = this.#members.map(({ _source }) => _source);
  }

  #leave(member: EventReader<T>): void {
    this.#open.delete(member);
    this.#count();
    leavePollSet(this.descriptor, member._source.descriptor);
  }
}
