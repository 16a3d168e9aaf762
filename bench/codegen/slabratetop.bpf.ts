// The kernel's allocations by cache: bcc's slabratetop.
import { hash, kernelStr, kprobe, param, pid, str, struct, u32, u64 } from "skep/kernel";

export const targetPid = param(u32, 0);

const Info = struct({ name: str(32), count: u64, size: u64 });
export const caches = hash(u64, Info, { max: 10_240 });

export const allocated = kprobe("kmem_cache_alloc_noprof", (ctx) => {
  const cache = ctx.args[0];
  if (targetPid !== 0 && pid() !== targetPid) return;
  const name = u64(cache.name);
  const info = caches.getOrInsert(name);
  if (!info) return;
  // A new entry is all zeros.
  if (info.count === 0) info.name = kernelStr(cache.name);
  info.count++;
  info.size += cache.size;
});
