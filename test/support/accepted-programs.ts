// Programs of kernel TypeScript that use one part of the language each: the checker takes them, and lowering makes them.
// They are bodies for `inProgram`.

/** What any kernel can do. */
export const BODIES: readonly (readonly [name: string, body: string])[] = [
  ["one-liner", "opens.inc(comm());"],
  ["arithmetic", "const a = ctx.dfd + 1; const b = ctx.flags * 3 - a; seen.value = u64(b); seen.add(1);"],
  ["absent values", "const t = started.get(pid()); if (t === undefined) return; seen.add(ktime() - t);"],
  ["narrowing by &&", "const t = started.get(pid()); if (t !== undefined && ktime() - t > 1000) seen.add(1);"],
  ["narrowing by ||", "const t = started.get(pid()); if (t === undefined || ktime() - t < 1000) return; seen.add(t);"],
  ["references", "const s = stats.get(pid()); if (!s) return; s.n += 1; s.small = u16(s.n); s.list[2]++;"],
  ["another value", "const t = started.get(pid()) ?? ktime(); seen.add(t);"],
  ["optional chaining", "const n = stats.get(pid())?.n ?? 0; seen.add(n);"],
  [
    "cells",
    "const c = started.ref(pid()); if (c) { c.add(1); c.value = c.value + 1; const old = c.xchg(5); seen.add(old); c.cas(5, 6); }",
  ],
  ["ternaries", "const x = ctx.flags > 3 ? 1 : 2; const y = ctx.flags > 3 ? ktime() : 0; seen.add(x + y);"],
  ["structs of the source", "stats.set(pid(), { n: 1, small: 2, name: comm(), list: [1, 2, 3, 4] });"],
  ["structs by name", "const s = { n: ktime(), small: 3, name: comm(), list: [1, 2, 3, 4] }; stats.set(pid(), s);"],
  ["events", 'events.emit({ n: 1, small: 2, name: "x", list: [1, 2, 3, 4] });'],
  ["reserved records", "const e = events.reserve(); if (!e) return; e.n = 1; e.list[2] = 3; e.submit();"],
  [
    "records given back",
    "const e = events.reserve(); if (!e) return; for (const i of range(3)) { if (i === ctx.mode) return; } if (ctx.flags > 5) e.submit();",
  ],
  [
    "texts",
    'const c = comm(); if (c === "bash" || c.startsWith("node") || c.length > 3 || c[0] === "x" || c.charCodeAt(1) === 65) seen.add(1);',
  ],
  ["texts of the process", 'const f = userStr(ctx.filename, 32); if (f === "/etc/passwd") seen.add(1);'],
  ["texts of both", "const s = stats.get(1); if (s && s.name === comm()) seen.add(1);"],
  ["kernel structs", "const t = task(); if (t.real_parent.tgid === 1 && t.cred.uid.val === 0) seen.add(1);"],
  [
    "texts of the kernel",
    'if (task().comm === "bash") seen.add(1); stats.set(1, { n: 1, small: 2, name: task().comm, list: [1,2,3,4] });',
  ],
  ["null of the kernel", "const p = task().real_parent; if (p !== null) seen.add(p.pid > 0 ? 1 : 0);"],
  ["functions", "seen.add(twice(ktime())); const s = stats.get(1); if (s) tell(s);"],
  ["counted loops", "for (let i = 0; i < 16; i++) { if (i === 3) continue; if (i > 8) break; seen.add(i); }"],
  ["long loops", "for (let i = 0; i < 400; i++) { if (i === 3) continue; if (i > 308) break; seen.add(i); }"],
  [
    "ranges",
    "for (const i of range(16)) slots.set(i, 0); for (const i of range(1, ctx.flags > 0 ? 4 : 8, { atMost: 8 })) seen.add(i);",
  ],
  ["while", "let n = u32(ctx.flags); while (n > 0 && atMost(32)) { n = n >> 1; seen.add(1); }"],
  [
    "labels",
    "outer: for (const i of range(4)) for (const j of range(4)) { if (i === j) continue outer; if (j > 2) break outer; }",
  ],
  [
    "switch",
    "switch (ctx.flags & 3) { case 0: seen.add(1); break; case 1: case 2: seen.add(2); default: seen.add(3); }",
  ],
  ["elements", "const s = stats.get(1); if (s) { for (const x of s.list) seen.add(x); s.list[ctx.flags & 3] = 7; }"],
  ["aggregations", "total.add(5); times.record(pid(), ctx.dfd); opens.add(comm(), 3); fine.record(ctx.mode);"],
  [
    "extremes",
    "lowest.record(pid(), ctx.dfd); highest.record(ctx.dfd); mean.record(pid(), 5); spread.record(ctx.dfd);",
  ],
  ["printing", "print(`${" + "pid()} opened ${" + 'userStr(ctx.filename)}`); print("done", ktime());'],
  ["stacks and storage", "if (stacks.id() >= 0) { const v = perTask.getOrInsert(task()); if (v) v.add(1); }"],
  ["constants", "seen.add(N + T.a + T.list[1]); slots.set(N, 1);"],
  ["params", "if (limit !== 0 && pid() !== limit) return; seen.add(limit);"],
  ["signed variables", "let d = 0; d = ctx.dfd; if (d < 0) seen.add(1);"],
  [
    "optional variables",
    "let last: u64 | undefined = undefined; if (ctx.flags > 1) last = ktime(); if (last !== undefined) seen.add(last);",
  ],
  ["destructuring", "const { flags, mode } = ctx; seen.add(u64(flags) + mode);"],
  ["min and max", "seen.add(min(ctx.flags, 10) > 3 ? 1 : 0); seen.add(max(pid(), uid())); seen.add(abs(ctx.dfd));"],
  [
    "the greater of numbers of different signs",
    "seen.add(max(ktime(), i64(5))); const d = min(ctx.dfd, pid()); if (d < 0) seen.add(1);",
  ],
  ["reading memory", "const n = readUser(ctx.filename, u32); seen.add(n);"],
  ["an early way out", "if (pid() === 1) return; if (pid() === 2) { return 0; } seen.add(1); return 1;"],
  [
    "put there first",
    "const c = started.getOrInsert(pid(), 5); if (c) c.add(1); const s = stats.getOrInsert(1); if (s) s.n++;",
  ],
];

