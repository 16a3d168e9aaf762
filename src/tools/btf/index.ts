/** `skep btf` as a library: types found by name, and tables of types printed. */
export { header, rawLines } from "./dump.ts";
export { type FoundField, type FoundType, findTypes, formatTypes, NotFoundError } from "./find.ts";
