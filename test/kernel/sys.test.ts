// The room that speaks to the kernel: descriptors and who owns them, mappings, memory with an address, and what is said
// when the kernel refuses.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, openSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import {
  allocate,
  effectiveCapabilities,
  explainPermission,
  Fd,
  hasCapability,
  insideUserNamespace,
  Mapping,
  native,
  openPerfEvent,
  Protection,
  pageSize,
  release,
  type Slot,
  SystemError,
  withSignalsBlocked,
} from "../../src/runtime/sys/index.ts";
import { ClosedError, createMap, openFds } from "../../src/sdk/index.ts";
import { AS_NOBODY, asNobodyWith, publicChild, run, Scratch, WITHOUT_CAPABILITIES } from "../support/cli.ts";
import { kernelTest } from "../support/kernel-test.ts";

const node = process.execPath;
const child = (name: string) => fileURLToPath(new URL(`../children/${name}.js`, import.meta.url));

interface Refusal {
  readonly message: string;
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly hint: string;
}

async function refusals(...words: readonly string[]): Promise<Record<string, Refusal | null>> {
  const { code, stdout, stderr } = await run([...words, node, child("refused")]);
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as Record<string, Refusal | null>;
}

// ---------------------------------------------------------------------------------------------------------------------
// What is said when the kernel refuses

kernelTest("EPERM names the capabilities that are missing, for each kind of thing its own", async () => {
  const { map, socket_filter, raw_tracepoint, xdp } = await refusals(...WITHOUT_CAPABILITIES);
  assert.deepEqual([map?.code, map?.errno, map?.syscall], ["EPERM", 1, "bpf(BPF_MAP_CREATE)"]);
  assert.equal(
    map?.message,
    'Cannot create map "m" (hash, keys of 4, values of 4 bytes, 1 entries): bpf(BPF_MAP_CREATE) failed with EPERM ' +
      "(operation not permitted). This process lacks CAP_BPF: run it as root, or give node the capabilities (setcap, " +
      "or AmbientCapabilities= in systemd).",
  );
  assert.match(socket_filter?.hint ?? "", /^This process lacks CAP_BPF:/);
  assert.match(raw_tracepoint?.hint ?? "", /^This process lacks CAP_BPF and CAP_PERFMON:/);
  assert.match(xdp?.hint ?? "", /^This process lacks CAP_BPF and CAP_NET_ADMIN:/);
});

kernelTest("EPERM does not name what this process has", { kernel: "5.8" }, async () => {
  using scratch = new Scratch();
  const path = publicChild(scratch, "refused");
  const { code, stdout, stderr } = await run([...asNobodyWith("bpf"), node, path]);
  assert.equal(code, 0, stderr);
  const { map, socket_filter, raw_tracepoint, xdp } = JSON.parse(stdout) as Record<string, Refusal | null>;
  assert.deepEqual([map, socket_filter], [null, null]);
  assert.match(raw_tracepoint?.hint ?? "", /^This process lacks CAP_PERFMON:/);
  assert.match(xdp?.hint ?? "", /^This process lacks CAP_NET_ADMIN:/);
  const nobody = await run([...AS_NOBODY, node, path]);
  assert.match((JSON.parse(nobody.stdout) as Record<string, Refusal>)["map"]?.hint ?? "", /lacks CAP_BPF:/);
});

kernelTest("EPERM asserts no cause when no capability is missing", () => {
  const text = explainPermission(["CAP_BPF", "CAP_PERFMON"]);
  assert.match(text, /^No needed capability \(CAP_BPF, CAP_PERFMON\) is missing\./);
  for (const cause of ["lockdown", "security module", "seccomp", "unprivileged_bpf_disabled", "locked memory"]) {
    assert.ok(text.includes(cause), cause);
  }
  assert.match(text, /may refuse it; which one is not known\.$/);
  assert.ok(!text.includes("user namespace"));
});

kernelTest("EPERM in a user namespace says that capabilities do not count there", { command: "unshare" }, async (t) => {
  const possible = await run(["unshare", "--user", "--map-root-user", "true"]);
  if (possible.code !== 0) return t.skip(`no user namespace can be made here: ${possible.stderr.trim()}`);
  const { map } = await refusals("unshare", "--user", "--map-root-user");
  assert.match(
    map?.hint ?? "",
    /^No needed capability \(CAP_BPF\) is missing\. This process is inside a user namespace,/,
  );
  return undefined;
});

kernelTest("EPERM without /proc says that it does not know", { command: "unshare" }, async () => {
  const command = [...WITHOUT_CAPABILITIES, node, child("refused")].join(" ");
  const { stdout } = await run(["unshare", "--mount", "sh", "-c", `mount -t tmpfs none /proc && exec ${command}`]);
  const { map } = JSON.parse(stdout) as Record<string, Refusal>;
  assert.equal(map?.hint, "It needs CAP_BPF; /proc is not readable, so which one is missing is not known.");
});

