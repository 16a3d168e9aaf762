/** `skep run`, `skep check`, `skep dis`, `skep explain` as a library: kernel TypeScript compiled, run, shown and explained. */
export type { Dump } from "../../language/compiler/index.ts";
export { checkFiles, checkJson, checkText, diagnosticsText } from "./check.ts";
export { type Compilation, type CompileOptions, compileFile, compileText, DUMPS } from "./compilation.ts";
export { disText } from "./dis.ts";
export { codesText, explainCode, listCodes, nearCodes } from "./explain.ts";
export type { Plan } from "./plan.ts";
export { rejectionText } from "./rejection.ts";
export { RunError } from "./run-error.ts";
export { runSession, type SessionOptions } from "./session.ts";
export { readTarget, writeTarget } from "./target-file.ts";
export { jsonView, type RunView, textView } from "./view/run-view.ts";
export { timingsText } from "./view/timings-text.ts";
