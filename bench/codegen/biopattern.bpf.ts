// Disk reads and writes by how they follow on each other: bcc's biopattern.
import { bool, cell, hash, param, struct, tracepoint, u32, u64 } from "skep/kernel";

export const filterDev = param(bool, false);
export const targDev = param(u32, 0);

const Counter = struct({ lastSector: u64, bytes: u64, sequential: u32, random: u32 });
export const counters = hash(u32, Counter, { max: 64 });

export const completed = tracepoint("block:block_rq_complete", ({ dev, sector, nr_sector }) => {
  if (filterDev && targDev !== dev) return;
  const counter = counters.getOrInsert(dev);
  if (!counter) return;
  if (counter.lastSector !== 0) {
    if (counter.lastSector === sector) cell(counter.sequential).add(1);
    else cell(counter.random).add(1);
    cell(counter.bytes).add(nr_sector * 512);
  }
  counter.lastSector = sector + nr_sector;
});
