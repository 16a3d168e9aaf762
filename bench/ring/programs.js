// The kernel side of `bench -- ring` and `perf`: programs that write one record of 104 bytes each time they run.
import { cpus } from "node:os";
import {
  Assembler,
  bytes,
  i32,
  loadObject,
  r0,
  r1,
  r2,
  r3,
  r4,
  r5,
  r6,
  r7,
  r8,
  r9,
  r10,
  str,
  struct,
  u32,
  u64,
  u64n,
} from "skep";

const fields = (time) => ({ ts: time, pid: u32, tid: u32, ret: i32, comm: str(16), filename: str(64) });
/** The record, its time read as a number or as a bigint. */
export const Event = struct(fields(u64n));
export const EventBig = struct(fields(u64));

const COMMS = ["node", "postgres", "nginx", "systemd", "bash", "kworker/0:1", "containerd-shim", "sshd"];
const FILES = [
  "/etc/ld.so.cache",
  "/usr/lib/x86_64-linux-gnu/libc.so.6",
  "/proc/self/status",
  "/var/lib/postgresql/15/main/base/5/1259",
  "/dev/null",
  "/home/user/project/node_modules/typescript/lib/lib.es2023.d.ts",
  "/sys/fs/cgroup/system.slice/memory.current",
  "/usr/share/zoneinfo/Europe/Berlin",
  "/var/log/nginx/access.log",
  "/etc/passwd",
  "/etc/nsswitch.conf",
  "/usr/bin/env",
  "/tmp/build-1234/object.o",
  "/usr/lib/locale/C.utf8/LC_CTYPE",
  "/run/systemd/journal/stdout",
  "/etc/hosts",
];
const TEMPLATES = FILES.length;
const TEMPLATE_BYTES = 16 + 64;
const TEMPLATES_AT = 16;

/**
 * Where the counters of `data` stand: records made, records for which the ring had no room. `only` is the process whose
 * calls the traced program sees.
 */
export const Data = struct({ made: u64n, dropped: u64n, templates: bytes(TEMPLATES * TEMPLATE_BYTES), only: u32 });
const ONLY_AT = TEMPLATES_AT + TEMPLATES * TEMPLATE_BYTES;

function templates() {
  const all = new Uint8Array(TEMPLATES * TEMPLATE_BYTES);
  const utf8 = new TextEncoder();
  FILES.forEach((file, i) => {
    utf8.encodeInto(COMMS[i % COMMS.length], all.subarray(i * TEMPLATE_BYTES));
    utf8.encodeInto(file, all.subarray(i * TEMPLATE_BYTES + 16));
  });
  return all;
}

/** How many rings `rings` are. */
export const RINGS = 8;

/** Each record goes to the next ring. */
function chooseRing(a) {
  a.mov(r2, r7).and(r2, RINGS - 1);
  for (let i = 1; i < RINGS; i++) a.jeq(r2, i, `ring ${i}`);
  a.loadMap(r1, "events0").ja("chosen");
  for (let i = 1; i < RINGS; i++) a.label(`ring ${i}`).loadMap(r1, `events${i}`).ja("chosen");
  a.label("chosen");
}

/** The maps that the events go to: one, but of `rings`. */
export const streamsOf = (object) =>
  Object.entries(object.maps)
    .filter(([name]) => name.startsWith("events"))
    .map(([, map]) => map);

/**
 * Writes a record: the time, the count as pid, one of 16 pairs of strings. `unique` puts the count's digits into the
 * file's name, so that no two are the same.
 */
function instructions(unique, type, kind) {
  const a = new Assembler().mov(r9, r1);
  if (type === "tracepoint") {
    // The kernel runs it for every process: all but one are none of its business.
    a.call("get_current_pid_tgid").rsh(r0, 32).loadMapValue(r1, "data", ONLY_AT).load("u32", r1, r1, 0);
    a.jeq(r0, r1, "mine").mov(r0, 0).exit().label("mine");
  }
  a.loadMapValue(r6, "data", 0).mov(r7, 1).fetchAdd("u64", r6, 0, r7);
  if (kind !== "perf") {
    if (kind === "ring") a.loadMap(r1, "events");
    else chooseRing(a);
    a.mov(r2, Event.size).mov(r3, 0).call("ringbuf_reserve").jne(r0, 0, "reserved");
    a.mov(r1, 1).atomicAdd("u64", r6, 8, r1).mov(r0, 0).exit();
    a.label("reserved").mov(r8, r0);
  } else {
    a.mov(r8, r10).add(r8, -Event.size);
  }
  a.call("ktime_get_ns").store("u64", r8, 0, r0);
  a.store("u32", r8, 8, r7).store("u32", r8, 12, r7).store("u32", r8, 16, -2);
  a.mov(r1, r7)
    .and(r1, TEMPLATES - 1)
    .mul(r1, TEMPLATE_BYTES)
    .add(r1, r6);
  for (let at = 0; at < TEMPLATE_BYTES; at += 4) a.load("u32", r2, r1, TEMPLATES_AT + at).store("u32", r8, 20 + at, r2);
  if (unique) {
    const digits = Array.from("/tmp/");
    for (const [i, c] of digits.entries()) a.store("u8", r8, 36 + i, c.charCodeAt(0));
    for (let i = 0; i < 8; i++) {
      a.mov(r2, r7)
        .rsh(r2, 4 * i)
        .and(r2, 15)
        .add(r2, 0x61)
        .store("u8", r8, 36 + digits.length + i, r2);
    }
    a.store("u8", r8, 36 + digits.length + 8, "-".charCodeAt(0));
  }
  a.store("u32", r8, 100, 0);
  if (kind !== "perf") return a.mov(r1, r8).mov(r2, 0).call("ringbuf_submit").mov(r0, 0).exit().instructions();
  const CURRENT_CPU = -1;
  a.mov(r1, r9).loadMap(r2, "events").mov32(r3, CURRENT_CPU).mov(r4, r8).mov(r5, Event.size).call("perf_event_output");
  a.jeq(r0, 0, "sent").mov(r1, 1).atomicAdd("u64", r6, 8, r1).label("sent").mov(r0, 0).exit();
  return a.instructions();
}

/** The maps of each kind. */
const MAPS = {
  ring: (size) => ({ events: { type: "ringbuf", maxEntries: size } }),
  rings: (size) =>
    Object.fromEntries(Array.from({ length: RINGS }, (_, i) => [`events${i}`, { type: "ringbuf", maxEntries: size }])),
  perf: () => ({ events: { type: "perf_event_array", maxEntries: cpus().length } }),
};

/** Loads the programs over a ring of `size` bytes, over several, or over a perf buffer. The caller closes it. */
export function loadStream(kind, size) {
  const program = (unique, type = "socket_filter") => ({
    type,
    instructions: instructions(unique, type, kind),
    license: "Dual MIT/GPL",
  });
  const object = loadObject({
    maps: { ...MAPS[kind](size), data: { type: "array", value: Data, maxEntries: 1 } },
    programs: { repeating: program(false), unique: program(true), traced: program(false, "tracepoint") },
  });
  object.maps.data.set(0, { made: 0, dropped: 0, templates: templates(), only: 0 });
  return object;
}
