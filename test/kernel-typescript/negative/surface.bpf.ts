import {
  comm,
  fentry,
  hash,
  i32,
  ktime,
  pid,
  range,
  ringbuf,
  str,
  struct,
  tracepoint,
  u8,
  u16,
  u32,
  u64,
  XDP,
  xdp,
} from "skep/kernel";

const m = hash(u32, u64);
const E = struct({ pid: u32, comm: str(16) });
const r = ringbuf(E);
// @ts-expect-error TS2345: unknown tracepoint
export const a = tracepoint("syscalls:sys_enter_opennat", () => {});
export const b = tracepoint("syscalls:sys_enter_openat", (ctx) => {
  const t = m.get(pid());
  // @ts-expect-error TS18048: possibly undefined
  const d = ktime() - t;
  // @ts-expect-error TS2741: missing field comm
  r.emit({ pid: pid() });
  // @ts-expect-error TS2353: excess field
  r.emit({ pid: pid(), comm: comm(), x: 1 });
  const w: u64 = pid(); // widening is fine
  // @ts-expect-error TS2322: narrowing u64 -> u32
  const n: u32 = ktime();
  const n2: u32 = u32(ktime()); // explicit cast
  const sum: u64 = pid() + ktime() * 2; // arithmetic yields number: tsc accepts, our checker types it
  // @ts-expect-error TS2551: no such arg
  ctx.filenam;
  const s = comm();
  if (s === "bash" || s.startsWith("node")) m.set(pid(), ktime());
  const t2 = m.get(pid());
  if (t2) {
    const x: u64 = t2;
  } // tsc accepts; our checker must reject (0 vs absent)
  for (const i of range(16)) {
    if (i === 3) break;
  }
  for (let i = 0; i < 16; i++) m.delete(u32(i));
  // @ts-expect-error TS2322: signedness
  const q: u32 = i32(3);
});
// @ts-expect-error TS2322: bad verdict
export const x = xdp(() => 7);
