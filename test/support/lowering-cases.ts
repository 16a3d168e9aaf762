// Programs of kernel TypeScript that each use one part of the language, and what they are run with: in the testing machine and in
// the kernel they must do what the reference evaluation says.
import type { Features } from "../../src/language/compiler/index.ts";

/** What programs have around them: the module's declarations, and the body with `a` and `b` as its input. */
const AROUND = `
const Stat = struct({ n: u64, small: u16, name: str(16), list: array(u32, 4) }); const Wide = struct({ port: be16, id: u8, address: be32, when: u64, neg: i16 });
const numbers = hash(u32, u64); const stats = hash(u64, Stat); const few = hash(u64, u64, { max: 3 }); const named = hash(str(16), u32); const wide = hash(Wide, Wide);
const slots = arrayMap(u64, 64); const table = arrayMap(Stat, 8); const small = arrayMap(u8, 16); const own = arrayMap(u64, 4, { perCpu: true }); const ownHash = hash(u32, u64, { perCpu: true });
const out = global(u64, 0); const signed = global(i32, -5); const flag = global(bool, false); const text = global(str(16), "begin"); const limit = param(u32, 7); const words = param(str(16), "params");
const events = ringbuf(Stat); const tiny = ringbuf(struct({ a: u64, b: u8, c: str(300) }), { bytes: 4096 });
const opens = counter(str(16)); const hits = counter(); const total = sum(); const byKey = sum(u32); const mean = avg(u32); const lowest = min(u32); const highest = max(); const least = min();
const times = histogram(u32); const fine = histogram({ bits: 3 }); const spread = linear({ min: 100, max: 1000, step: 50 });
function twice(x: u64): u64 { return x * 2; } function tell(s: Kernel<typeof Stat>) { s.n += 1; }
function steps(x: u64): u64 { let n = 0; let y = x & 0xffff; while (y > 1 && atMost(40)) { y = (y & 1) === 0 ? y / 2 : y - 1; n++; if (n > 30) return 99; } let m = 0; if (x > 10) m = x / 3; else m = x * 5; if (m % 7 === 3) m += 4; if (m > 1000) m = m - (m >> 2); return n + m; }
`;

export interface LoweringCase {
  readonly name: string;
  readonly body: string;
  /** What the kernel has to be able to do. */
  readonly needs?: readonly (keyof Features)[];
}

export const INPUTS: readonly (readonly [bigint, bigint])[] = [
  [0n, 0n],
  [1n, 2n],
  [7n, 3n],
  [300n, 64n],
  [0xffff_ffffn, 0x1_0000_0001n],
  [0xffff_ffff_ffff_fff0n, 5n],
  [1n << 63n, 40n],
  [123_456n, 0xffff_ffff_ffff_ffffn],
];

