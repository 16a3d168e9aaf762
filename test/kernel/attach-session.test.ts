// Programs that run at both ends of a function (kprobe.session, uprobe.session).
import assert from "node:assert/strict";
import {
  attachKprobeMulti,
  attachUprobeMulti,
  type LoadedObject,
  loadObject,
  type MultiLink,
  type Program,
} from "../../src/sdk/index.ts";
import { GETPGID_FUNCTION } from "../support/attach-programs.ts";
import { conversation } from "../support/conversation.ts";
import { fixture } from "../support/fixture.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { fixture as object } from "../support/objects.ts";
import { callGetpgid } from "../support/probe-programs.ts";

const path = fixture("probed");

function load(name: string, wanted = 0): { readonly loaded: LoadedObject; readonly program: Program } {
  const loaded = loadObject(object("session.el"), { programs: [name], variables: { wanted } }) as LoadedObject;
  return { loaded, program: loaded.programs[name] as Program };
}

const read = (loaded: LoadedObject, ...names: readonly string[]) =>
  names.map((name) => Number(loaded.variables[name]?.get()));

/** Runs `call` 5 times with both ends, then 3 times with the beginning only. */
async function showsBothEnds(
  { loaded, program }: ReturnType<typeof load>,
  attach: (program: Program) => MultiLink,
  call: () => void | Promise<void>,
): Promise<void> {
  using object = loaded;
  await call();
  const link = attach(program);
  for (let i = 0; i < 5; i++) await call();
  // The word that the beginning wrote was there at the end, each time.
  assert.deepEqual(read(object, "begun", "ended", "matched", "own_cookie"), [5, 5, 5, 42]);
  object.variables["answer"]?.set(1);
  for (let i = 0; i < 3; i++) await call();
  assert.deepEqual(read(object, "begun", "ended"), [8, 5]);
  link.close();
  await call();
  assert.deepEqual(read(object, "begun", "ended"), [8, 5]);
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
