/** Diagnostics as people and programs see them: code frames, JSON, a page about each code. */
export { arrange } from "./arrange.ts";
export { displayLine } from "./display.ts";
export { explainCode, hasPage, listCodes } from "./explain.ts";
export { compilerFailure } from "./failure.ts";
export { PAGES, type Page, pageOf } from "./pages/index.ts";
export { type RenderOptions, render } from "./render.ts";
export { type ReportedDiagnostic, type ReportedPlace, report } from "./report.ts";
export { type Place, type SourceFile, Sources, SourceText } from "./source-text.ts";
