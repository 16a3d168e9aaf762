/** From numbers and copied bytes to what people read: arguments by the names of the manual, results, open files. */
import { syscallName } from "../../../machine/proc/index.ts";
import { compatSignatureOf } from "./compat.ts";
import type { Capture } from "./model.ts";
import { capturesOf, signatureOf } from "./signatures.ts";

export { errnoName, signalName } from "../../../machine/proc/index.ts";
export { FILE_CALLS } from "./fd-calls.ts";
export { type FdSnapshot, FdTable } from "./fd-table.ts";
export { argsOf, formatCall } from "./format.ts";
export type { Capture, CapturedBytes, DecodedCall } from "./model.ts";
export type { Opened, SocketName } from "./open-file.ts";
export { isRestart } from "./result.ts";
export { endpointText } from "./types/network.ts";

/** What is to be copied of the arguments of a call by number; of a 32-bit program's, when `arch` is such. */
export function capturesFor(nr: number, arch: string): readonly Capture[] {
  const name = syscallName(nr, arch);
  const is32 = arch === "ia32" || arch === "arm";
  const signature = name === undefined ? undefined : is32 ? compatSignatureOf(name) : signatureOf(name);
  return signature === undefined ? [] : capturesOf(signature);
}
