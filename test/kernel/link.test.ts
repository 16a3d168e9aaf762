// Attachments: what counts while they last, and that nothing is attached afterwards.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { BpfAttr, Fd } from "../../src/runtime/sys/index.ts";
import { Assembler, ClosedError, loadObject, r0, SystemError } from "../../src/sdk/index.ts";
import { environment } from "../support/cli.ts";
import { fixture } from "../support/fixture.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { runWithMount } from "../support/mounts.ts";
import { callGetpgid, counterMap, countingProgram } from "../support/probe-programs.ts";

const counting = () => ({ maps: { counts: counterMap }, programs: { p: countingProgram() } }) as const;

kernelTest("a raw tracepoint's program runs while it is attached, not before and not after", () => {
  using object = loadObject(counting());
  const count = () => object.maps.counts.get(0)?.[0];
  callGetpgid(5);
  assert.equal(count(), 0n);
  const link = object.programs.p.attachRawTracepoint("sys_enter");
  assert.equal(link.description, "raw tracepoint sys_enter");
  callGetpgid(7);
  assert.equal(count(), 7n);
  link.close();
  callGetpgid(5);
  assert.equal(count(), 7n);
  link.close();
  link[Symbol.dispose]();
});

kernelTest("the link keeps a program running whose descriptor is closed", () => {
  using object = loadObject(counting());
  using link = object.programs.p.attachRawTracepoint("sys_enter");
  object.programs.p.close();
  callGetpgid(4);
  assert.equal(object.maps.counts.get(0)?.[0], 4n);
  link.close();
  callGetpgid(4);
  assert.equal(object.maps.counts.get(0)?.[0], 4n);
});

// Before, the kernel refuses the same program a second time: EEXIST.
kernelTest("a program can be attached twice; each attachment is closed by itself", { kernel: "6.10" }, () => {
  using object = loadObject(counting());
  const one = object.programs.p.attachRawTracepoint("sys_enter");
  const two = object.programs.p.attachRawTracepoint("sys_enter");
  callGetpgid(5);
  assert.equal(object.maps.counts.get(0)?.[0], 10n);
  one.close();
  callGetpgid(5);
  assert.equal(object.maps.counts.get(0)?.[0], 15n);
  two.close();
  callGetpgid(5);
  assert.equal(object.maps.counts.get(0)?.[0], 15n);
});

kernelTest("a raw tracepoint that is not there is named, with how to write it", () => {
  using object = loadObject(counting());
  for (const name of ["no_such_event", "syscalls:sys_enter", ""]) {
    assert.throws(
      () => object.programs.p.attachRawTracepoint(name),
      (error: unknown) => {
        assert.ok(error instanceof SystemError, String(error));
        assert.equal(error.code, "ENOENT");
        assert.match(error.message, /attach program "p" to raw tracepoint .*without its group/);
        return true;
      },
    );
  }
});

kernelTest("only what is a raw tracepoint program can be attached as one", () => {
  const instructions = new Assembler().mov(r0, 0).exit().instructions();
  const program = { type: "socket_filter", license: "GPL", instructions } as const;
  using object = loadObject({ maps: {}, programs: { p: program } });
  assert.throws(
    () => object.programs.p.attachRawTracepoint("sys_enter"),
    /SystemError: Cannot attach program "p".*EINVAL/,
  );
  object.programs.p.close();
  assert.throws(() => object.programs.p.attachRawTracepoint("sys_enter"), ClosedError);
});

kernelTest("tracepoints by group:name", { kernel: "5.0", command: "unshare" }, async () => {
  const { code, stdout, stderr } = await runWithMount("tracepoint", "tracefs", "/sys/kernel/tracing", fixture("burst"));
  assert.deepEqual([code, stdout], [0, "done\n"], stderr);
});

kernelTest("tracepoints without tracefs say what to mount, or what to use instead", { command: "unshare" }, () => {
  const program = {
    type: "tracepoint",
    license: "GPL",
    instructions: new Assembler().mov(r0, 0).exit().instructions(),
  };
  using object = loadObject({ maps: {}, programs: { p: { ...program, type: "tracepoint" } } });
  // Where tracefs is mounted this is another error, which the test above has seen.
  assert.throws(
    () => object.programs.p.attachTracepoint("nosuch:event"),
    /^TracepointError: (The id of tracepoint .* tracefs is not mounted: mount -t tracefs .* Raw tracepoints need none|This kernel has no tracepoint)/,
  );
});

for (const end of ["returns", "SIGTERM", "SIGKILL"] as const) {
  kernelTest(
    `a process that ${end === "returns" ? "ends" : `is ended by ${end}`} leaves nothing attached`,
    async () => {
      const script = fileURLToPath(new URL("../children/attached.js", import.meta.url));
      const args = end === "returns" ? [script] : [script, "wait"];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], env: environment() });
      const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
      const { id, count } = JSON.parse(await firstLine(child)) as { id: number; count: number };
      assert.ok(id > 0);
      assert.equal(count, 3);
      if (end !== "returns") {
        assert.equal(programExists(id), true);
        child.kill(end);
      }
      await ended;
      // The kernel lets go of a program a little after the last descriptor.
      for (let i = 0; i < 300 && programExists(id); i++) await new Promise((resolve) => setTimeout(resolve, 10));
      assert.equal(programExists(id), false, `program ${id} is still there`);
    },
  );
}

/** Whether a program with this id is loaded (BPF_PROG_GET_FD_BY_ID). */
function programExists(id: number): boolean {
  const result = new BpfAttr().u32(0, id).call("BPF_PROG_GET_FD_BY_ID");
  if (result >= 0) new Fd(result, `program ${id}`).close();
  return result >= 0;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (text.includes("\n")) resolve(text);
    });
    child.stdout?.once("end", () => resolve(text));
  });
}
