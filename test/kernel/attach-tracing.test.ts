// Attachments that trace: each test first shows that nothing is counted without the attachment, then that it is with it,
// then that closing ends it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { traceableFunctions } from "../../src/runtime/link/traceable-functions.ts";
import { kernelAddresses } from "../../src/runtime/sys/index.ts";
import {
  Assembler,
  attachKprobe,
  attachKprobeMulti,
  attachKretprobe,
  attachKretsyscall,
  attachKsyscall,
  attachRawTracepoint,
  attachTracing,
  type Link,
  loadObject,
  type ObjectSpec,
  type Program,
  r0,
  r1,
  r6,
  r7,
  syscallFunction,
} from "../../src/sdk/index.ts";
import { type Counting, countingObject, GETPGID_FUNCTION } from "../support/attach-programs.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { callGetpgid } from "../support/probe-programs.ts";

/** Calls getpgid(2) without, with and again without the attachment, and compares the counts. */
function showsCalls(options: Counting, attach: (program: Program) => Link, each = 1): void {
  using object = loadObject(countingObject(options));
  const count = () => Number(object.maps.counts.get(0)?.[0]);
  callGetpgid(3);
  assert.equal(count(), 0, "nothing is counted before it is attached");
  const link = attach(object.programs.p);
  callGetpgid(5);
  link.close();
  assert.equal(count(), 5 * each, "every call is counted while it is attached");
  callGetpgid(3);
  assert.equal(count(), 5 * each, "nothing is counted after it is closed");
}

const kprobe = { attach: "kprobes", config: "CONFIG_KPROBE_EVENTS" } as const;
/** rax / x0 in struct pt_regs. */
const RESULT = process.arch === "arm64" ? 0 : 80;

/** Counts only where the process group that getpgid returned is positive. */
const resultIsPositive = (a: Assembler) => {
  a.load("u64", r7, r6, RESULT).jsle(r7, 0, "out");
};

kernelTest("attach: kprobe", kprobe, () => {
  showsCalls({ type: "kprobe" }, (program) => attachKprobe(program, GETPGID_FUNCTION));
});

kernelTest("attach: kretprobe sees the result", kprobe, () => {
  showsCalls({ type: "kprobe", when: resultIsPositive }, (program) => attachKretprobe(program, GETPGID_FUNCTION));
});

kernelTest("attach: kprobe and kretprobe through tracefs, which keeps nothing of them", kprobe, () => {
  const through = "tracefs";
  showsCalls({ type: "kprobe" }, (program) => attachKprobe(program, GETPGID_FUNCTION, { through }));
  showsCalls({ type: "kprobe", when: resultIsPositive }, (program) =>
    attachKretprobe(program, GETPGID_FUNCTION, { through }),
  );
});

kernelTest("attach: kprobe inside of a function", kprobe, () => {
  // Which bytes begin an instruction is the kernel's to know: it takes no others.
  const taken: number[] = [];
  for (let offset = 1; offset <= 8; offset++) {
    try {
      showsCalls({ type: "kprobe" }, (program) => attachKprobe(program, GETPGID_FUNCTION, { offset }));
      taken.push(offset);
    } catch (error) {
      assert.match((error as { code?: string }).code ?? String(error), /^(EILSEQ|EINVAL)$/);
    }
  }
  assert.ok(taken.length > 0 && taken.length < 8, String(taken));
});

kernelTest("attach: kprobe with a cookie", { ...kprobe, kernel: "5.15" }, () => {
  const when = (a: Assembler) => {
    a.mov(r1, r6).call("get_attach_cookie").jne(r0, 4711, "out");
  };
  showsCalls({ type: "kprobe", when }, (program) => attachKprobe(program, GETPGID_FUNCTION, { cookie: 4711n }));
});

kernelTest("a kprobe on a function that is not there says so", kprobe, () => {
  using object = loadObject(countingObject({ type: "kprobe" }));
  assert.throws(() => attachKprobe(object.programs.p, "no_such_function_of_the_kernel"), {
    code: "ENOENT",
    message:
      /Cannot attach program "p" to kprobe no_such_function_of_the_kernel: .*no such function that can be probed/,
  });
});

kernelTest("attach: kprobe.multi", { attach: "kprobe.multi", config: "CONFIG_FPROBE" }, () => {
  const options = { type: "kprobe", expectedAttachType: "trace_kprobe_multi" } as const;
  showsCalls(options, (program) => attachKprobeMulti(program, { symbols: [GETPGID_FUNCTION, "vfs_open"] }));
  showsCalls({ ...options, when: resultIsPositive }, (program) =>
    attachKprobeMulti(program, { symbols: [GETPGID_FUNCTION], isReturn: true }),
  );
});

