// Programs at the edges of what the machine and the kernel have: what the compiler takes the kernel takes, too, and does. What is
// refused, and what runs in the testing machine: src/language/compiler/limits.test.ts.
import assert from "node:assert/strict";
import { BytesCodec, struct, u64 } from "../../src/object/codec/index.ts";
import { type KeyedMap, type LoadedObject, loadObject, type Program, VerifierError } from "../../src/sdk/index.ts";
import { liveTarget } from "../../src/sdk/kernel-typescript/target.ts";
import { compileSource } from "../support/compile-source.ts";
import { hostTest } from "../support/kernel-test.ts";
import { INPUT, LIMITS } from "../support/limits.ts";

const target = liveTarget();

for (const { name, source, features = {}, out, error, given } of LIMITS) {
  if (error !== undefined) continue;
  hostTest(`the kernel takes ${name}`, { program: "syscall" }, () => {
    const { spec } = compileSource(source, { ...target, features: { ...target.features, ...features } });
    try {
      using loaded = loadObject(spec) as LoadedObject;
      if (given !== undefined)
        (loaded.maps["given"] as KeyedMap<number, unknown>).set(0, { path: given, other: "", n: 0n });
      const context = new BytesCodec(struct({ a: u64, b: u64 })).encode(INPUT);
      assert.equal((loaded.programs["p"] as Program).testRun({ context }).retval, 0);
      if (out !== undefined) assert.equal(loaded.variables["out"]?.get(), out);
    } catch (error) {
      if (error instanceof VerifierError) console.error(error.message);
      throw error;
    }
  });
}
