// Attachments to programs: uprobes, and samples of what runs. Each test first shows that nothing happens without.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { findSymbols, type SymbolPlace } from "../../src/object/elf/index.ts";
import { addressesInProcess } from "../../src/runtime/link/process-maps.ts";
import { native } from "../../src/runtime/sys/index.ts";
import {
  type Assembler,
  attachPerfEvent,
  attachUprobe,
  attachUprobeMulti,
  attachUretprobe,
  type Link,
  loadObject,
  type Program,
  r0,
  r1,
  r6,
  r7,
} from "../../src/sdk/index.ts";
import { type Counting, countingObject } from "../support/attach-programs.ts";
import { conversation } from "../support/conversation.ts";
import { fixture } from "../support/fixture.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";

const path = fixture("probed");
const symbol = "probed";

/** Where the function is in the file. */
function place(): SymbolPlace {
  const read = (at: number, length: number) => readFileSync(path).subarray(at, at + length);
  const found = findSymbols(read, new Set([symbol])).get(symbol);
  assert.ok(found !== undefined);
  return found;
}

/** Not filtered by process in the program: a probe of one process, in a file that only the tests run. */
async function showsProbed(
  options: Omit<Counting, "type">,
  attach: (program: Program, pid: number) => Link,
): Promise<void> {
  using object = loadObject(countingObject({ type: "kprobe", own: false, ...options }));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  await conversation([path], async (pid, say) => {
    const call = () => say("");
    await call();
    assert.equal(count(), 0, "nothing is counted before it is attached");
    const link = attach(object.programs.p, pid);
    await call();
    await call();
    link.close();
    assert.equal(count(), 2, "every call is counted while it is attached");
    await call();
    assert.equal(count(), 2, "nothing is counted after it is closed");
  });
}

/** struct pt_regs: the first argument, and the result. */
const [ARGUMENT, RESULT] = process.arch === "arm64" ? [0, 0] : [112, 80];

kernelTest("attach: uprobe sees the argument", { attach: "uprobes" }, async () => {
  // The first call has number 1, the next two 2 and 3.
  const when = (a: Assembler) => {
    a.load("u64", r7, r6, ARGUMENT).jlt(r7, 2, "out").jgt(r7, 3, "out");
  };
  await showsProbed({ when }, (program, pid) => attachUprobe(program, { path, symbol, pid }));
});

kernelTest("attach: uretprobe sees the result", { attach: "uprobes" }, async () => {
  const when = (a: Assembler) => {
    a.load("u64", r7, r6, RESULT).jlt(r7, 4, "out").jgt(r7, 6, "out");
  };
  await showsProbed({ when }, (program, pid) => attachUretprobe(program, { path, symbol, pid }));
});

kernelTest(
  "attach: uprobe with a cookie, and by its place in the file",
  { attach: "uprobes", kernel: "5.15" },
  async () => {
    const when = (a: Assembler) => {
      a.mov(r1, r6).call("get_attach_cookie").jne(r0, 4711, "out");
    };
    await showsProbed({ when }, (program, pid) => attachUprobe(program, { path, symbol, pid, cookie: 4711n }));
    const { fileOffset: offset } = place();
    await showsProbed({ when }, (program, pid) => attachUprobe(program, { path, offset, pid, cookie: 4711n }));
  },
);

const tracing = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"].find((root) => existsSync(`${root}/events`));
const tracefs = tracing === undefined ? "tracefs is not mounted" : undefined;

kernelTest(
  "attach: uprobe and uretprobe through tracefs, which keeps nothing of them",
  { attach: "uprobes", unless: tracefs },
  async () => {
    const through = "tracefs";
    await showsProbed({}, (program, pid) => attachUprobe(program, { path, symbol, pid, through }));
    await showsProbed({}, (program, pid) => attachUretprobe(program, { path, symbol, pid, through }));
    assert.ok(!readFileSync(`${tracing}/uprobe_events`, "latin1").includes(`skep/p${process.pid}_`));
  },
);

