// One program as libbpf and as Skep give it to the kernel.
import { decode, disassemble } from "../../dist/object/asm/index.js";
import { isTyped } from "./ours.js";

const FIELDS = ["type", "attachType", "flags", "target", "functions", "lines"];

/**
 * `same`, `bothRefused` (before the kernel was asked), `oursOnly`, or a `difference` with its text.
 * @returns {{ kind: "same" | "bothRefused" | "oursOnly" | "difference", text?: string }}
 */
export function compareProgram(reference, own) {
  if (own === undefined) return difference("Skep has no program of that name");
  if (own.failure !== undefined && !isTyped(own.failure)) return difference(`a fault of Skep's: ${own.failure.stack}`);
  const reached = own.code !== undefined;
  const said = own.failure === undefined ? "loaded" : `${own.failure.code}: ${own.failure.message.split("\n")[0]}`;
  if (!reference.reached) {
    if (!reached) return { kind: "bothRefused" };
    if (own.failure === undefined) return { kind: "oursOnly" };
    return difference(`libbpf refuses it before the kernel is asked, Skep asks (${said})`);
  }
  if (!reached) {
    const answer = reference.errno === 0 ? "libbpf loads it" : `the kernel tells libbpf errno ${reference.errno}`;
    return difference(`${answer}, Skep refuses it before (${said})`);
  }
  if (reference.code !== own.code) return difference(firstDifference(reference.code, own.code));
  for (const field of FIELDS) {
    if (reference[field] !== own[field]) return difference(`${field} is ${own[field]} instead of ${reference[field]}`);
  }
  const errno = own.failure === undefined ? 0 : (own.failure.errno ?? -1);
  if (errno === reference.errno) return { kind: "same" };
  return errno === 0 ? { kind: "oursOnly" } : difference(`the kernel says ${said} instead of errno ${reference.errno}`);
}

function difference(text) {
  return { kind: "difference", text };
}

function firstDifference(theirs, ours) {
  if (theirs.length !== ours.length) return `${ours.length / 16} instead of ${theirs.length / 16} instructions`;
  for (let at = 0; at < ours.length; at += 16) {
    const [a, b] = [theirs.slice(at, at + 16), ours.slice(at, at + 16)];
    if (a !== b)
      return `slot ${at / 16}: ${text(b, ours.slice(at + 16, at + 32))} instead of ${text(a, theirs.slice(at + 16, at + 32))}`;
  }
  return "";
}

function text(slot, next) {
  try {
    return disassemble(decode(Buffer.from(slot.startsWith("18") ? slot + next : slot, "hex"))).trim();
  } catch {
    return slot;
  }
}