export const CASES: readonly LoweringCase[] = [
  {
    name: "the greater of an unsigned number and a signed one that is written",
    body: "out.value = max(a, i64(5)); return u32(min(b, i64(40)));",
  },
  { name: "arithmetic", body: "out.value = a + b * 3 - (a >> 3) ^ (b << 2) | (a & ~b); return u32(a % 10 + b / 3);" },
  { name: "division by what may be zero", body: "out.value = a / (b & 1) + a % (b & 3); return 1;" },
  {
    name: "signed arithmetic",
    body: "const x = i64(a); const y = i64(b); out.value = u64(x / (y - 3) + x % 7 - (x >> 3)); signed.value = i32(x * y); return x < y ? 1 : -x > y ? 2 : 3;",
  },
  {
    name: "conversions",
    body: "out.value = u64(u8(a)) + u64(i8(b)) + u64(u16(a)) * 3 + u64(i16(b)) + u64(u32(a)) + u64(i32(b)); flag.value = bool(a & 4); return 0;",
  },
  {
    name: "conditions",
    body: "let n = 0; if (a > b && a < 1000) n += 1; if (a === 7 || b === 64) n += 2; if (!(a >= b)) n += 4; n += a > 5 ? (b > 5 ? 8 : 16) : 32; flag.value = a > b || b === 5; return n;",
  },
  {
    name: "switch",
    body: "let n = 0; switch (a & 7) { case 0: n = 1; break; case 1: case 2: n = 2; default: n += 3; case 7: n += 10; } return n;",
  },
  {
    name: "scalars in maps",
    body: "const t = numbers.get(u32(a)); if (t === undefined) { numbers.set(u32(a), b); return 1; } numbers.set(u32(b), t + 1); return u32(t);",
  },
  {
    name: "references",
    body: 'const s = stats.get(a & 3); if (!s) { stats.set(a & 3, { n: b, small: u16(b), name: "new", list: [1, u32(a), 3, 4] }); return 1; } s.n += a; s.list[b & 3] = u32(s.list[a & 3] + 1); s.small++; s.name = "old"; return u32(s.n);',
  },
  {
    name: "put there first",
    body: "const c = numbers.getOrInsert(u32(a), b); if (c) c.value = c.value + 1; const s = stats.getOrInsert(a); if (s) tell(s); return c ? u32(c.value) : 0;",
  },
  {
    name: "a full map",
    body: "const first = few.set(a, b); const c = few.getOrInsert(b); if (c) c.add(1); return first ? 1 : 0;",
  },
  {
    name: "deleting and asking",
    body: "numbers.set(u32(a & 3), b); const had = numbers.has(u32(b & 3)); const gone = numbers.delete(u32(b & 3)); return (had ? 1 : 0) + (gone ? 2 : 0) + (numbers.has(u32(a & 3)) ? 4 : 0);",
  },
  {
    name: "flags of set",
    body: 'const x = numbers.set(u32(a & 7), 1, "noexist"); const y = numbers.set(u32(b & 7), 2, "exist"); return (x ? 1 : 0) + (y ? 2 : 0);',
  },
  {
    name: "cells",
    body: "const c = numbers.getOrInsert(1, 5); if (!c) return 9; c.add(a); const old = c.xchg(c.value + b); const swapped = c.cas(7, 8); return u32(old) + (swapped ? 1000 : 0);",
    needs: ["fetchAtomics"],
  },
  {
    name: "arrays",
    body: "slots.set(a & 63, b); const x = slots.get(b & 63); if (a < 64) slots.ref(a).add(x + 1); small.set(b & 15, u8(a)); return u32(slots.get(a & 63)) + small.get(3);",
  },
  {
    name: "arrays of structs",
    body: 'const s = table.get(a & 7); s.n++; s.list[b & 3] += 7; s.name = "table"; if (s.name === "table" && s.list[1] > 7) return 1; return s.list[b & 3];',
  },
  {
    name: "per-CPU memory",
    body: "own.ref(a & 3).add(b); const c = ownHash.getOrInsert(u32(b & 3), 0); if (c) c.add(a); return 0;",
  },
  {
    name: "globals",
    body: 'out.value += a; signed.value -= 3; if (signed.value < -20) signed.value = 100; flag.value = !flag.value; if (text.value === "begin") text.value = "next"; else text.value = words; return signed.value;',
  },
  {
    name: "params",
    body: 'if (limit !== 7) return 1; if (words === "params" && words.startsWith("par") && !words.startsWith("pat")) return u32(words.length); return 2;',
  },
  {
    name: "byte order",
    body: "const k = { port: ntohs(a), id: u8(b), address: ntohl(b), when: ntohll(a), neg: i16(b) }; wide.set(k, { port: u16(a), id: 1, address: u32(b), when: a, neg: -3 }); const w = wide.get(k); if (!w) return 1; w.port = u16(w.port + 1); out.value = w.address; return w.port;",
  },
  {
    name: "texts",
    body: 'const c = comm(); named.set(c, u32(a)); if (c === "bash" || c.startsWith("nodX") || c.length > 15) return 1; const n = named.get("other"); if (n === undefined) named.set("other", 5); let r = c.length; if (c[0] === "z") r += 100; if (c.charCodeAt(1) > 64) r += 200; return u32(r);',
  },
  {
    name: "texts of other sizes",
    body: 'const s = stats.getOrInsert(1); if (!s) return 0; s.name = "0123456789abcde"; tiny.emit({ a: a, b: u8(b), c: "longer than sixteen bytes" }); if (s.name === comm()) return 1; return s.name === "0123456789abcde" ? 2 : 3;',
  },
  {
    name: "events",
    body: 'const sent = events.emit({ n: a, small: u16(b), name: comm(), list: [1, u32(a), u32(b), 4] }); if (!sent) return 1; events.emit({ n: b, small: 7, name: "second", list: [4, 3, 2, 1] }); return 2;',
  },
  {
    name: "a full ring",
    body: 'let n = 0; for (const i of range(20)) { if (tiny.emit({ a: i, b: 1, c: "x" })) n++; } return n;',
  },
  {
    name: "records by hand",
    body: 'const e = events.reserve(); if (!e) return 1; e.n = a; e.list[b & 3] = 9; if (a === 7) { e.discard(); return 2; } if (a > 1000) return 3; for (const i of range(3)) { if (i === b) return 4; } e.name = "kept"; e.submit(); return 5;',
  },
  {
    name: "counters and sums",
    body: 'opens.inc(comm()); opens.add("a", 3); hits.inc(); hits.add(a & 15); total.add(i64(b) & 0xff); total.add(-3); byKey.add(u32(a), i64(b)); mean.add(u32(a & 1), i64(b) >> 3); return 0;'.replaceAll(
      "mean.add",
      "mean.record",
    ),
  },
  {
    name: "extremes",
    body: "lowest.record(u32(a & 1), i64(b)); highest.record(i64(a)); least.record(i64(b) >> 1); return 0;",
    needs: ["fetchAtomics"],
  },
  {
    name: "histograms",
    body: "times.record(u32(a & 1), b); fine.record(a); fine.record(b); fine.record(b >> 40); spread.record(a); spread.record(i64(b)); spread.record((a & 0xfff)); return 0;",
  },
  {
    name: "optional variables",
    body: "let last: u64 | undefined = undefined; if (a > b) last = b; if (a === 7) last = numbers.get(1); if (last !== undefined) out.value = last; return u32((last ?? 5) + (numbers.get(2) ?? a));",
  },
  {
    name: "optional chaining",
    body: 'const n = stats.get(a)?.n ?? 77; stats.set(a, { n: b, small: 1, name: "c", list: [1, 2, 3, 4] }); return u32(n + (stats.get(a)?.list[b & 3] ?? 0));',
  },
  {
    name: "structs on the stack",
    body: "const s: Kernel<typeof Stat> = { n: a, small: u16(b), name: comm(), list: [1, 2, 3, u32(b)] }; s.list[a & 3] = 8; stats.set(b, s); const t = stats.get(b); if (!t) return 0; let sum = 0; for (const x of t.list) sum += x; return u32(sum + s.list[3]);",
  },
  {
    name: "functions",
    body: "out.value = twice(a) + steps(b) + steps(a + 1) + twice(twice(b)); return u32(steps(out.value));",
  },
  {
    name: "min, max and the like",
    body: "return u32(min(min(a, b), 50) + max(a & 15, b & 31) + clz32(a) * 100 + log2(b) * 7) + u32(abs(i64(a) - 5));",
  },
  {
    name: "small loops",
    body: "let n = 0; for (let i = 0; i < 5; i++) { if (i === 3) continue; n += i * 2; } for (const i of range(3, 6)) n += i; return u32(n + a);",
  },
  {
    name: "counted loops",
    body: "let n = 0; for (let i = 0; i < 100; i++) { if (i === u32(a)) break; if ((i & 7) === 3) continue; n += i; slots.set(i & 63, n); } return u32(n);",
  },
  {
    name: "loops downwards",
    body: "let n = 0; for (let i = i64(40); i > 0; i -= 3) { n = n * 2 + u64(i); if (n > 100000 + (a >> 1)) break; } return u32(n);",
  },
  {
    name: "do while",
    body: "let n = a & 0xff; let turns = 0; do { n = n >> 1; turns++; } while (n > 0 && atMost(20)); return turns;",
  },
  {
    name: "labels",
    body: "let n = 0; outer: for (const i of range(6)) for (const j of range(6)) { if (j === (a & 7)) continue outer; if (i === (b & 7)) break outer; n += i * j + 1; } return u32(n);",
  },
  {
    name: "loops with few turns of run time",
    body: "let n = 0; for (const i of range(a & 31)) { n += i; if (n > 200) return 7; } return u32(n);",
  },
  {
    name: "ranges with a bound",
    body: "let n = 0; for (const i of range(b & 3, a, { atMost: 50 })) { n += i; slots.set(i & 63, n); } return u32(n);",
  },
  {
    name: "loops of many turns",
    body: "let n = 0; for (let i = 0; i < 5000; i++) { if (i === u32(a)) break; n += i; } return u32(n);",
    needs: ["loop"],
  },
  {
    name: "long ranges",
    body: "let n = 0; for (const i of range(20000)) { if (i === a) return 7; if ((i & 1) === 1) continue; n += i; slots.set(i & 63, n); if (n > 3000000) break; } out.value = n; return u32(n);",
    needs: ["loop"],
  },
  {
    name: "ranges to anywhere",
    body: "let n = 0; for (const i of range(b & 0xfff)) { n += i; if (n > 5000) break; slots.set(i & 63, i); } return u32(n);",
    needs: ["loop"],
  },
  {
    name: "nested long loops",
    body: "let n = 0; outer: for (const i of range(1000)) { for (const j of range(1000)) { n++; if (j === (a & 0xff)) continue outer; if (n > 3000) break outer; if (n === b) return 5; } } return u32(n);",
    needs: ["loop"],
  },
  {
    name: "whiles",
    body: "let n = a; let turns = 0; while (n > 1 && atMost(1000)) { n = (n & 1) === 0 ? n / 2 : n * 3 + 1; turns++; } return turns;",
    needs: ["loop"],
  },
  {
    name: "records in long loops",
    body: "for (const i of range(1000)) { const e = events.reserve(); if (!e) return 1; e.n = i; if (i === (a & 0x3f)) { e.submit(); break; } if (i === (b & 0x1f)) return 3; } return 2;",
    needs: ["loop"],
  },
  {
    name: "a map's elements",
    body: "numbers.set(1, 10); numbers.set(2, 20); numbers.set(3, 30); let n = 0; for (const [key, value] of numbers) { n += key * value; if (value > 1000) return 9; } out.value = n; return u32(n);",
    needs: ["forEachMapElem"],
  },
  {
    name: "a map's structs",
    body: 'stats.set(5, { n: a, small: 1, name: "e", list: [1, 2, 3, 4] }); stats.set(6, { n: b, small: 2, name: "f", list: [5, 6, 7, 8] }); let n = 0; for (const [key, s] of stats) { s.n += 1; n += s.list[a & 3] + key; } return u32(n);',
    needs: ["forEachMapElem"],
  },
  {
    name: "elements of an array",
    body: "let n = 0; for (const [i, value] of slots) { if (i > 40) break; n += value + i; } slots.set(a & 63, n); return u32(n);",
    needs: ["forEachMapElem"],
  },
];

/** The module of a case: `wide` takes its input as the context of a syscall program, else as a raw tracepoint's (32 bits of each). */
export function caseSource(body: string, wide: boolean): string {
  const start = wide
    ? "syscall(struct({ a: u64, b: u64 }), (ctx) => { const a = ctx.a; const b = ctx.b;"
    : 'rawTracepoint("cpu_idle", (ctx) => { const a: u64 = ctx.args[0]; const b: u64 = ctx.args[1];';
  return `${AROUND}export const p = ${start} ${body} });`;
}

/** How many records of 312 bytes (and 8 of the ring's own) a page holds before it is full. */
export function ringRoom({ body }: LoweringCase): number {
  return body.includes("tiny") && body.includes("range(20)") ? Math.floor(4095 / 328) : 1000;
}
