// How large disk reads and writes are, by the program that asks: bcc's bitesize.
import { array, bool, cell, comm, hash, log2, min, param, str, struct, tpBtf, u32 } from "skep/kernel";

export const targComm = param(str(16), "");
export const filterDev = param(bool, false);
export const targDev = param(u32, 0);

const SLOTS = 20;
const Hist = struct({ slots: array(u32, SLOTS) });
export const hists = hash(str(16), Hist, { max: 10_240 });

export const issued = tpBtf("block_rq_issue", (rq) => {
  if (filterDev) {
    const { major, first_minor: minor } = rq.q.disk;
    if (targDev !== ((u32(major) << 20) | u32(minor))) return;
  }
  const name = comm();
  for (let i = 0; i < 16 && targComm.charCodeAt(i) !== 0; i++) {
    if (name.charCodeAt(i) !== targComm.charCodeAt(i)) return;
  }
  const hist = hists.getOrInsert(name);
  if (!hist) return;
  const slot = min(log2(rq.__data_len / 1024), SLOTS - 1);
  cell(hist.slots[slot]).add(1);
});
