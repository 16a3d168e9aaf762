import assert from "node:assert/strict";
import { AttachTypeSince, type LaterAttachType, MapTypeSince, ProgramTypeSince } from "../../src/object/spec/index.ts";
import {
  createMap,
  loadObject,
  probeAttachKinds,
  probeAttachType,
  probeMapType,
  probeMapTypes,
  probeProgramType,
  probeProgramTypes,
  SystemError,
} from "../../src/sdk/index.ts";
import { countingObject } from "../support/attach-programs.ts";
import { kernelIsAtLeast, kernelTest } from "../support/kernel-test.ts";

kernelTest("one type is asked for as all are, and once: the answer is kept", () => {
  for (const [all, one] of [
    [probeMapTypes(), probeMapType],
    [probeProgramTypes(), probeProgramType],
  ] as const)
    for (const result of all) {
      const alone = (one as (name: string) => typeof result)(result.name);
      assert.deepEqual(alone, result);
      if (result.status === "supported" || result.status === "unsupported") assert.equal(alone, result);
    }
});

kernelTest("types are there from their first kernel on, unless this one was built without them", () => {
  for (const { name, status } of [...probeMapTypes(), ...probeProgramTypes()]) {
    const since = { ...MapTypeSince, ...ProgramTypeSince }[name as "hash"];
    if (!kernelIsAtLeast(since)) assert.equal(status, "unsupported", name);
  }
  assert.equal(probeMapType("hash").status, "supported");
  assert.equal(probeProgramType("tracepoint").status, "supported");
});

kernelTest("what is wrong with a map is not put down to its type where the kernel has that", () => {
  for (const [type, spec] of [
    ["ringbuf", { type: "ringbuf", maxEntries: 4097 }],
    ["arena", { type: "arena", maxEntries: 1, keySize: 3 }],
  ] as const) {
    const { status } = probeMapType(type);
    assert.throws(
      () => createMap(spec, "wrong").close(),
      (error) => {
        assert.ok(error instanceof SystemError);
        assert.equal(/need Linux|are not built into/.test(error.message), status === "unsupported", error.message);
        return true;
      },
    );
  }
});

const LATER = Object.entries(AttachTypeSince) as [LaterAttachType, string][];

kernelTest("attach types are there from their first kernel on, unless this one was built without them", () => {
  for (const [type, since] of LATER) {
    const { status, reason } = probeAttachType(type);
    if (!kernelIsAtLeast(since)) assert.equal(status, "unsupported", `${type} ${reason}`);
    assert.equal(probeAttachType(type).status, status);
  }
  // Some machines let nobody attach to the kernel's functions (EPERM).
  assert.match(probeAttachType("modify_return").status, /^(?:supported|refused)$/);
  if (kernelIsAtLeast("6.12")) {
    for (const type of ["tcx_ingress", "trace_uprobe_multi", "cgroup_unix_connect"] as const)
      assert.equal(probeAttachType(type).status, "supported", type);
  }
});

kernelTest("kinds of attachments that have an attach type of their own are judged by it", () => {
  const kinds = new Map(probeAttachKinds().map((kind) => [kind.name, kind]));
  for (const [name, type] of [
    ["tcx", "tcx_ingress"],
    ["netkit", "netkit_primary"],
    ["iterators", "trace_iter"],
    ["kprobe.multi", "trace_kprobe_multi"],
    ["uprobe.session", "trace_uprobe_session"],
  ] as const)
    assert.equal(kinds.get(name)?.status, probeAttachType(type).status, name);
});

kernelTest("what is wrong with a program is not put down to its attach type where the kernel has that", () => {
  const object = countingObject({
    type: "cgroup_sock_addr",
    expectedAttachType: "cgroup_unix_connect",
    own: false,
    result: 1,
  });
  const [name, program] = Object.entries(object.programs)[0] ?? assert.fail("no program");
  // A flag that there is not: EINVAL of every kernel, before its verifier says a word.
  const wrong = { ...object, programs: { [name]: { ...program, flags: 1 << 30 } } };
  const { status } = probeAttachType("cgroup_unix_connect");
  assert.throws(
    () => loadObject(wrong).close(),
    (error: Error) => {
      assert.ok(error instanceof SystemError);
      const isLacking = /attach type cgroup_unix_connect (?:need Linux|are not built into)/.test(error.message);
      assert.equal(isLacking, status === "unsupported", error.message);
      return true;
    },
  );
});
