import type { DecodedCall } from "./model.ts";
import { resultText } from "./result.ts";
import { type Argument, signatureOf } from "./signatures.ts";
import { fcntlTakesArgument, openFlagsWantMode } from "./types/file.ts";
import { futexArity, prctlArity } from "./types/process.ts";
import { hex, int, low } from "./words.ts";

const MREMAP_FIXED = 2;

/** Calls whose number of arguments depends on one of them. */
const ARITY: Readonly<Record<string, (call: DecodedCall) => number>> = {
  open: (call) => (openFlagsWantMode(low(call, 1)) ? 3 : 2),
  openat: (call) => (openFlagsWantMode(low(call, 2)) ? 4 : 3),
  mq_open: (call) => (openFlagsWantMode(low(call, 1)) ? 4 : 2),
  fcntl: (call) => (fcntlTakesArgument(int(call, 1)) ? 3 : 2),
  mremap: (call) => ((low(call, 3) & MREMAP_FIXED) !== 0 ? 5 : 4),
  futex: futexArity,
  prctl: prctlArity,
  membarrier: (call) => (low(call, 1) === 0 ? 2 : 3),
};

const RAW_ARGUMENTS = [0, 1, 2, 3, 4, 5] as const;

/** The arguments that a call of this kind has, with their values in mind. */
function argumentsOf(call: DecodedCall): readonly Argument[] | undefined {
  if (call.compat) return undefined;
  const signature = signatureOf(call.name);
  const arity = ARITY[call.name];
  return arity === undefined || signature === undefined ? signature : signature.slice(0, arity(call));
}

/** One call as a line: `openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3</etc/passwd>`. */
export function formatCall(call: DecodedCall): string {
  const args = argumentsOf(call);
  let text = `${call.name}(`;
  if (args === undefined) {
    text += RAW_ARGUMENTS.map((arg) => hex(call, arg)).join(", ");
  } else {
    for (let i = 0; i < args.length; i++) {
      if (i > 0) text += ", ";
      text += (args[i] as Argument).type.text(call, i);
    }
  }
  return call.unfinished ? `${text} <unfinished ...>) = ?` : `${text}) = ${resultText(call)}`;
}

/** The arguments by name, for programs: numbers, texts, `{fd, path}`, `{data, length}`; addresses as hexadecimal text. */
export function argsOf(call: DecodedCall): Record<string, unknown> {
  const args = argumentsOf(call);
  if (args === undefined) return Object.fromEntries(RAW_ARGUMENTS.map((arg) => [`arg${arg}`, hex(call, arg)]));
  const out: Record<string, unknown> = {};
  for (const [i, { name, type }] of args.entries())
    out[name] = type.json === undefined ? type.text(call, i) : type.json(call, i);
  return out;
}
