// How often memory moves to where it is used, and how long that takes: bcc's numamove.
import { fentry, fexit, global, hash, kprobe, kretprobe, ktime, tid, u32, u64 } from "skep/kernel";

const started = hash(u32, u64, { max: 10_240 });
export const latencyMs = global(u64, 0);
export const moves = global(u64, 0);

function begin() {
  started.set(tid(), ktime());
}

function end() {
  const now = ktime();
  const since = started.get(tid());
  if (since === undefined) return;
  if (now >= since) {
    latencyMs.add((now - since) / 1_000_000);
    moves.add(1);
  }
  started.delete(tid());
}

export const entered = fentry("migrate_misplaced_folio", () => begin());
export const left = fexit("migrate_misplaced_folio", () => end());
export const called = kprobe("migrate_misplaced_folio", () => begin());
export const returned = kretprobe("migrate_misplaced_folio", () => end());
