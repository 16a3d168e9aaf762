// Sources to objects that load, by the compiler's passes one after the other; and what programs left behind, so that it can be
// compared with what the reference evaluation says.
import assert from "node:assert/strict";
import { checkCode, emitFunction, runStages } from "../../src/language/compiler/code/index.ts";
import type { Module } from "../../src/language/compiler/hir.ts";
import { buildImage } from "../../src/language/compiler/image/index.ts";
import { lowerModule } from "../../src/language/compiler/lower/index.ts";
import type { Func, Inst } from "../../src/language/compiler/ssa/ir.ts";
import { optimise } from "../../src/language/compiler/ssa/optimise.ts";
import { verify } from "../../src/language/compiler/ssa/verify.ts";
import type { Target } from "../../src/language/compiler/target.ts";
import type { ObjectSpec } from "../../src/object/spec/index.ts";
import { checkSource } from "./lower-source.ts";

export interface CompiledSource {
  readonly module: Module;
  readonly spec: ObjectSpec;
  /** Instructions of all functions. */
  readonly size: number;
}

export function compileSource(text: string, target: Target): CompiledSource {
  const { module, text: whole } = checkSource(text, target);
  const lowered = lowerModule(module, target);
  assert.deepEqual(
    lowered.diagnostics.map(({ code, message }) => `${code}: ${message}`),
    [],
  );
  let size = 0;
  const functions = lowered.functions.map((func) => {
    verify(func);
    optimise(func);
    dropClaims(func);
    verify(func);
    const result = emitFunction(func, target);
    assert.ok("code" in result, "problem" in result ? JSON.stringify(result.problem) : "");
    checkCode(runStages(func, target));
    size += result.code.instructions.length;
    return { func, instructions: result.code.instructions, spans: result.code.spans };
  });
  const sources = [{ path: "a.bpf.ts", text: whole }];
  return { module, spec: buildImage({ module, lowered, functions, sources, target }), size };
}

/** What is claimed is taken to hold: these tests' programs are right. */
function dropClaims(func: Func): void {
  const resolve = (inst: Inst): Inst =>
    inst.op === "bound" || inst.op === "fits" ? resolve(inst.args[0] as Inst) : inst;
  for (const block of func.blocks) {
    for (const inst of [...block.phis, ...block.insts, ...(block.end === undefined ? [] : [block.end])])
      for (const [i, arg] of inst.args.entries()) inst.args[i] = resolve(arg);
    block.insts = block.insts.filter(({ op }) => op !== "bound" && op !== "fits");
  }
}
