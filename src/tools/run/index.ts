/** `skep run`, `skep check`, `skep dis`, `skep explain` as a library: kernel TypeScript compiled, run, shown and explained. */
export { codes, codesText, explainCode, nearCodes } from "./explain.ts";
