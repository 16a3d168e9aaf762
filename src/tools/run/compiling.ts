import { compilerFailure, render, report } from "../../language/compiler/diagnostics/index.ts";
import { compile, layoutOfType, otherwise, targetOf, targetOfTypes } from "../../language/compiler/index.ts";
import { explainRejection } from "../../language/compiler/verifier-log/index.ts";

const all = {
  compile,
  compilerFailure,
  explainRejection,
  layoutOfType,
  otherwise,
  render,
  report,
  targetOf,
  targetOfTypes,
};

/** What it takes to compile, and to tell what is wrong. */
export type Compiling = typeof all;

/**
 * The compiler and what goes with it. In the command's bundle it is a chunk of its own (compiling-chunk.ts): what was compiled before
 * needs none of it.
 */
export function compiling(): Compiling {
  return all;
}
