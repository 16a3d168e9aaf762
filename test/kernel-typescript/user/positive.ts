// The user's side of the programs beside it, all typed with no generated code.
import { load } from "skep";
import { param, u64, tracepoint, ktime } from "skep/kernel";
import * as language from "../positive/language.bpf.ts";
import * as open from "../positive/opensnoop.bpf.ts";
using bpf = await load(import("../positive/opensnoop.bpf.ts"), { params: { targetPid: process.pid } });
using link = bpf.attach();
for await (const e of bpf.events.opened) { const ts: bigint = e.ts; const f: string = e.file; const p: number = e.pid; void [ts, p, f]; }
using b2 = await load(open, { params: { targetPid: 1 } });
const bio = await load(import("../positive/biolatency.bpf.ts"));
for (const [dev, h] of bio.maps.latencyUs) { const d: number = dev; void [d, h.p(99)]; }
const x = await load(import("../positive/xdp.bpf.ts"));
using l = x.programs.filter.attach({ interface: "lo" });
const per: readonly { packets: bigint }[] = x.maps.byProto.get(6);
const hit: bigint | undefined = x.maps.blocked.get(0x7f000001);
void [per, hit, link, l, b2];
export const minUs = param(u64, 1000);
export const q = tracepoint("syscalls:sys_enter_openat", () => { if (ktime() / 1000 < minUs) return; const w: u64 = minUs; void w; });
const me = { minUs, q };
await load(me, { params: { minUs: 5n } });
await load(me, { params: { minUs: 5 } });

const all = await load(language, { signal: AbortSignal.timeout(1000), params: { verbose: true, prefix: "x" } });
all.maps.perCpu.get(1)?.[0]?.b.toString();
all.maps.lru.set({ pid: 1, cpu: 2 }, 3n);
const yes: boolean | undefined = all.maps.flags.get("x");
const slot: { a: number; b: bigint } = all.maps.slots.get(3);
const cpus: bigint[] = all.maps.local.get(0);
const stack: bigint[] = all.maps.stacks.get(5n);
const calls: number = all.maps.calls.value;
const named: number = all.maps.byName.get("node");
for (const [name, count] of all.maps.byName) [name.length, count + 1];
for (const [pid, total] of all.maps.total) [pid + 1, total + 1];
const mean: number | undefined = all.maps.mean.get(1);
const least: number | undefined = all.maps.least.value;
const median: number | undefined = all.maps.sizes.value.p(50);
for (const { from, to, count } of all.maps.fine.get(3).buckets) [from, to, count];
const seen: bigint = all.globals.seen.value;
all.globals.last.value = { a: 1, b: 2n };
for await (const batch of all.events.events.batches()) for (const { at, inner, list } of batch) [at + 1, inner.b + 1n, list[0]];
using stop = all.events.events.on(({ name, raw, ok }) => void [name.length, raw.byteLength, ok]);
const dropped: number = all.events.events.dropped;
using one = all.programs.onSwitch.attach();
using sampled = all.programs.sample.attach({ cpus: [0] });
const text: string = all.programs.tasks.attach().description;
const { value } = all.programs.nothing.run();
const { context } = all.programs.given.run({ a: 1, b: 2n });
const b: bigint = context.b;
void [yes, slot, cpus, stack, calls, named, mean, least, median, seen, dropped, one, sampled, stop, text, value, b];