kernelTest("perf events that are refused name CAP_PERFMON and the sysctl", { kernel: "5.8" }, async () => {
  using scratch = new Scratch();
  const { stdout } = await run([...AS_NOBODY, node, publicChild(scratch, "refused")]);
  const { perf } = JSON.parse(stdout) as Record<string, Refusal>;
  assert.equal(perf?.syscall, "perf_event_open");
  assert.match(perf?.message ?? "", /^Cannot open clock of CPU 0: perf_event_open failed with (EACCES|EPERM)/);
  assert.match(perf?.hint ?? "", /lacks CAP_PERFMON/);
  if (perf?.code === "EACCES") assert.match(perf.hint, /kernel\.perf_event_paranoid/);
});

kernelTest("a perf event that the kernel does not have is no question of rights", () => {
  assert.throws(
    () => openPerfEvent({ type: "tracepoint", config: 0xffffff, pid: 0, cpu: -1 }, "no tracepoint"),
    (error: unknown) => error instanceof SystemError && error.syscall === "perf_event_open" && error.hint === undefined,
  );
});

kernelTest("capabilities are those that /proc tells", () => {
  const hex = /^CapEff:\s*(\w+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
  assert.equal(effectiveCapabilities(), BigInt(`0x${hex}`));
  assert.equal(hasCapability("CAP_BPF", 1n << 39n), true);
  assert.equal(hasCapability("CAP_BPF", ~(1n << 39n)), false);
  assert.equal(hasCapability("CAP_BPF", 0n), false);
  assert.equal(insideUserNamespace(), false);
});

// ---------------------------------------------------------------------------------------------------------------------
// Descriptors

function open(path: string, what = `file ${path}`): Fd {
  return new Fd(openSync(path, "r"), what);
}

kernelTest("a descriptor has one owner: closed once, and never somebody else's", () => {
  const first = open("/dev/null");
  const { number } = first;
  assert.equal(readlinkSync(`/proc/self/fd/${number}`), "/dev/null");
  first.close();
  assert.equal(first.closed, true);
  // The kernel gives the number out again; the second close must leave it alone.
  using second = open("/dev/zero");
  assert.equal(second.number, number);
  first.close();
  first[Symbol.dispose]();
  assert.equal(readlinkSync(`/proc/self/fd/${number}`), "/dev/zero");
});

kernelTest("a closed descriptor says what it was", () => {
  const fd = open("/dev/null", 'map "counts"');
  fd.close();
  assert.throws(
    () => fd.number,
    (error: unknown) => {
      assert.ok(error instanceof ClosedError);
      assert.equal(error.code, "SKEP_CLOSED");
      assert.match(error.message, /^map "counts" is closed/);
      return true;
    },
  );
  assert.throws(() => fd.duplicate(), ClosedError);
});

kernelTest("a duplicate is a descriptor of its own, closed on exec", () => {
  using scratch = new Scratch();
  writeFileSync(scratch.file("f"), "text");
  const first = open(scratch.file("f"));
  using second = first.duplicate();
  assert.notEqual(second.number, first.number);
  first.close();
  assert.equal(readFileSync(second.number, "utf8"), "text");
  assert.match(readFileSync(`/proc/self/fdinfo/${second.number}`, "latin1"), /^flags:\s+02\d{6}$/m);
});

kernelTest("`using` closes at the end of its scope, also when that is left by an exception", () => {
  let number = -1;
  assert.throws(() => {
    using fd = open("/dev/null");
    number = fd.number;
    throw new Error("out");
  }, /out/);
  assert.ok(!existsSync(`/proc/self/fd/${number}`) || readlinkSync(`/proc/self/fd/${number}`) !== "/dev/null");
});

kernelTest("an open descriptor is in the book, with the place where it was made", () => {
  const before = openFds().length;
  const fd = makeOneHere();
  const entries = openFds().filter((entry) => entry.what === "a thing for the book");
  assert.equal(openFds().length, before + 1);
  assert.equal(entries.length, 1);
  assert.equal(entries[0]?.fd, fd.number);
  assert.match(entries[0]?.stack ?? "", /a thing for the book \(fd \d+\) was made here[\s\S]*makeOneHere/);
  fd.close();
  assert.equal(openFds().length, before);
});

function makeOneHere(): Fd {
  return open("/dev/null", "a thing for the book");
}

kernelTest("a test that leaks a descriptor fails and says where it was made", async () => {
  const { code, stdout } = await run([node, "--enable-source-maps", "--test-reporter=tap", child("leak")]);
  assert.equal(code, 1);
  assert.match(stdout, /not ok 1 - leaks/);
  assert.match(stdout, /1 file descriptors are left open/);
  assert.match(stdout, /map "left behind" \(fd \d+\) was made here/);
  assert.match(stdout, /children\/leak\.ts:\d+/);
  assert.match(stdout, /ok 2 - does not leak/);
});

// ---------------------------------------------------------------------------------------------------------------------
// Mappings

kernelTest("a mapping outlives its descriptor; closed, its views are empty and it throws", () => {
  using map = createMap({ type: "array", keySize: 4, valueSize: 8, maxEntries: 512, flags: 1 << 10 }, "mapped");
  const fd = map.fd.duplicate();
  const mapping = new Mapping(fd, pageSize(), Protection.read | Protection.write, 0, "memory of a map");
  fd.close();
  const bytes = new Uint8Array(mapping.buffer);
  bytes[8] = 77;
  assert.equal(map.getRaw(Uint8Array.of(1, 0, 0, 0))?.[0], 77);
  mapping.close();
  assert.deepEqual([bytes.length, bytes[8]], [0, undefined]);
  assert.throws(() => mapping.buffer, /^ClosedError: memory of a map is closed/);
  mapping.close();
  mapping[Symbol.dispose]();
});

kernelTest("what cannot be mapped is an error that says what", () => {
  using fd = open("/dev/null");
  assert.throws(
    () => new Mapping(fd, pageSize(), Protection.read, 0, "nothing"),
    /^SystemError: Cannot map nothing: mmap failed with ENODEV/,
  );
  assert.throws(() => new Mapping(fd, 0, Protection.read, 0, "nothing"), /mmap failed with EINVAL|length/);
});

kernelTest("a page is as large as the system says", () => {
  assert.equal(pageSize(), Number(execFileSync("getconf", ["PAGESIZE"], { encoding: "utf8" })));
});

// ---------------------------------------------------------------------------------------------------------------------
// Memory with an address

kernelTest("slots of the arena never overlap, are aligned and zeroed", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.boolean()), { maxLength: 60 }), (steps) => {
      const held: Slot[] = [];
      for (const [size, give] of steps) {
        if (give && held.length > 0) release(held.shift() as Slot);
        const slot = allocate(size);
        assert.equal(slot.address % 8, 0);
        assert.ok(slot.size >= size);
        const bytes = slot.memory.u8.subarray(slot.offset, slot.offset + slot.size);
        assert.ok(bytes.every((byte) => byte === 0));
        bytes.fill(0xff);
        for (const other of held) {
          assert.ok(slot.address + slot.size <= other.address || other.address + other.size <= slot.address);
        }
        held.push(slot);
      }
      for (const slot of held) release(slot);
    }),
    { numRuns: 200 },
  );
});

