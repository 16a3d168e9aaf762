import { hash, histogram, ktime, struct, tracepoint, u32, u64 } from "skep/kernel";

const Key = struct({ sector: u64, dev: u32 });
const started = hash(Key, u64, { max: 10_240, lru: true });
export const latencyUs = histogram(u32);

export const issue = tracepoint("block:block_rq_issue", (rq) => {
  started.set({ sector: rq.sector, dev: rq.dev }, ktime());
});

export const complete = tracepoint("block:block_rq_complete", (rq) => {
  const key = { sector: rq.sector, dev: rq.dev };
  const t0 = started.get(key);
  if (t0 === undefined) return; // remove this line: TS18048 from tsc, EB2101 from the compiler
  latencyUs.record(rq.dev, (ktime() - t0) / 1000);
  started.delete(key);
});
