// Programs that send numbered records and count for themselves what they attempted and what the kernel refused: the other
// side of a reader's books. Never attached; run by BPF_PROG_TEST_RUN.
import { onlineCpus } from "../../src/runtime/map/index.ts";
import { native } from "../../src/runtime/sys/index.ts";
import {
  Assembler,
  type LoadedObject,
  loadObject,
  type ObjectSpec,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r10,
  struct,
  u32,
  u64n,
} from "../../src/sdk/index.ts";

/** What each record begins with: its number, from 0 on, and its size. */
export const Sent = struct({ number: u64n, size: u32, rest: u32 });
/** The program's own count. */
export const Counts = struct({ attempted: u64n, refused: u64n });

const counts = { type: "array", value: Counts, maxEntries: 1 } as const;
const PACKET = new Uint8Array(64);
const CURRENT_CPU = 0xffffffff;

/**
 * The number of this attempt is in r7, the counters' place in r6. Every attempt is counted; two at the same time may have the
 * same number, because adding that returns what was there came with Linux 5.12.
 */
function begin(a: Assembler): Assembler {
  return a.loadMapValue(r6, "counts", 0).load("u64", r7, r6, 0).mov(r1, 1).atomicAdd("u64", r6, 0, r1);
}

function refused(a: Assembler): Assembler {
  return a.mov(r1, 1).atomicAdd("u64", r6, 8, r1).mov(r0, 0).exit();
}

const program = (a: Assembler) =>
  ({ type: "socket_filter", instructions: a.instructions(), license: "Dual MIT/GPL" }) as const;

/** A ring of so many bytes; its records have `size` bytes. */
export function ringSpec(bytes: number, size: number = Sent.size) {
  const a = begin(new Assembler());
  a.loadMap(r1, "events").mov(r2, size).mov(r3, 0).call("ringbuf_reserve").jne(r0, 0, "reserved");
  refused(a).label("reserved").store("u64", r0, 0, r7).store("u32", r0, 8, size).store("u32", r0, 12, 0);
  a.mov(r1, r0).mov(r2, 0).call("ringbuf_submit").mov(r0, 0).exit();
  return {
    maps: { events: { type: "ringbuf", maxEntries: bytes }, counts },
    programs: { send: program(a) },
  } as const satisfies ObjectSpec;
}

/** A perf buffer of so many slots; records of `size` bytes, of which 4 more are what the kernel adds. */
export function perfSpec(slots: number, size: number = Sent.size) {
  const at = -Math.ceil(size / 8) * 8;
  const b = begin(new Assembler().mov(r8, r1));
  for (let offset = at; offset < 0; offset += 8) b.store("u64", r10, offset, 0);
  b.store("u64", r10, at, r7).store("u32", r10, at + 8, size);
  b.mov(r1, r8)
    .loadMap(r2, "events")
    .mov32(r3, CURRENT_CPU | 0)
    .mov(r4, r10)
    .add(r4, at)
    .mov(r5, size);
  b.call("perf_event_output").jeq(r0, 0, "sent");
  refused(b).label("sent").mov(r0, 0).exit();
  return {
    maps: { events: { type: "perf_event_array", maxEntries: slots }, counts },
    programs: { send: program(b) },
  } as const satisfies ObjectSpec;
}

export type Sender = LoadedObject<ReturnType<typeof ringSpec>> | LoadedObject<ReturnType<typeof perfSpec>>;

export const ringSender = (bytes: number, size?: number) => loadObject(ringSpec(bytes, size));
export const perfSender = (slots = 512, size?: number) => loadObject(perfSpec(slots, size));

/** Sends `count` records from the CPU that this thread is on. */
export function send(sender: Sender, count: number): void {
  if (count > 0) sender.programs.send.testRun({ data: PACKET, repeat: count });
}

export function countsOf(sender: Sender): { attempted: number; refused: number } {
  return sender.maps.counts.get(0) as { attempted: number; refused: number };
}

/** Lets this thread run on these CPUs only (sched_setaffinity(2)). */
export function runOn(cpus: readonly number[]): void {
  const mask = new Uint8Array(128);
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] as number) | (1 << (cpu & 7));
  const result = native().syscall(process.arch === "arm64" ? 122 : 203, 0, mask.length, mask);
  if (result < 0) throw new Error(`sched_setaffinity: ${result}`);
}

/**
 * A test's body on one CPU: records of a perf buffer come in the order that they were sent in only from one CPU's buffer.
 */
export function onOneCpu(body: () => void | Promise<void>): () => Promise<void> {
  return async () => {
    const cpus = onlineCpus();
    runOn(cpus.slice(0, 1));
    try {
      await body();
    } finally {
      runOn(cpus);
    }
  };
}