kernelTest(
  "attach: kprobe.multi with a cookie for each function",
  { attach: "kprobe.multi", config: "CONFIG_FPROBE" },
  () => {
    const when = (a: Assembler) => {
      a.mov(r1, r6).call("get_attach_cookie").jne(r0, 7, "out");
    };
    const options = { type: "kprobe", expectedAttachType: "trace_kprobe_multi", when } as const;
    const symbols = ["vfs_open", GETPGID_FUNCTION];
    showsCalls(options, (program) => attachKprobeMulti(program, { symbols, cookies: [6n, 7n] }));
  },
);

kernelTest(
  "attach: kprobe.multi to all functions that fit a pattern",
  { attach: "kprobe.multi", config: "CONFIG_FPROBE" },
  () => {
    const options = { type: "kprobe", expectedAttachType: "trace_kprobe_multi" } as const;
    const pattern = GETPGID_FUNCTION.replace("getpgid", "getpg[a-z]d");
    showsCalls(options, (program) => {
      const link = attachKprobeMulti(program, { pattern });
      assert.deepEqual([link.functions, link.leftOut], [[GETPGID_FUNCTION], []]);
      return link;
    });
    // Many at once, of which one is called.
    showsCalls(options, (program) => {
      const link = attachKprobeMulti(program, { pattern: [GETPGID_FUNCTION.replace("getpgid", "get*"), "no_such_*"] });
      assert.ok(link.functions.length > 20 && link.functions.includes(GETPGID_FUNCTION), String(link.functions));
      return link;
    });
    using object = loadObject(countingObject(options));
    assert.throws(() => attachKprobeMulti(object.programs.p, { pattern: "no_such_*" }), {
      code: "SKEP_TRACEPOINT",
      message: /No function of this kernel that can be probed fits no_such_\*/,
    });
    assert.throws(() => attachKprobeMulti(object.programs.p, { pattern: "vfs_*", symbols: ["vfs_open"] }), TypeError);
    assert.throws(() => attachKprobeMulti(object.programs.p, { symbols: ["no_such_function"] }), { code: "ESRCH" });
  },
);

// Before Linux 6.5 names and addresses come from two lists.
const functionList = ["/sys/kernel/tracing", "/sys/kernel/debug/tracing"].some((root) =>
  existsSync(`${root}/available_filter_functions`),
);
kernelTest(
  "functions that can be probed are listed with their addresses",
  { unless: functionList ? undefined : "tracefs has no list of functions here" },
  () => {
    const { functions, unclear } = traceableFunctions((name) => name === GETPGID_FUNCTION || name === "vfs_open");
    assert.deepEqual(unclear, []);
    const expected = kernelAddresses(new Set([GETPGID_FUNCTION, "vfs_open"]));
    const near = functions.map(({ name, address }) => [name, Number(address - (expected.get(name) ?? 0n))] as const);
    assert.deepEqual(new Set(near.map(([name]) => name)), new Set([GETPGID_FUNCTION, "vfs_open"]));
    // The place of the call that tracing patches may stand behind the function's first instruction.
    for (const [name, distance] of near) assert.ok(distance >= 0 && distance <= 16, `${name}: ${distance}`);
    const many = traceableFunctions((name) => name.startsWith("vfs_")).functions;
    assert.ok(many.length > 50 && many.every(({ address }) => address > 0n), String(many.length));
  },
);

kernelTest("attach: ksyscall and kretsyscall by the call's name", kprobe, () => {
  showsCalls({ type: "kprobe" }, (program) => attachKsyscall(program, "getpgid"));
  showsCalls({ type: "kprobe", when: resultIsPositive }, (program) => attachKretsyscall(program, "getpgid"));
});

kernelTest("a system call's function is found whatever its prefix is", () => {
  assert.equal(syscallFunction("getpgid"), GETPGID_FUNCTION);
  assert.throws(() => syscallFunction("sys_getpgid"), {
    code: "SKEP_TRACEPOINT",
    message: /no function for a system call "sys_getpgid".*give the name without sys_/,
  });
});

kernelTest("attach: fentry", { attach: "fentry" }, () => {
  showsCalls({ type: "tracing", expectedAttachType: "trace_fentry", attachTo: GETPGID_FUNCTION }, attachTracing);
});

