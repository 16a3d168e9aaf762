import assert from "node:assert/strict";
import { MapTypeSince, ProgramTypeSince } from "../../src/object/spec/index.ts";
import {
  createMap,
  probeMapType,
  probeMapTypes,
  probeProgramType,
  probeProgramTypes,
  SystemError,
} from "../../src/sdk/index.ts";
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
