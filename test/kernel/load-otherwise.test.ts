// Programs that the verifier gives up on are loaded in a form that spares it, and told as too much where there is none.
import assert from "node:assert/strict";
import { type Compiled, compile, otherwise } from "../../src/language/compiler/index.ts";
import type { ObjectSpec } from "../../src/object/spec/index.ts";
import { gaveUp } from "../../src/object/verifier/index.ts";
import { loadObject, VerifierError } from "../../src/sdk/index.ts";
import { loadOtherwise } from "../../src/sdk/kernel-typescript/load-otherwise.ts";
import { liveTarget } from "../../src/sdk/kernel-typescript/target.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { withWords } from "../support/lower-source.ts";

const TURNS = 40;
/** Each of three numbers may turn out greater in any of the turns: tens of thousands of ways through the loop. */
const SOURCE = `
  const Numbers = struct({ a: u64, b: u64, c: u64 });
  export const found = global(u64);
  export const program = syscall(Numbers, (ctx) => {
    const a = ctx.a;
    const b = ctx.b;
    const c = ctx.c;
    for (const x of range(${TURNS})) {
      if (a <= x * 3) found.value += 1;
      if (b <= x * 5) found.value ^= 7;
      if (c <= x * 2) found.value += 3;
    }
    return u32(found.value);
  });`;
const sources = { entry: "m.bpf.ts", files: new Map([["m.bpf.ts", withWords(SOURCE)]]) };

interface Form {
  readonly spec: ObjectSpec;
  readonly manner: Compiled["manner"];
}

function fast(): Form {
  const { spec, manner, diagnostics } = compile(sources, liveTarget(), { manner: "fast" });
  assert.ok(spec !== undefined, JSON.stringify(diagnostics));
  return { spec, manner };
}

function* others(): Generator<Form> {
  for (const { spec, manner } of otherwise(sources, liveTarget(), "fast"))
    if (spec !== undefined) yield { spec, manner };
}

const load = ({ spec }: Form) => loadObject(spec, { pinPath: false });

/** What the program means. */
function expected(a: number, b: number, c: number): number {
  let sum = 0n;
  for (let x = 0; x < TURNS; x++) {
    if (a <= x * 3) sum += 1n;
    if (b <= x * 5) sum ^= 7n;
    if (c <= x * 2) sum += 3n;
  }
  return Number(BigInt.asUintN(32, sum));
}

// Logs of what is too much are short from Linux 6.4 on; before, three looks at a million instructions take an emulated CPU a minute.
const needs = { kernel: "6.4" } as const;

kernelTest("load: a program that the verifier gives up on is loaded in a form that spares it", needs, async () => {
  const { loaded, compiled } = await loadOtherwise(fast(), others, load);
  using object = loaded;
  assert.equal(compiled.manner, "sparing");
  const context = new Uint8Array(new BigUint64Array([11n, 70n, 33n]).buffer);
  assert.equal(object.programs["program"]?.testRun({ context }).retval, expected(11, 70, 33));
});

kernelTest("load: what is too much in every form is told by the first, with the end of its log", needs, async () => {
  let asked = 0;
  const none = (): Form[] => {
    asked++;
    return [];
  };
  await assert.rejects(loadOtherwise(fast(), none, load), (error) => {
    assert.ok(error instanceof VerifierError);
    assert.ok(gaveUp(error.log));
    assert.ok(error.log.length <= 1024 * 1024);
    assert.notEqual(error.instruction, undefined);
    return true;
  });
  assert.equal(asked, 1);
});
