// Programs that run at both ends of a function (kprobe.session, uprobe.session).
import assert from "node:assert/strict";
import {
  attachKprobeMulti,
  attachTracing,
  attachTracingMulti,
  attachUprobeMulti,
  type Link,
  type LoadedObject,
  loadObject,
  type Program,
} from "../../src/sdk/index.ts";
import { GETPGID_FUNCTION } from "../support/attach-programs.ts";
import { conversation } from "../support/conversation.ts";
import { fixture } from "../support/fixture.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { fixture as object } from "../support/objects.ts";
import { callGetpgid } from "../support/probe-programs.ts";

const path = fixture("probed");

function load(
  name: string,
  wanted = 0,
  attachTo?: string,
): { readonly loaded: LoadedObject; readonly program: Program } {
  const spec = object("session.el");
  const program = spec.programs[name];
  assert.ok(program !== undefined);
  const programs = { [name]: attachTo === undefined ? program : { ...program, attachTo } };
  const loaded = loadObject({ ...spec, programs }, { programs: [name], variables: { wanted } }) as LoadedObject;
  return { loaded, program: loaded.programs[name] as Program };
}

const read = (loaded: LoadedObject, ...names: readonly string[]) =>
  names.map((name) => Number(loaded.variables[name]?.get()));

/** Runs `call` 5 times with both ends, then, where a session can do so, 3 times with the beginning only. */
async function showsBothEnds(
  { loaded, program }: ReturnType<typeof load>,
  attach: (program: Program) => Link,
  call: () => void | Promise<void>,
  leavesOut = true,
): Promise<void> {
  using object = loaded;
  await call();
  const link = attach(program);
  for (let i = 0; i < 5; i++) await call();
  // The word that the beginning wrote was there at the end, each time.
  assert.deepEqual(read(object, "begun", "ended", "matched", "own_cookie"), [5, 5, 5, 42]);
  object.variables["answer"]?.set(1);
  for (let i = 0; i < 3; i++) await call();
  assert.deepEqual(read(object, "begun", "ended"), [8, leavesOut ? 5 : 8]);
  link.close();
  await call();
  assert.deepEqual(read(object, "begun", "ended"), [8, leavesOut ? 5 : 8]);
}

kernelTest(
  "attach: kprobe.session at both ends of a function",
  { attach: "kprobe.session", config: "CONFIG_FPROBE" },
  async () => {
    await showsBothEnds(
      load("of_kernel", process.pid),
      (program) => attachKprobeMulti(program, { symbols: [GETPGID_FUNCTION], cookies: [42n] }),
      () => callGetpgid(1),
    );
  },
);

kernelTest("attach: uprobe.session at both ends of a function", { attach: "uprobe.session" }, async () => {
  await conversation([path], async (pid, say) => {
    await showsBothEnds(
      load("of_program"),
      (program) => attachUprobeMulti(program, { path, symbols: ["probed"], pid, cookies: [42n] }),
      async () => void (await say("")),
    );
  });
});

kernelTest("a session has no return probe of its own", { attach: "uprobe.session" }, () => {
  const { loaded, program } = load("of_program");
  using _object = loaded;
  assert.throws(() => attachUprobeMulti(program, { path, symbols: ["probed"], isReturn: true }), {
    name: "TypeError",
    message: /at both ends/,
  });
});

kernelTest("attach: fsession at both ends of a function", { attach: "fsession" }, async () => {
  await showsBothEnds(
    load("of_function", process.pid, GETPGID_FUNCTION),
    (program) => attachTracing(program, { cookie: 42n }),
    () => callGetpgid(1),
    false,
  );
});

kernelTest("attach: fsession.multi at both ends of many functions", { attach: "fentry.multi" }, async () => {
  await showsBothEnds(
    load("of_functions", process.pid),
    (program) => attachTracingMulti(program, { symbols: ["vfs_rmdir", GETPGID_FUNCTION], cookies: [41n, 42n] }),
    () => callGetpgid(1),
    false,
  );
});

kernelTest("attach: fentry.multi and fexit.multi, by names and by a pattern", { attach: "fentry.multi" }, () => {
  const beginnings = load("at_beginnings", process.pid);
  const ends = load("at_ends", process.pid);
  using first = beginnings.loaded;
  using last = ends.loaded;
  const pattern = GETPGID_FUNCTION.replace("getpgid", "getpg[a-z]d");
  const one = attachTracingMulti(beginnings.program, { symbols: ["vfs_rmdir", GETPGID_FUNCTION], cookies: [6n, 7n] });
  const two = attachTracingMulti(ends.program, { pattern: [pattern, "no_such_*"] });
  assert.deepEqual([one.functions, two.functions], [["vfs_rmdir", GETPGID_FUNCTION], [GETPGID_FUNCTION]]);
  callGetpgid(5);
  one.close();
  two.close();
  callGetpgid(3);
  assert.deepEqual([read(first, "begun", "own_cookie"), read(last, "ended")], [[5, 7], [5]]);
  using many = attachTracingMulti(ends.program, { pattern: "vfs_*" });
  assert.ok(many.functions.length > 50, String(many.functions.length));
  const code = "SKEP_TRACEPOINT";
  const attach = (options: Parameters<typeof attachTracingMulti>[1]) => attachTracingMulti(ends.program, options);
  assert.throws(() => attach({ symbols: ["vfs_open", "no_such"] }), { code, message: /have no function no_such:/ });
  assert.throws(() => attach({ pattern: "no_such_*" }), { code, message: /fits no_such_\*/ });
  // A variable number of arguments.
  assert.throws(() => attach({ symbols: ["_printk"] }), { code, message: /cannot be attached to _printk/ });
  assert.throws(() => attach({}), TypeError);
  assert.throws(() => attach({ symbols: ["vfs_open"], cookies: [] }), RangeError);
});
