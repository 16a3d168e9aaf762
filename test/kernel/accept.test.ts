// Programs of kernel TypeScript that were once compiled wrongly: the kernel, the machine and the evaluator of the checked
// program come to the same.
import assert from "node:assert/strict";
import { compile } from "../../src/language/compiler/compile.ts";
import { liveTarget } from "../../src/sdk/kernel-typescript/target.ts";
import { FOUND } from "../fuzz/accept/found.ts";
import { sourcesOf, tryModule } from "../fuzz/accept/trial.ts";
import { stayOn, whoIAm } from "../fuzz/accept/world.ts";
import { kernelTest } from "../support/kernel-test.ts";

/** Contexts of all sizes of numbers, by this. */
const FILLS = [0, 1, 0x61, 0xff];

for (const { what, source } of FOUND)
  kernelTest(`compiled as it is meant: ${what}`, { kernel: "5.14" }, () => {
    stayOn(0);
    const target = liveTarget();
    const { module } = compile(sourcesOf(source), target);
    const runs = module.functions.flatMap(({ name, program }) =>
      program === undefined
        ? []
        : FILLS.map((fill) => {
            const context = new Uint8Array(program.contextSize).fill(fill);
            // Texts end within.
            if (context.length > 0) context[context.length - 1] = 0;
            return { program: name, context };
          }),
    );
    assert.ok(runs.length > 0, "the source has programs");
    const { failure } = tryModule(source, runs, { target, self: whoIAm(0), kernel: true });
    assert.equal(failure, undefined, failure && `${failure.kind}: ${failure.message}`);
  });
