// Real programs of kernel TypeScript, each once without each of its checks: either the compiler says what is missing, or it was not
// needed. The kernel's verifier never has to.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { compile } from "../../src/language/compiler/compile.ts";
import { loadObject, SystemError, VerifierError } from "../../src/sdk/index.ts";
import { liveTarget } from "../../src/sdk/kernel-typescript/target.ts";
import { deletions } from "../fuzz/accept/deletions.ts";
import { FOUND } from "../fuzz/accept/found.ts";
import { sourcesOf } from "../fuzz/accept/trial.ts";
import { kernelTest } from "../support/kernel-test.ts";
import { pace } from "../support/pace.ts";

// dist-test/test/kernel → the sources, which are not built.
const root = new URL("../../../", import.meta.url);
const FOLDERS = ["test/kernel-typescript/positive/", "bench/codegen/"];
const files = FOLDERS.flatMap((folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(".bpf.ts"))
    .map((name) => fileURLToPath(new URL(folder + name, root))),
);
const sources = [
  ...files.map((file) => ({ name: basename(file), text: readFileSync(file, "utf8") })),
  ...FOUND.map(({ what, source }) => ({ name: what, text: source })),
];

/** Tries to load each program; what the verifier says of the first that it refuses. Other refusals are of this kernel, not of the program. */
function refusal(text: string): { readonly errors: number; readonly log?: string } {
  const { spec, diagnostics } = compile(sourcesOf(text), liveTarget());
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  for (const { code } of errors) assert.match(code, /^(EB(?!9)|TS)\d+$/, "an error of the source, not of the compiler");
  if (spec === undefined) return { errors: errors.length };
  for (const program of Object.keys(spec.programs)) {
    try {
      loadObject(spec, { pinPath: false, programs: [program] }).close();
    } catch (error) {
      if (error instanceof VerifierError) return { errors: 0, log: error.log };
      if (!(error instanceof SystemError)) throw error;
    }
  }
  return { errors: 0 };
}

/** What became of the sources: those that our compiler refuses, those that load without the check. */
const outcome = { refused: 0, loaded: 0 };

for (const { name, text } of sources)
  kernelTest(`without one check: ${name}`, () => {
    const whole = refusal(text);
    assert.equal(whole.log, undefined, `the program itself is refused:\n${whole.log}`);
    // What this kernel has not cannot be compiled for it: then there is nothing to take away from.
    if (whole.errors > 0) return;
    // In a machine that is emulated some of them must do.
    const all = deletions(text).filter((_, i) => i % pace(1, 6) === 0);
    for (const { what, text: less } of all) {
      const { log, errors } = refusal(less);
      if (errors > 0) outcome.refused++;
      else outcome.loaded++;
      assert.equal(log, undefined, `${what}\n${log?.slice(-2000)}`);
    }
  });

kernelTest("checks were there to be taken away, and some were missed", (t) => {
  t.diagnostic(`${outcome.refused} sources refused by the compiler, ${outcome.loaded} loaded`);
  assert.ok(outcome.refused >= pace(20, 3) && outcome.loaded >= pace(20, 3), JSON.stringify(outcome));
});