kernelTest("attach: uprobe for every process that runs the file", { attach: "uprobes" }, async () => {
  await showsProbed({}, (program) => attachUprobe(program, { path, symbol }));
});

kernelTest("attach: uprobe.multi", { attach: "uprobe.multi" }, async () => {
  const expectedAttachType = "trace_uprobe_multi";
  await showsProbed({ expectedAttachType }, (program, pid) =>
    attachUprobeMulti(program, { path, symbols: [symbol], pid }),
  );
});

kernelTest("attach: uprobe with a program that was loaded for many places", { attach: "uprobe.multi" }, async () => {
  await showsProbed({ expectedAttachType: "trace_uprobe_multi" }, (program, pid) =>
    attachUprobe(program, { path, symbol, pid }),
  );
});

kernelTest("attach: uprobe.multi to all functions that fit a pattern", { attach: "uprobe.multi" }, async () => {
  const expectedAttachType = "trace_uprobe_multi";
  await showsProbed({ expectedAttachType }, (program, pid) => {
    const link = attachUprobeMulti(program, { path, pattern: "prob?d", pid });
    assert.deepEqual(link.functions, [symbol]);
    return link;
  });
  using object = loadObject(countingObject({ type: "kprobe", expectedAttachType }));
  assert.throws(() => attachUprobeMulti(object.programs.p, { path, pattern: ["no_such_*", "nor_*"] }), {
    code: "SKEP_SYMBOL",
    message: /has no function in its symbol tables that fits no_such_\*, nor_\*/,
  });
});

kernelTest("attach: uprobe.multi at the returns, with cookies", { attach: "uprobe.multi" }, async () => {
  const when = (a: Assembler) => {
    a.mov(r1, r6).call("get_attach_cookie").jne(r0, 9, "out").load("u64", r7, r6, RESULT).jlt(r7, 4, "out");
  };
  await showsProbed({ expectedAttachType: "trace_uprobe_multi", when }, (program, pid) =>
    attachUprobeMulti(program, { path, symbols: ["main", symbol], cookies: [8n, 9n], isReturn: true, pid }),
  );
});

kernelTest("a function that a program does not have is named", { attach: "uprobes" }, () => {
  using object = loadObject(countingObject({ type: "kprobe" }));
  assert.throws(() => attachUprobe(object.programs.p, { path, symbol: "not_there" }), {
    code: "SKEP_SYMBOL",
    message: /has no function not_there in its symbol tables/,
  });
  assert.throws(() => attachUprobe(object.programs.p, { path: "/dev/null", symbol }), { code: "SKEP_ELF" });
});

kernelTest("attach: perf sampling of this process", { attach: "perf events" }, () => {
  using object = loadObject(countingObject({ type: "perf_event" }));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  const burn = (ms: number) => {
    let sum = 0;
    for (const end = performance.now() + ms; performance.now() < end; ) for (let i = 0; i < 1e4; i++) sum += i;
    return sum;
  };
  burn(50);
  assert.equal(count(), 0, "no sample before it is attached");
  const link = attachPerfEvent(object.programs.p, { event: "cpuClock", frequency: 997, pid: process.pid });
  for (let tries = 0; tries < 50 && count() < 5; tries++) burn(100);
  link.close();
  const sampled = count();
  assert.ok(sampled >= 5, `${sampled} samples`);
  burn(50);
  assert.equal(count(), sampled, "no sample after it is closed");
});

kernelTest("attach: a breakpoint sees who writes to an address", { attach: "perf events" }, () => {
  using object = loadObject(countingObject({ type: "perf_event" }));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  const memory = new Int32Array(new ArrayBuffer(64));
  const address = BigInt(native().addressOf(memory));
  const write = (times: number) => {
    for (let i = 0; i < times; i++) Atomics.add(memory, 0, 1);
  };
  write(3);
  const event = { breakpoint: address, access: "write", length: 4 } as const;
  const link = attachPerfEvent(object.programs.p, { event, pid: process.pid });
  write(5);
  Atomics.add(memory, 1, 1);
  Atomics.load(memory, 0);
  link.close();
  assert.equal(count(), 5);
  write(3);
  assert.equal(count(), 5);
  const attach = (more: object) =>
    attachPerfEvent(object.programs.p, { event: { ...event, ...more }, pid: process.pid });
  assert.throws(() => attach({ breakpoint: address + 1n }), { code: "EINVAL", message: /no multiple of the length/ });
  assert.throws(() => attach({ access: "both" }), { name: "RangeError", message: /no access "both".*read, write, / });
});