/** What needs a newer kernel than 5.10. */
export const NEWER: readonly (readonly [name: string, body: string])[] = [
  ["going over a map", "for (const [key, value] of started) { if (value > 3) seen.add(key); }"],
  [
    "a map's elements, left in all ways",
    "let n = 0; outer: for (const i of range(3)) { for (const [key, value] of started) { n++; if (key === 1) continue; if (key === 2) break; if (key === 3) continue outer; if (key === 4) break outer; if (key === 5) return n; n += value; } n += 100; } seen.add(n);",
  ],
  ["a reference inside", "const s = stats.get(1); if (!s) return; for (const [key] of started) { s.n += key; }"],
  ["long ranges", "let n = 0; for (const i of range(100000)) { if (i === ctx.mode) return 7; n += i; } seen.add(n);"],
  ["ranges to anywhere", "let n = 0; for (const i of range(ctx.mode)) { n += i; if (n > 5000) break; } seen.add(n);"],
  [
    "long whiles",
    "let n = ctx.mode; while (n > 1 && atMost(100000)) { if ((n & 1) === 0) n = n / 2; else n = n * 3 + 1; seen.add(1); }",
  ],
];

/** A module with a program of each kind, but for XDP. */
export const EVERY_KIND = `
const n = counter();
export const a = rawTracepoint("sys_enter", (ctx) => { if (ctx.args[1] === 3) n.inc(); });
export const b = tpBtf("sched_switch", (preempt, prev, next) => { if (prev.pid !== next.pid) n.inc(); });
export const c = kprobe("vfs_read", (ctx) => { if (ctx.args[2] > 3) n.inc(); });
export const d = kretprobe("vfs_read", (ctx) => { if (ctx.ret < 0) n.inc(); });
export const e = uprobe("libc", "malloc", (ctx) => { if (ctx.args[0] > 3) n.inc(); });
export const f = fentry("vfs_read", (file, buf, count) => { if (file.f_inode.i_ino === count) n.inc(); });
export const g = fexit("vfs_read", (ret, file) => { if (ret > 0 && file.f_flags === 0) n.inc(); });
export const h = lsm("file_open", (file) => { if (file.f_inode.i_ino === 3) return -EPERM; return 0; });
export const i = profile({ hz: 99 }, () => n.inc());
export const j = interval({ ms: 100 }, (ctx) => { if (ctx.sample_period > 0) n.inc(); });
export const k = iter("task", ({ task }) => { if (task && task.pid > 1) n.inc(); });
export const l = syscall(struct({ x: u64, y: u32 }), (ctx) => { n.add(ctx.x); return ctx.y; });
export const m = tracepoint("sched:sched_process_exec", (ctx) => { if (ctx.pid === 1 && ctx.filename === "x") n.inc(); });`;
