// Sources of tests to objects that load, with the compiler checking its own work after each pass.
import assert from "node:assert/strict";
import type { Module } from "../../src/language/compiler/hir.ts";
import { type CompileOptions, compile, type Manner } from "../../src/language/compiler/index.ts";
import type { Target } from "../../src/language/compiler/target.ts";
import type { ObjectSpec } from "../../src/object/spec/index.ts";
import { withWords } from "./lower-source.ts";

export interface CompiledSource {
  readonly module: Module;
  readonly spec: ObjectSpec;
  readonly manner: Manner;
  /** Instructions of all functions. */
  readonly size: number;
}

/** The object of a text, which may leave out the import. Fails on anything the compiler says. */
export function compileSource(
  text: string,
  target: Target,
  options: Pick<CompileOptions, "trying"> = {},
): CompiledSource {
  const files = new Map([["a.bpf.ts", withWords(text)]]);
  const { module, spec, manner, diagnostics, functions } = compile({ entry: "a.bpf.ts", files }, target, {
    ...options,
    paranoid: true,
  });
  assert.deepEqual(
    diagnostics.map(({ code, message }) => `${code}: ${message}`),
    [],
    text,
  );
  assert.ok(spec !== undefined);
  let size = 0;
  for (const { instructions } of functions.values()) size += instructions.length;
  return { module, spec, manner, size };
}
