// Calls as the decoder gets them, written by hand for unit tests.
import { syscallNumber } from "../../src/machine/proc/index.ts";
import type { CapturedBytes, DecodedCall } from "../../src/tools/trace/decode/index.ts";
import { FdTable } from "../../src/tools/trace/decode/index.ts";

export interface CallParts {
  readonly args?: readonly (number | bigint)[];
  readonly ret?: number;
  readonly captures?: readonly CapturedBytes[];
  readonly files?: FdTable;
  readonly unfinished?: boolean;
  readonly compat?: boolean;
}

/** A call by name on x86-64, with what is given and nothing else. */
export function decodedCall(name: string, parts: CallParts = {}): DecodedCall {
  const args = new Uint32Array(12);
  const words = new BigUint64Array(args.buffer);
  for (const [i, value] of (parts.args ?? []).entries()) words[i] = BigInt.asUintN(64, BigInt(value));
  return {
    nr: syscallNumber(name, "x64") ?? -1,
    name,
    args,
    ret: parts.ret ?? 0,
    unfinished: parts.unfinished ?? false,
    captures: parts.captures ?? [],
    files: parts.files ?? new FdTable({ files: new Map(), cwd: "/home" }),
    compat: parts.compat ?? false,
  };
}

/** What was copied for an argument. */
export function capturedBytes(
  arg: number,
  bytes: Uint8Array | readonly number[],
  index = 0,
  length = bytes.length,
): CapturedBytes {
  const copy = Uint8Array.from(bytes);
  return { arg, index, bytes: copy, length, truncated: copy.length < length, fault: false };
}

/** A string with its closing NUL. */
export function capturedText(arg: number, text: string, index = 0): CapturedBytes {
  return capturedBytes(arg, Buffer.from(`${text}\0`), index);
}
