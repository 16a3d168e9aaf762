// How often soft interrupts come and how long they take: bcc's softirqs.
import {
  array,
  arrayMap,
  bool,
  cell,
  cpu,
  global,
  i32,
  ktime,
  log2,
  min,
  param,
  rawTracepoint,
  struct,
  tpBtf,
  u32,
  u64,
} from "skep/kernel";

export const dist = param(bool, false);
export const inNs = param(bool, false);
export const targCpu = param(i32, -1);

const SOFTIRQS = 10;
const SLOTS = 20;
const Hist = struct({ slots: array(u32, SLOTS) });

const start = arrayMap(u64, 1, { perCpu: true });
export const counts = global(array(u64, SOFTIRQS));
export const time = global(array(u64, SOFTIRQS));
export const hists = global(array(Hist, SOFTIRQS));

function isTarget(): boolean {
  return targCpu < 0 || cpu() === targCpu;
}

function entered() {
  if (isTarget()) start.set(0, ktime());
}

function left(vector: u32) {
  if (!isTarget()) return;
  if (vector >= SOFTIRQS) return;
  const ns = ktime() - start.get(0);
  const delta = inNs ? ns : ns / 1000;
  if (dist) {
    const slot = min(log2(delta), SLOTS - 1);
    cell(hists.value[vector].slots[slot]).add(1);
  } else {
    cell(counts.value[vector]).add(1);
    cell(time.value[vector]).add(delta);
  }
}

export const enteredBtf = tpBtf("softirq_entry", () => entered());
export const leftBtf = tpBtf("softirq_exit", (vector) => left(vector));
export const enteredRaw = rawTracepoint("softirq_entry", () => entered());
export const leftRaw = rawTracepoint("softirq_exit", (ctx) => left(ctx.args[0]));
