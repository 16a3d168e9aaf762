// References to the last-level cache and misses, by process and CPU: bcc's llcstat.
import { bool, comm, cpu, hash, param, pid, profile, str, struct, tid, u32, u64 } from "skep/kernel";

export const perThread = param(bool, false);

const Key = struct({ cpu: u32, pid: u32, tid: u32 });
const Info = struct({ ref: u64, miss: u64, comm: str(16) });
export const infos = hash(Key, Info, { max: 10_240 });

function info() {
  return infos.getOrInsert({ cpu: cpu(), pid: pid(), tid: perThread ? tid() : pid() });
}

export const missed = profile({ hz: 99 }, (ctx) => {
  const entry = info();
  if (!entry) return;
  entry.miss += ctx.sample_period;
  entry.comm = comm();
});

export const referenced = profile({ hz: 99 }, (ctx) => {
  const entry = info();
  if (!entry) return;
  entry.ref += ctx.sample_period;
  entry.comm = comm();
});