kernelTest("a slot larger than the arena has memory of its own, with the right address", () => {
  const slot = allocate(4 << 20);
  assert.ok(slot.memory.u8.length - slot.offset >= 4 << 20);
  using fd = open("/dev/zero");
  slot.memory.u8.fill(1);
  // read(2): the kernel writes to the address, and the bytes change under our eyes.
  const READ = process.arch === "arm64" ? 63 : 0;
  assert.equal(native().syscall(READ, fd.number, slot.address + 100, 50), 50);
  assert.deepEqual([slot.memory.u8[99], slot.memory.u8[100], slot.memory.u8[149], slot.memory.u8[150]], [1, 0, 0, 1]);
  release(slot);
});

kernelTest("closing a map twice does not give its memory out twice", () => {
  const spec = { type: "hash", keySize: 8, valueSize: 8, maxEntries: 8 } as const;
  const gone = createMap(spec, "gone");
  gone.close();
  gone.close();
  using a = createMap(spec, "a");
  using b = createMap(spec, "b");
  const key = (n: number) => Uint8Array.of(n, 0, 0, 0, 0, 0, 0, 0);
  a.setRaw(key(1), key(11));
  b.setRaw(key(2), key(22));
  assert.equal(a.getRaw(key(1))?.[0], 11);
  assert.equal(b.getRaw(key(2))?.[0], 22);
  assert.equal(a.getRaw(key(2)), undefined);
});

// ---------------------------------------------------------------------------------------------------------------------
// Limits and signals

kernelTest("the limit of locked memory is lifted where that is allowed, and once", { command: "prlimit" }, async () => {
  const { code, stdout, stderr } = await run(["prlimit", "--memlock=65536:65536", node, child("memlock")]);
  assert.equal(code, 0, stderr);
  const { before, made, raised, after } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual(before, ["65536", "65536"]);
  const may = hasCapability("CAP_SYS_RESOURCE");
  assert.deepEqual(after, may ? ["unlimited", "unlimited"] : before);
  // At most one of the three occasions changed it: the map's creation on an old kernel, or the first call.
  assert.equal((raised as boolean[])[1], false);
  if (may) assert.equal(made, true);
});

kernelTest("signals held back for a call are let through again", () => {
  const blocked = () =>
    BigInt(`0x${/^SigBlk:\s*(\w+)/m.exec(readFileSync("/proc/thread-self/status", "latin1"))?.[1]}`);
  const before = blocked();
  const during = withSignalsBlocked(() => blocked());
  assert.equal(blocked(), before);
  for (const signal of [10, 12, 14, 15]) assert.ok((during & (1n << BigInt(signal - 1))) !== 0n, String(signal));
  // Faults and what cannot be blocked stay.
  for (const signal of [9, 11, 19]) assert.ok((during & (1n << BigInt(signal - 1))) === 0n, String(signal));
  assert.throws(
    () =>
      withSignalsBlocked(() => {
        throw new Error("inside");
      }),
    /inside/,
  );
  assert.equal(blocked(), before);
});
