import { argumentList } from "./argument-list.ts";
import { compatSignatureOf } from "./compat.ts";
import { hexUnlessText, textLength } from "./escape.ts";
import type { DecodedCall } from "./model.ts";
import { resultText } from "./result.ts";
import { type Argument, signatureOf } from "./signatures.ts";
import { captured, hex } from "./words.ts";

const RAW_ARGUMENTS = [0, 1, 2, 3, 4, 5] as const;

function signature(call: DecodedCall): readonly Argument[] | undefined {
  return call.compat ? compatSignatureOf(call.name) : signatureOf(call.name);
}

/** One call as a line: `openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3</etc/passwd>`. */
export function formatCall(call: DecodedCall): string {
  const args = signature(call);
  let text = `${call.name}(`;
  if (args === undefined) {
    text += RAW_ARGUMENTS.map((arg) => hex(call, arg)).join(", ");
  } else {
    const list = argumentList(call);
    if (typeof list === "object") {
      text += list.map((arg) => args[arg]?.type.text(call, arg)).join(", ");
    } else {
      const count = list ?? args.length;
      for (let i = 0; i < count; i++) {
        if (i > 0) text += ", ";
        text += (args[i] as Argument).type.text(call, i);
      }
    }
  }
  return call.unfinished ? `${text} <unfinished ...>) = ?` : `${text}) = ${resultText(call)}`;
}

/**
 * The arguments by name, for programs: numbers, texts, `{fd, path}`, `{data, length}`; addresses as hexadecimal text. Text
 * that is not UTF-8 has its bytes beside it, in hexadecimal: `pathname_hex`, or `hex` beside `data`.
 */
export function argsOf(call: DecodedCall): Record<string, unknown> {
  const args = signature(call);
  if (args === undefined) return Object.fromEntries(RAW_ARGUMENTS.map((arg) => [`arg${arg}`, hex(call, arg)]));
  const list = argumentList(call) ?? args.length;
  const wanted = typeof list === "number" ? args.slice(0, list).keys() : list;
  const out: Record<string, unknown> = {};
  for (const i of wanted) {
    const { name, type } = args[i] as Argument;
    const value = type.json === undefined ? type.text(call, i) : type.json(call, i);
    out[name] = value;
    const string = typeof value === "string" ? captured(call, i) : undefined;
    const bytes =
      string === undefined ? undefined : hexUnlessText(value as string, string.bytes, textLength(string.bytes));
    if (bytes !== undefined) out[`${name}_hex`] = bytes;
  }
  return out;
}
