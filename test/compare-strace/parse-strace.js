// Reads what `strace -f -n -y -o FILE` wrote: calls in the order each thread made them, halves joined.

/**
 * @typedef {object} StraceCall
 * @property {number} pid the thread's id
 * @property {number} nr
 * @property {string} name
 * @property {string[]} args as text; halves of interrupted lines joined
 * @property {string} result what follows ` = `
 * @property {string} line
 */

const LINE = /^(\d+) +(.*)$/;
const CALL = /^\[ *(\d+)\] ([a-z_0-9]+)\((.*)$/;
const RESUMED = /^\[ *(\d+)\] <\.\.\. ([a-z_0-9]+) resumed>(.*)$/;
const UNFINISHED = / ?<unfinished \.\.\.>$/;

/** @param {string} text @returns {StraceCall[]} */
export function parseStrace(text) {
  const calls = [];
  /** @type {Map<string, { nr: number, name: string, begun: string }>} */
  const open = new Map();
  for (const line of text.split("\n")) {
    const [, pid, rest] = LINE.exec(line) ?? [];
    if (rest === undefined || rest.startsWith("---") || rest.startsWith("+++")) continue;
    const resumed = RESUMED.exec(rest);
    if (resumed !== null) {
      const [, nr, name, tail] = resumed;
      const begun = open.get(pid);
      open.delete(pid);
      calls.push(makeCall(Number(pid), Number(nr), name, (begun?.begun ?? "") + tail, line));
      continue;
    }
    const call = CALL.exec(rest);
    if (call === null) continue;
    const [, nr, name, tail] = call;
    if (UNFINISHED.test(tail) && !/\) += /.test(tail.replace(UNFINISHED, ""))) {
      open.set(pid, { nr: Number(nr), name, begun: tail.replace(UNFINISHED, "") });
    } else {
      calls.push(makeCall(Number(pid), Number(nr), name, tail, line));
    }
  }
  for (const [pid, { nr, name, begun }] of open) calls.push(makeCall(Number(pid), nr, name, `${begun}) = ?`, begun));
  return calls;
}

function makeCall(pid, nr, named, tail, line) {
  // A number without a name is one in hexadecimal to strace, a decimal one to skep.
  const name = named.startsWith("syscall_0x") ? `syscall_${nr}` : named;
  const end = closing(tail);
  const result = /^\)? += (.*)$/.exec(tail.slice(end).trimEnd())?.[1] ?? "?";
  return { pid, nr, name, args: splitArguments(tail.slice(0, end)), result, line };
}

/** Where the arguments end: the parenthesis that closes the call. */
function closing(text) {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if ("([{".includes(c)) depth++;
    else if (c === ")" && depth === 0) return i;
    else if (")]}".includes(c)) depth--;
  }
  return text.length;
}

/**
 * The arguments: commas between them, not those inside strings, structures or the names of files.
 * @param {string} text @returns {string[]}
 */
export function splitArguments(text) {
  const args = [];
  let depth = 0;
  let quoted = false;
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
    } else if (c === '"') quoted = true;
    else if ("([{<".includes(c)) depth++;
    else if (c === ">" && text[i - 1] === "-") continue;
    else if (")]}>".includes(c)) depth--;
    else if (c === "," && depth === 0) {
      args.push(text.slice(from, i).trim());
      from = i + 1;
    }
  }
  const last = text.slice(from).trim();
  if (last !== "" || args.length > 0) args.push(last);
  return args;
}

const ESCAPES = { n: 10, t: 9, r: 13, v: 11, f: 12, a: 7, b: 8, "\\": 92, '"': 34, "'": 39 };

/** The bytes of a C string as strace quotes it, as text; undefined when it is no whole string. @param {string} text */
export function unquote(text) {
  if (!/^"(?:[^"\\]|\\.)*"$/s.test(text)) return undefined;
  return unescapeC(text.slice(1, -1));
}

/** @param {string} text */
export function unescapeC(text) {
  const bytes = [];
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== "\\") {
      for (const byte of Buffer.from(text[i])) bytes.push(byte);
      continue;
    }
    const octal = /^[0-7]{1,3}/.exec(text.slice(i + 1))?.[0];
    const hex = /^x[0-9a-f]{2}/.exec(text.slice(i + 1))?.[0];
    if (octal !== undefined) bytes.push(Number.parseInt(octal, 8));
    else if (hex !== undefined) bytes.push(Number.parseInt(hex.slice(1), 16));
    else bytes.push(ESCAPES[text[i + 1]] ?? text.charCodeAt(i + 1));
    i += octal?.length ?? hex?.length ?? 1;
  }
  return Buffer.from(bytes).toString("utf8");
}

/** Numbers of results the kernel keeps to itself (linux/errno.h). */
const RESTARTS = { ERESTARTSYS: 512, ERESTARTNOINTR: 513, ERESTARTNOHAND: 514, ERESTART_RESTARTBLOCK: 516 };

/**
 * A result as a number or an error's name; undefined for a call that did not return.
 * @param {StraceCall} call @returns {{ value?: number, error?: string } | undefined}
 */
export function resultOf({ name, result }) {
  const restart = /^\? (ERESTART\w*)/.exec(result)?.[1];
  if (restart !== undefined) return { value: -RESTARTS[restart] };
  if (result.startsWith("?")) return undefined;
  const error = /^-1 (E\w+)/.exec(result)?.[1];
  if (error !== undefined) return { error };
  const text = /^-?(0x[0-9a-f]+|\d+)/.exec(result)?.[0] ?? "";
  if (name === "umask") return { value: Number.parseInt(text, 8) };
  return { value: Number(text) };
}
