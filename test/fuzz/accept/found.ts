/** A program that was once compiled wrongly, and what was wrong. Each is tried by everybody, on every kernel. */
export interface Found {
  readonly what: string;
  readonly source: string;
}

const IMPORT =
  'import { array, arrayMap, atMost, avg, be64, bool, bytes, clz32, comm, cpu, gid, global, hash, i16, i32, i64, i8, jiffies, kernelStr, log2, max, min, numaNode, param, pid, range, ringbuf, str, struct, syscall, task, u8, u16, u32, u64, u64n, uid, type Str, type Kernel } from "skep/kernel";';

function found(what: string, source: string): Found {
  return { what, source: `${IMPORT}\n${source}` };
}

export const FOUND: readonly Found[] = [
  found(
    "cas gives what was there, and what is added to a cell is computed first",
    `export const g = global(u64);
     const C = struct({ a: u16 });
     export const program = syscall(C, (ctx) => { g.add(g.cas(g.value, 5) + 1); g.add(g.cas(3, ctx.a)); });`,
  ),
  found(
    "a text of the context as a function's parameter",
    `const C = struct({ a: u64, text: str(16) });
     export const g = global(u64);
     function f(text: Str<16>, n: u64): u64 {
       let sum: u64 = n;
       if (text === "abc") sum += 17;
       for (let i = 0; i < 16; i++) sum = sum * 3 + text.charCodeAt(i);
       if (text.startsWith("x")) sum ^= 99;
       g.value = sum;
       return sum * 5 + text.length;
     }
     export const program = syscall(C, (ctx) => f(ctx.text, ctx.a) + f(ctx.text, 3));`,
  ),
  ...[
    ["a sum", "(ctx.a & 127) + n"],
    ["itself", "n"],
    ["the smaller", "min(ctx.a + 400, n)"],
    ["a product", "(ctx.a & 63) * n"],
    ["a shift", "(ctx.a & 63) << n"],
    ["a double", "n * 2"],
    ["the counter's half", "(ctx.a & 63) + 60 + i / 2"],
  ].map(([what, limit]) =>
    found(
      `a loop to what it changes itself: ${what}`,
      `const C = struct({ a: u64 });
       export const g = global(u64);
       export const program = syscall(C, (ctx) => {
         let n: u64 = 1;
         let s: u64 = 0;
         for (let i: u64 = 0; i < ${limit} && atMost(400); i++) { if (i < 150 && n < 200) n += 2; s += 1; }
         g.value = s;
         return s;
       });`,
    ),
  ),
  found(
    "a counter that is changed twice in a turn",
    `const C = struct({ a: u64 });
     export const program = syscall(C, (ctx) => {
       let s: u64 = 0;
       for (let i: u64 = 0; i < 300; i++, i += 2) { if (ctx.a > i) s += ctx.a; s += i; }
       return s;
     });`,
  ),
  found(
    "a counter that starts over before it comes to the end",
    `const C = struct({ a: u64 });
     export const g = global(u64);
     export const program = syscall(C, (ctx) => {
       let s: u64 = 0;
       for (let i: u8 = 0; i < (ctx.a & 7) + 300 && atMost(500); i = u8(i + 1)) s += 1;
       for (let i: u8 = 0; i < 300 && atMost(400); i = u8(i + 1)) s += 1;
       for (let i: u8 = 5; i >= 1 && atMost(300); i = u8(i - 3)) s += 1;
       g.value = s;
     });`,
  ),
  found(
    "the numbers of CPU and node have 32 bits",
    `export const g = global(u32);
     const C = struct({ a: u64 });
     export const program = syscall(C, (ctx) => { g.value = (cpu() >> 1) + (numaNode() >> 1); return ctx.a; });`,
  ),
  found(
    "a loop where nothing ever comes",
    `const K = struct({ a: u64 });
     export const most = max(K);
     export const ring = ringbuf(K);
     const C = struct({ a: u32 });
     export const program = syscall(C, (ctx) => {
       const no = 0;
       if (no) { const record = ring.reserve(); if (record) most.record({ a: ctx.a }, 1); }
       most.record({ a: ctx.a }, ctx.a);
     });`,
  ),
  found(
    "records are read in the order they were reserved in",
    `const K = struct({ a: u64 });
     export const ring = ringbuf(K);
     export const program = syscall(K, (ctx) => {
       const first = ring.reserve();
       if (!first) return;
       first.a = ctx.a;
       const second = ring.reserve();
       if (second) { second.a = 2; second.submit(); }
       if (ctx.a === 0) return;
       ring.emit({ a: 3 });
       if (ctx.a > 0x100000000) first.discard(); else first.submit();
     });`,
  ),
  found(
    "records that go out of scope, on kernels that forget that one was tested",
    `const K = struct({ a: u64 });
     export const ring = ringbuf(K);
     export const sum = global(u64);
     export const program = syscall(K, (ctx) => {
       const untested = ring.reserve();
       for (let i = 0; i < 4; i++) {
         const record = ring.reserve();
         if (record) {
           record.a = ctx.a + i;
           if (ctx.a + i > 3) { record.submit(); continue; }
           if (i === 2) break;
         }
         sum.value += 1;
       }
       if (ctx.a === 0) return 5;
       return 6;
     });`,
  ),
  found(
    "what a parameter may be follows from its type",
    `const K = struct({ a: u64, f0: u32, f1: u16 });
     export const ring = ringbuf(K);
     function f(a: i16, b: u16): i64 {
       const narrow: u16 = b >> 3;
       ring.emit({ a: b + 1, f0: narrow * 2, f1: b >> 1 });
       ring.emit({ a: b + 2, f0: narrow * 3, f1: b >> 2 });
       ring.emit({ a: b + 3, f0: narrow * 4, f1: b >> 4 });
       return a - b;
     }
     export const program = syscall(K, (ctx) => f(i16(ctx.a), ctx.f1) + f(i16(ctx.f0), u16(ctx.a)));`,
  ),
  found(
    "what a function gives is of its type",
    `const K = struct({ a: u64, f0: u32, f1: u16 });
     export const ring = ringbuf(K);
     export const g = global(u32);
     function f(a: u64, b: u16): u32 {
       ring.emit({ a: a + 1, f0: b * 2, f1: b >> 1 });
       ring.emit({ a: a + 2, f0: b * 3, f1: b >> 2 });
       ring.emit({ a: a + 3, f0: b * 4, f1: b >> 4 });
       return u32(a * b);
     }
     export const program = syscall(K, (ctx) => {
       g.value = min(f(ctx.a, ctx.f1), ctx.a) >> 1;
       g.value = f(ctx.f0, 3) >> 1;
     });`,
  ),
  found(
    "a function called in a loop, on kernels that take its turns for the same",
    `const K = struct({ f0: u32, f1: u8 });
     export const ring = ringbuf(K);
     export const g = global(u16, 5);
     export const sum = global(u64);
     function f(): u32 {
       if (!ring.emit({ f0: u32(g.value), f1: 0 })) { if (g.value >= 10) sum.value += g.value / 3; else sum.value += 1; }
       if (!ring.emit({ f0: 2, f1: 1 })) sum.add(g.value * 7);
       return 0;
     }
     export const program = syscall(K, (ctx) => {
       for (const i of range(7, ctx.f0, { atMost: 3 })) if (f() > i) sum.add(2);
       return f();
     });`,
  ),
  found(
    "an index that was tested before a loop; how many zeros there are, as a byte",
    `const K = struct({ a: u64, f1: u8 });
     export const slots = arrayMap(u64, 5);
     export const g = global(u8);
     export const program = syscall(K, (ctx) => {
       const at = ctx.f1;
       if (at >= 5) return 7;
       for (let i = 7; i > 0; i--) slots.ref(at).add(i);
       g.value = clz32(ctx.a) + 1;
       return at;
     });`,
  ),
  found(
    "a ring that becomes full, with records that were given back",
    `const K = struct({ a: u64, f1: u8 });
     export const ring = ringbuf(K, { bytes: 4096 });
     export const taken = global(u64);
     export const program = syscall(K, (ctx) => {
       for (let i = 0; i < 100; i++) {
         const record = ring.reserve();
         if (record) { record.a = ctx.a; record.f1 = 1; if ((i & 1) === 0) record.discard(); else record.submit(); taken.value += 1; }
         if (ring.emit({ a: i, f1: ctx.f1 })) taken.value += 1000;
       }
       return 0;
     });`,
  ),
  found(
    "the lesser of a byte and a large number, and what is computed from a logarithm, are small",
    `const K = struct({ a: u64, b: u8 });
     export const g = global(u8);
     export const slots = arrayMap(u32, 64);
     export const program = syscall(K, (ctx) => {
       const least: u8 = min(ctx.b, 4294967277);
       g.value = least >> 1;
       slots.set(log2(ctx.a), log2(ctx.a) / 17);
       return least;
     });`,
  ),
  found(
    "parts of structs on the stack that stand at no word, handed to functions; keys of entries as texts",
    `const S = struct({ a: u16, b: u16, t: str(12), c: u16 });
     const K = struct({ a: u64, b: u8 });
     export const names = hash(str(8), u32, { max: 8 });
     export const sum = global(u64);
     function inner(text: Str<12>, n: u64): u64 {
       let r: u64 = n * 3;
       if (text === "zj") r += 1; if (text.startsWith("abcdefgh")) r += 2; if (n > 7) r ^= 0x55; if (n > 100) r *= 3;
       for (let i = 0; i < 12; i++) r = r * 5 + text.charCodeAt(i);
       return r + text.length;
     }
     function outer(s: Kernel<typeof S>, n: u64): u64 {
       let r: u64 = n;
       if (n > 3) r += inner(s.t, n) * 7; if (n > 50) r ^= inner(s.t, n + 1);
       for (let i = 0; i < 3; i++) if (s.t === "zj") r += inner(s.t, i);
       return r + s.c + inner("abcdefghijk", r);
     }
     export const program = syscall(K, (ctx) => {
       sum.value = outer({ a: 1, b: 2, t: "zj", c: ctx.b }, ctx.a) + outer({ a: 1, b: 2, t: "abcdefgh", c: 9 }, ctx.b);
       names.set("69a58o", 1);
       for (const [name] of names) sum.value += name.length;
       return i64(inner("zj", ctx.a));
     });`,
  ),
  found(
    "a byte of a text on the caller's stack by a number that is added an address to; a boolean that is handed over",
    `const S = struct({ t: str(16), a: u8 });
     const K = struct({ a: u64, b: bool });
     export const slots = arrayMap(u32, 2);
     export const sum = global(u64);
     function at(text: Str<16>, n: u64, odd: boolean): u64 {
       if (odd) slots.set(u8(odd) & 1, u32(n));
       let r: u64 = text.charCodeAt(n & 15) + n; if (r > 50) r ^= n; if (r > 70) r *= 5; if (n > 9) r += text.charCodeAt(r & 15);
       return r;
     }
     function build(text: Str<16>, n: u64): u64 {
       const s: Kernel<typeof S> = { t: text, a: 5 };
       let r: u64 = n & 7; if (n > 5) r += 2; if (n > 50) r ^= 9; for (let i = 0; i < 5; i++) r += at(s.t, r + i, n > 2) + s.a;
       return r;
     }
     export const program = syscall(K, (ctx) => i64(build("q2i", ctx.a) + build("z74_/yb", 10) + at("abc", ctx.a, ctx.b)));`,
  ),
  found(
    "both operands of a sum go on elsewhere behind it",
    `const S0 = struct({ f0: u64n, f1: be64 });
     const S1 = struct({    f3: bool,  });
     export const p3 = 0;
     export const g6 = global(array(u8, 3), [1, 8, 10]);
     export const g8 = global(S0, { f0: 19, f1: 1 });
     export const h9 = hash(bytes(8), i32, {  });
     export const h11 = hash(i64, i16, {   });
     export const a14 = arrayMap(S1, 7);
     export const n16 = avg(u64, {  });
     const C20 = struct({ c0: u64,    c4: u64,  });
     function f21(a22: boolean, a23: i16, a24: Kernel<typeof S1>): i32 {
       return a23;
     }
     function f27(a28: u16, a29: boolean, a30: u64, a31: u32): u64 {
       h9.set([u8(pid() !== 0), 4, 0, u8(a31), 0, u8(a31), u8(gid()), 0], 0, "any");
       return 1;
     }
     export const program2 = syscall(C20, (ctx) => {
       n16.record(0, f27(u16(pid()), h11.has(0), u64((u8(jiffies() !== 0))), (cpu() & ctx.c0)));
       let v40 = pid() > 33;
       let o41: i16 | undefined = (g6.value[((ctx.c4 >>> cpu()) & 1)] !== g8.value.f0) ? 0 : undefined;
       g8.value.f1 = f27(u16(task().real_parent.tgid), (o41 === undefined), 0b111, 13);
       a14.get((min(ctx.c0, 1) & 3)).f3 = v40;
     });`,
  ),
  found(
    "a loop the length of which is known when it runs, and on the stack: before Linux 6.8 it had no end for the kernel",
    `const C = struct({ a: u64, b: u64 });
     export const h = hash(u64, u64, { max: 64 });
     export const g = global(u64);
     export const a = arrayMap(u64, 256);
     export const program = syscall(C, (ctx) => {
       const c = comm();
       let p: u64 = ctx.a * 3;
       let q: u64 = ctx.b * 5;
       let r: u64 = ctx.a ^ ctx.b;
       for (const x of range(ctx.a & 3)) {
         a.ref(x).value = h.has(ctx.b) ? c.charCodeAt(x) : x;
         h.delete(gid());
         p += q;
         q ^= r;
         r *= p;
       }
       return i64(p ^ q ^ r);
     });`,
  ),
  found(
    "a truth that a function is handed in a struct: before Linux 6.8 a branch by it was removed",
    `const S = struct({ f0: bool, f1: be64, f2: bool });
     export const g = global(u16);
     export const names = hash(str(16), u32, { max: 64 });
     export const h = hash(u32, i8, { max: 2048 });
     export const k = hash(i8, u8, { max: 2048 });
     const C = struct({ c0: u64, c1: u64 });
     function f(a: u16, s: Kernel<typeof S>, text: Str<16>): u64 {
       g.value = u16(s.f0 ? (k.get(i8(task().real_parent.pid)) ?? 9) : g.value);
       const name = names.getOrInsert(kernelStr(task().comm, 16), 52792);
       if (name === undefined) return 0;
       return u64(task().tgid);
     }
     function outer(n: i16): i16 {
       return i16(f(7, { f0: h.has(g.value), f1: 4, f2: (h.get(u32(n)) !== undefined) }, kernelStr(task().comm, 16)));
     }
     export const first = syscall(C, (ctx) => { g.value = (ctx.c1 & 46167); });
     export const program = syscall(C, (ctx) => i64(k.get(i8(outer(i16(ctx.c0)))) ?? 12));
     export const other = syscall(C, (ctx) => i64(f(3, { f0: ctx.c0 !== ctx.c1, f1: 5, f2: k.delete(1) }, comm())));`,
  ),
  found(
    "a limit that no number between has: from Linux 6.8 on the verifier forgot it",
    `export const g = global(u64);
     const C = struct({ a: u64 });
     export const program = syscall(C, (ctx) => {
       for (const x of range(ctx.a << 32, { atMost: 4 })) g.value = g.value * 3 + x;
       return 0;
     });`,
  ),
  found(
    "an index that is far from what it was computed from",
    `export const far = param(i32, -2147483640);
     export const g = global(array(i8, 3), [7, 0, 1]);
     const C = struct({ c0: u64 });
     export const program = syscall(C, (ctx) => g.value[min(u64(ctx.c0 + far), 2)]);`,
  ),
  found(
    "what is true only of some of a function's callers",
    `export const g = global(u64);
     export const h = hash(u64, u64, { max: 16 });
     const C = struct({ a: u64, b: u8 });
     function f(n: u64): u64 {
       let sum: u64 = n;
       if (h.has(n)) sum += 3;
       if (comm() === "x") sum ^= 5;
       if (h.has(sum)) sum *= 7;
       h.set(sum, n, "any");
       if (h.has(n + sum)) sum -= 1;
       return sum;
     }
     export const program = syscall(C, (ctx) => {
       const x = ctx.a > 7 ? ctx.b : undefined;
       g.value = f(ctx.a) + f(ctx.b);
       return (x === undefined || x < 74) ? 1 : 2;
     });`,
  ),
  found(
    "a key of many comparisons: each was a branch, and all together more than the verifier goes through",
    `const Key = struct({ f: array(bool, 16) });
     export const seen = hash(Key, u64, { max: 64 });
     export const list = hash(u32, u64, { max: 64 });
     const C = struct({ a: u32, b: u32, c: u32, d: u32 });
     export const program = syscall(C, (ctx) => {
       const a = ctx.a;
       const b = ctx.b;
       const c = ctx.c;
       const d = ctx.d;
       let n: u64 = 0;
       for (let i = 0; i < 12; i++) {
         seen.set({ f: [a < b, b < c, c < d, d < a, a !== c, b !== d, a < c, b < d, a > 5, b > 6, c > 7, d > 8, a === 9, b === 10, c === 11, d === 12] }, u64(i));
         const at = list.ref((a ^ b ^ c ^ d) & 63);
         if (at) n += at.value + i;
       }
       return u32(n);
     });`,
  ),
  found(
    "a comparison that is computed, beside an index that is claimed where nothing comes to",
    `export const table = arrayMap(struct({ f: array(u64, 100) }), 1);
     export const out = global(u64);
     const C = struct({ a: u32, b: u32, c: u64, d: u64 });
     export const program = syscall(C, (ctx) => {
       const a = ctx.a;
       const b = ctx.b;
       let i: u64 = 0;
       while (i < 100 && atMost(30)) { i += 5; }
       let n: u64 = 7;
       const at = table.ref(0);
       if (!at) return 1;
       if (i * 2 > 240) { n = at.f[ctx.c / ctx.d % 100]; }
       out.value = n;
       out.value += u64(a < b);
       return 0;
     });`,
  ),
  found(
    "a comparison that is stored tells the kernel the bound of an index that comes behind it",
    `export const table = arrayMap(struct({ f: array(u8, 196) }), 1);
     export const flag = global(u64);
     const C = struct({ c: u64 });
     export const program = syscall(C, (ctx) => {
       const at = table.ref(0);
       if (!at) return 1;
       const v = ctx.c & 0xf1;
       if (v >= 200) return 2;
       flag.value = u64(v > 192);
       return at.f[v];
     });`,
  ),
  found(
    "structs that a loop goes over stand where they stood, also when something else is put there meanwhile",
    `const S = struct({ a: u16, b: u32 });
     export const list = global(array(S, 2), [{ a: 6, b: 1 }, { a: 1, b: 1 }]);
     export const out = arrayMap(u32, 8);
     const C = struct({ c: u32 });
     function change(to: Kernel<typeof S>): void { list.value = [{ a: (to.b & 43122), b: 2 }, to]; }
     export const program = syscall(C, (ctx) => {
       let i = 0;
       for (const one of list.value) { change({ a: 9, b: ctx.c }); out.set(i & 7, one.a); i += 1; }
       return 0;
     });`,
  ),
  found(
    "an index that is a difference of 32 bits, with a parameter that is large",
    `export const list = global(bytes(3), [1, 2, 3]);
     export const far = param(i64, 3901764413307087);
     const C = struct({ c: u32 });
     export const program = syscall(C, (ctx) => {
       const id = uid();
       list.value[min(u32(id - far), 2)] = u8(id);
       return ctx.c ^ id;
     });`,
  ),
  found(
    "a range to the least of numbers one of which is below 0, taken without its sign",
    `export const low = param(i32, -7);
     export const turns = global(u64);
     const C = struct({ n: u32 });
     export const program = syscall(C, (ctx) => {
       for (const x of range(6, u64(min(low, 0)), { atMost: 3 })) turns.value += x;
       for (const x of range(0, u64(min(i64(ctx.n), 2)), { atMost: 5 })) turns.value += 100 + x;
       return u32(turns.value);
     });`,
  ),
  found(
    "the number of a turn in a field of a byte, where how many there are is known when it runs",
    `const C = struct({ n: u64 });
     export const out = hash(struct({ at: bytes(2), from: u8 }), u64, { max: 64 });
     export const program = syscall(C, (ctx) => {
       for (const x of range(ctx.n & 15)) out.set({ at: [x, 1], from: 0 }, ctx.n);
       for (const x of range(3, ctx.n & 15)) out.set({ at: [x, 2], from: x }, 1);
       return out.has({ at: [1, 1], from: 0 }) ? 1 : 0;
     });`,
  ),
];