kernelTest("attach: breakpoints for reading and writing, and at a function", { attach: "perf events" }, async () => {
  using object = loadObject(countingObject({ type: "perf_event", own: false }));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  const memory = new Int32Array(new ArrayBuffer(64));
  const both = { breakpoint: BigInt(native().addressOf(memory)), access: "read-write" } as const;
  const accesses = () => {
    const before = count();
    using _link = attachPerfEvent(object.programs.p, { event: both, pid: process.pid });
    for (let i = 0; i < 4; i++) Atomics.load(memory, 0);
    for (let i = 0; i < 4; i++) Atomics.store(memory, 0, i);
    return count() - before;
  };
  // An emulated processor that is interrupted in the midst of an access tells of it again.
  let seen = accesses();
  for (let tries = pace(0, 9); seen !== 8 && tries > 0; tries--) seen = accesses();
  assert.equal(seen, 8);
  await conversation([path], async (pid, say) => {
    await say("");
    const [breakpoint] = addressesInProcess(pid, path, place().fileOffset);
    assert.ok(breakpoint !== undefined);
    using _link = attachPerfEvent(object.programs.p, { event: { breakpoint, access: "execute" }, pid });
    const before = count();
    await say("");
    await say("");
    assert.equal(count() - before, 2);
  });
});

kernelTest("attach: perf counters by name; a machine without says so", { attach: "perf events" }, () => {
  using object = loadObject(countingObject({ type: "perf_event" }));
  const program = object.programs.p;
  // Whether there are counters is the machine's: it has them, or says that it has none.
  for (const event of ["cycles", { cache: "ll", result: "miss" }] as const) {
    let refusal: unknown;
    try {
      attachPerfEvent(program, { event, period: 100_000, pid: process.pid }).close();
    } catch (error) {
      refusal = error;
    }
    const hasCounters = existsSync("/sys/bus/event_source/devices/cpu");
    assert.equal(refusal === undefined, hasCounters);
    if (refusal !== undefined) {
      assert.match((refusal as Error).message, /ENOENT.*no counters of its processor.*sample with cpuClock/);
      assert.match((refusal as Error).message, event === "cycles" ? /perf event cycles/ : /perf event ll read miss/);
    }
  }
  assert.throws(() => attachPerfEvent(program, { event: "cycels" as never }), {
    name: "RangeError",
    message: /cycles/,
  });
  const cache = { cache: "l4" } as never;
  assert.throws(() => attachPerfEvent(program, { event: cache }), {
    name: "RangeError",
    message: /no cache "l4".*l1d/,
  });
});

kernelTest("attach: page faults of this process are counted one by one", { attach: "perf events" }, () => {
  using object = loadObject(countingObject({ type: "perf_event" }));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  const link = attachPerfEvent(object.programs.p, { event: "pageFaults", period: 1, pid: process.pid });
  const pages = 64;
  // Fresh memory, each page of which is a fault when it is first written to.
  const PRIVATE_ANONYMOUS = 0x22;
  const memory = native().mmap(pages * 4096, 3, PRIVATE_ANONYMOUS, -1, 0);
  assert.ok(memory instanceof ArrayBuffer);
  const bytes = new Uint8Array(memory);
  const before = count();
  for (let i = 0; i < bytes.length; i += 4096) bytes[i] = 1;
  const faults = count() - before;
  link.close();
  native().munmap(memory);
  assert.ok(faults >= pages, `${faults} faults`);
});