kernelTest("attach: fexit sees the result", { attach: "fexit" }, () => {
  // The arguments (one: the registers), then the result.
  const when = (a: Assembler) => {
    a.load("u64", r7, r6, 8).jsle(r7, 0, "out");
  };
  showsCalls({ type: "tracing", expectedAttachType: "trace_fexit", attachTo: GETPGID_FUNCTION, when }, attachTracing);
});

kernelTest("attach: fentry with a cookie", { attach: "fentry", kernel: "6.0" }, () => {
  const when = (a: Assembler) => {
    a.mov(r1, r6).call("get_attach_cookie").jne(r0, 7, "out");
  };
  showsCalls({ type: "tracing", expectedAttachType: "trace_fentry", attachTo: GETPGID_FUNCTION, when }, (program) =>
    attachTracing(program, { cookie: 7n }),
  );
});

kernelTest("attach: tp_btf", { attach: "tp_btf" }, () => {
  const GETPGID = process.arch === "arm64" ? 155 : 121;
  const when = (a: Assembler) => {
    a.load("u64", r7, r6, 8).jne(r7, GETPGID, "out");
  };
  showsCalls({ type: "tracing", expectedAttachType: "trace_raw_tp", attachTo: "sys_enter", when }, attachTracing);
});

kernelTest("a target that the kernel's types do not have is named", { attach: "tp_btf" }, () => {
  const object = countingObject({
    type: "tracing",
    expectedAttachType: "trace_raw_tp",
    attachTo: "no_such_tracepoint",
  });
  assert.throws(() => loadObject(object), {
    code: "SKEP_OBJECT",
    message: /Program "p" attaches to tracepoint no_such_tracepoint, which this kernel's types do not have/,
  });
});

kernelTest("attach: raw_tp.w changes what its tracepoint hands on", { program: "raw_tracepoint_writable" }, () => {
  // bpf_test_finish hands on the result of a test run (include/trace/events/bpf_test_run.h).
  const ENOTTY = 25;
  const a = new Assembler();
  a.mov(r6, r1).call("get_current_pid_tgid").rsh(r0, 32).jne(r0, process.pid, "out");
  a.load("u64", r7, r6, 0).store("u32", r7, 0, -ENOTTY);
  a.label("out").mov(r0, 0).exit();
  const pass = new Assembler().mov(r0, 2).exit().instructions();
  const spec = {
    maps: {},
    programs: {
      p: { type: "raw_tracepoint_writable", license: "GPL", instructions: a.instructions() },
      tested: { type: "xdp", license: "GPL", instructions: pass },
    },
  } as const satisfies ObjectSpec;
  using object = loadObject(spec);
  const test = () => object.programs.tested.testRun({ data: new Uint8Array(64) }).retval;
  assert.equal(test(), 2);
  const link = attachRawTracepoint(object.programs.p, "bpf_test_finish");
  assert.throws(test, { code: "ENOTTY" });
  link.close();
  assert.equal(test(), 2);
});

kernelTest("attach: bpf_send_signal", async () => {
  // On raw tracepoint sys_enter: each getpgid of this process gets it a signal.
  const GETPGID = process.arch === "arm64" ? 155 : 121;
  const SIGUSR2 = 12;
  const a = new Assembler();
  a.load("u64", r7, r1, 8).call("get_current_pid_tgid").rsh(r0, 32).jne(r0, process.pid, "out").jne(r7, GETPGID, "out");
  a.mov(r1, SIGUSR2).call("send_signal").label("out").mov(r0, 0).exit();
  const spec = {
    maps: {},
    programs: { p: { type: "raw_tracepoint", license: "GPL", instructions: a.instructions() } },
  } as const satisfies ObjectSpec;
  using object = loadObject(spec);
  let signals = 0;
  const seen = () => void signals++;
  process.on("SIGUSR2", seen);
  try {
    callGetpgid(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(signals, 0, "no signal without the attachment");
    const link = object.programs.p.attachRawTracepoint("sys_enter");
    // Listening for a signal does not keep Node alive.
    const alive = setInterval(() => {}, 1000);
    const arrived = once(process, "SIGUSR2");
    callGetpgid(1);
    link.close();
    await arrived;
    clearInterval(alive);
    assert.equal(signals, 1);
    callGetpgid(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(signals, 1, "no signal after it is closed");
  } finally {
    process.off("SIGUSR2", seen);
  }
});
