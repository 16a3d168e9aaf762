import { setTimeout as sleep } from "node:timers/promises";
import { loadObject, MappedArray, u32 } from "../../sdk/index.ts";
import { NumberedCalls, umaskCalls } from "./numbered-calls.ts";
import { BEGIN, END, MOST_CALLS, MOST_VERSIONS, pairSpec } from "./numbered-programs.ts";

export interface HotswapOptions {
  /** Calls a second. */
  readonly rate: number;
  readonly seconds: number;
  /** Milliseconds from one replacement to the next. */
  readonly every: number;
}

/** How long something took, in nanoseconds. */
export interface Spread {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface HotswapReport {
  readonly calls: number;
  /** Calls that a second took in fact. */
  readonly rate: number;
  readonly replacements: number;
  /** Versions that saw calls. */
  readonly versions: number;
  /** Begins or ends that no program saw, and that two saw. */
  readonly missed: number;
  readonly doubled: number;
  /** Calls whose begin was seen and whose end was not, or the other way round. */
  readonly broken: number;
  /** From the first change of an attachment until the new programs are in force. */
  readonly switch: Spread;
  /** From the request (verifier and all) until the new version saw its first call. */
  readonly effective: Spread;
}

/** More than the demonstration has room for. */
export class HotswapError extends Error {
  override readonly name = "HotswapError";
  readonly code = "SKEP_HOTSWAP";
}

/**
 * Replaces programs that note each call of a process, again and again while it makes them, and tells what was missed, what was
 * seen twice, and how long it took. Only the process that it starts is looked at. Throws HotswapError, and what loading and
 * attaching throw.
 */
export async function hotswap({ rate, seconds, every }: HotswapOptions): Promise<HotswapReport> {
  const count = Math.round(rate * seconds);
  if (!(count >= 1 && count < MOST_CALLS))
    throw new HotswapError(`${count} calls are not from 1 to ${MOST_CALLS - 1}: choose another rate or time.`);
  using object = loadObject(pairSpec(0, "umask"), { replaceable: true });
  const calls = new NumberedCalls(umaskCalls(count, rate));
  try {
    object.maps.target.set(0, calls.pid);
    object.attach();
    const switches: number[] = [];
    const requested: bigint[] = [0n];
    const begin = process.hrtime.bigint();
    calls.begin();
    while (!calls.ended && requested.length < MOST_VERSIONS) {
      await sleep(every);
      requested.push(process.hrtime.bigint());
      const { switchNs } = await object.replace(pairSpec(requested.length - 1, "umask"));
      switches.push(switchNs);
    }
    await calls.end();
    const took = Number(process.hrtime.bigint() - begin) / 1e9;
    const effective: number[] = [];
    let versions = 0;
    for (const [version, { count: sawCalls, first }] of object.maps.versions.entries()) {
      if (sawCalls === 0n) continue;
      versions++;
      if (version > 0) effective.push(Number(first - (requested[version] ?? first)));
    }
    return {
      calls: count,
      rate: count / took,
      replacements: switches.length,
      versions,
      ...booksOf(object.maps.seen, count),
      switch: spread(switches),
      effective: spread(effective),
    };
  } finally {
    calls.kill();
  }
}

function booksOf(
  map: ConstructorParameters<typeof MappedArray>[0],
  count: number,
): Pick<HotswapReport, "missed" | "doubled" | "broken"> {
  const seen = new MappedArray(map, u32);
  try {
    let [missed, doubled, broken] = [0, 0, 0];
    for (let number = 1; number <= count; number++) {
      const noted = seen.get(number) ?? 0;
      if (noted === BEGIN + END) continue;
      const [begun, ended] = [noted & 0xff, noted >>> 8];
      missed += (begun === 0 ? 1 : 0) + (ended === 0 ? 1 : 0);
      doubled += Math.max(0, begun - 1) + Math.max(0, ended - 1);
      if (begun !== ended) broken++;
    }
    return { missed, doubled, broken };
  } finally {
    seen.close();
  }
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
