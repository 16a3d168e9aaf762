/** From numbers and copied bytes to what people read: arguments by the names of the manual, results, open files. */
import { syscallName } from "../../../machine/proc/index.ts";
import type { Capture } from "./model.ts";
import { capturesOf } from "./signatures.ts";

export { errnoName, signalName } from "../../../machine/proc/index.ts";
export { type FdSnapshot, FdTable, FILE_CALLS } from "./fd-table.ts";
export { argsOf, formatCall } from "./format.ts";
export type { Capture, CapturedBytes, DecodedCall } from "./model.ts";
export { isRestart } from "./result.ts";

/** What is to be copied of the arguments of a call by number. */
export function capturesFor(nr: number, arch: string): readonly Capture[] {
  const name = syscallName(nr, arch);
  return name === undefined ? [] : capturesOf(name);
}
