// Pairs the calls of one run as strace and as skep saw them, thread by thread, and says where they disagree.
import { realpathSync } from "node:fs";
import { posix } from "node:path";
import { resultOf, splitArguments, unescapeC, unquote } from "./parse-strace.js";

/**
 * @typedef {import("./parse-strace.js").StraceCall} StraceCall
 * @typedef {{ pid: number, tid: number, syscall: string, nr: number, args: Record<string, any>, ret: number | null, error: string | null, unfinished?: boolean }} SkepCall
 * @typedef {{ tid: number, what: string, strace?: StraceCall, skep?: SkepCall }} Difference
 */

/** Arguments of skep's JSON that are paths (file names as the program gave them). */
const PATHS = new Set([
  "pathname",
  "filename",
  "path",
  "oldpath",
  "newpath",
  "target",
  "linkpath",
  "name",
  "special_file",
  "source",
]);
/** Names that are no paths although the argument is called so. */
const NO_PATHS = new Set([
  "getxattr",
  "lgetxattr",
  "fgetxattr",
  "setxattr",
  "memfd_create",
  "prctl",
  "bpf",
  "sethostname",
]);

/**
 * @param {StraceCall[]} strace @param {SkepCall[]} skep
 * @returns {{ paired: number, differences: Difference[] }}
 */
export function pairCalls(strace, skep) {
  const threads = new Map();
  const of = (tid) => {
    const entry = threads.get(tid) ?? { strace: [], skep: [] };
    threads.set(tid, entry);
    return entry;
  };
  for (const call of strace) of(call.pid).strace.push(call);
  for (const call of skep) of(call.tid).skep.push(call);
  let paired = 0;
  const differences = [];
  for (const [tid, thread] of threads) {
    const result = pairThread(tid, thread.strace, thread.skep);
    paired += result.paired;
    differences.push(...result.differences);
  }
  return { paired, differences };
}

const same = (a, b) => a.nr === b.nr && sameResult(a, b);

function pairThread(tid, strace, skep) {
  let paired = 0;
  const differences = [];
  let i = 0;
  let j = 0;
  const LOOK = 8;
  while (i < strace.length || j < skep.length) {
    const a = strace[i];
    const b = skep[j];
    if (a !== undefined && b !== undefined && a.nr === b.nr) {
      const what = difference(a, b, i === strace.length - 1 && j === skep.length - 1);
      if (what === undefined) paired++;
      else differences.push({ tid, what, strace: a, skep: b });
      i++;
      j++;
      continue;
    }
    // One of them has calls the other lacks: the nearest place where they agree again tells which.
    let skipA = strace.length - i;
    let skipB = skep.length - j;
    search: for (let total = 1; total <= 2 * LOOK; total++) {
      for (let x = Math.max(0, total - LOOK); x <= Math.min(total, LOOK); x++) {
        const y = total - x;
        if (strace[i + x] !== undefined && skep[j + y] !== undefined && same(strace[i + x], skep[j + y])) {
          skipA = x;
          skipB = y;
          break search;
        }
      }
    }
    for (const call of strace.slice(i, i + skipA)) differences.push({ tid, what: "only strace has it", strace: call });
    for (const call of skep.slice(j, j + skipB)) differences.push({ tid, what: "only skep has it", skep: call });
    i += skipA;
    j += skipB;
  }
  return { paired, differences };
}

function sameResult(a, b) {
  const result = resultOf(a);
  if (result === undefined) return b.unfinished === true || b.ret === null;
  if (b.unfinished === true) return false;
  if (result.error !== undefined)
    return b.error === result.error || (b.error === "EOPNOTSUPP" && result.error === "ENOTSUP");
  return b.ret === result.value;
}

/** What two calls of the same number disagree on; undefined when nothing. */
function difference(a, b, last) {
  if (a.name !== b.syscall) return `name: ${a.name}, ${b.syscall}`;
  if (!sameResult(a, b))
    return `result${last ? " of the last call" : ""}: strace ${a.result}, skep ${b.unfinished ? "unfinished" : (b.error ?? b.ret)}`;
  const entries = Object.entries(b.args);
  for (let i = 0; i < entries.length; i++) {
    const [name, value] = entries[i];
    const theirs = a.args.find((word) => word.startsWith(`${name}=`))?.slice(name.length + 1) ?? a.args[i];
    if (theirs === undefined) continue;
    const text = typeof value === "string" ? value : undefined;
    if (text !== undefined && PATHS.has(name) && !NO_PATHS.has(a.name)) {
      const path = unquote(theirs);
      if (path !== undefined && path !== text) return `${name}: strace ${theirs}, skep ${JSON.stringify(text)}`;
    }
    if (typeof value === "object" && value !== null && typeof value.fd === "number") {
      const what = descriptor(theirs, value, b.pid);
      if (what !== undefined) return `${name}: ${what}`;
    }
    if (value !== null && valueDifference(theirs, value))
      return `${name}: strace ${theirs}, skep ${text ?? JSON.stringify(value)}`;
  }
  return undefined;
}

/** Whether two texts of one argument disagree, where both tools decode it; what only one decodes is not compared. */
function valueDifference(theirs, value) {
  if (typeof value === "object") {
    if (Array.isArray(value)) return wordsDiffer(theirs, value);
    return typeof value.data === "string" && bytesDiffer(theirs, value);
  }
  const text = String(value);
  if (NUMBER.test(text) && NUMBER.test(theirs)) return text !== theirs;
  if (OCTAL.test(text) && OCTAL.test(theirs)) return text !== theirs;
  if (STRUCTURE.test(text) && STRUCTURE.test(theirs)) return text !== plain(theirs);
  return FLAGS.test(text) && FLAGS.test(theirs) && flags(text) !== flags(theirs);
}

const NUMBER = /^-?(?:0|[1-9]\d*)$/;
const OCTAL = /^0[0-7]+$/;
/** Times, addresses of sockets and sets of signals, which both write out whole. */
const STRUCTURE = /^(?:\{(?:tv_sec|it_interval|sa_family|rlim_cur)=|~?\[(?:[A-Z]+[A-Z0-9_]*(?: |\]$))|\[\{tv_sec=)/;

/** strace's form of a structure as skep writes it: no comments, no C functions around addresses. */
const plain = (text) =>
  text
    .replace(/ \/\*.*?\*\//g, "")
    .replace(/htons\((\d+)\)/g, "$1")
    .replace(/inet_addr\("([^"]*)"\)/g, "$1")
    .replace(/inet_pton\(AF_INET6, "([^"]*)", &sin6_addr\)/g, "sin6_addr=$1")
    .replace(/, sin6_flowinfo=htonl\(0\)|, sin6_scope_id=0/g, "")
    .replace(/nl_groups=0+([0-9a-f]+)/g, "nl_groups=0x$1")
    // Bytes of an address that has no form of its own: each tool has its own escapes.
    .replace(/(sa_data=)"((?:[^"\\]|\\.)*)"/g, (_, name, data) => `${name}"${hexEscapes(unescapeC(data))}"`);

const hexEscapes = (text) => text.replace(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** A buffer: the beginning that skep copied, and all of it when that was all. Bytes that are no text are not compared. */
function bytesDiffer(theirs, { data, length }) {
  const whole = unquote(theirs);
  if (whole === undefined || data.includes("\ufffd") || whole.includes("\ufffd")) return false;
  // strace leaves out the NUL that ends an attribute.
  if (Buffer.byteLength(data) < length) return !whole.startsWith(data);
  return whole !== data && `${whole}\0` !== data;
}

/** A vector of strings, such as a program's arguments: as many as skep copied, each as far as it did. */
function wordsDiffer(theirs, words) {
  if (!theirs.startsWith("[") || !theirs.endsWith("]")) return false;
  const all = splitArguments(theirs.slice(1, -1)).map(unquote);
  return words.some(
    (word, i) => all[i] === undefined || !all[i].startsWith(word) || (word.length < 128 && all[i] !== word),
  );
}

/** Sets of named constants, with a rest in hexadecimal or octal. */
const FLAGS = /^[A-Z][A-Z0-9_]+(?:\|[A-Z0-9_x]+)*$/i;
const flags = (text) => text.toUpperCase().split("|").sort().join("|");

/** `3</path>` against `{fd: 3, path: "/path"}`. Names that are no paths (sockets, pipes) are each tool's own. */
function descriptor(text, { fd, path: given }, pid) {
  const match = /^(-?\d+|AT_FDCWD)(?:<(.*)>)?$/s.exec(text);
  if (match === null) return undefined;
  const path = given?.replace(/^\/proc\/self(?=\/|$)/, `/proc/${pid}`);
  if (match[1] !== "AT_FDCWD" && Number(match[1]) !== fd) return `strace ${text}, skep ${fd}`;
  const theirs =
    match[2] === undefined
      ? undefined
      : unescapeC(match[2])
          .replace(/ \(deleted\)$/, "")
          .replace(/<char \d+:\d+>$/, "");
  // What has no path (sockets, pipes) is named in each tool's own way.
  if (!theirs?.startsWith("/")) return undefined;
  if (path === undefined) return `strace ${text}, skep has no name for it`;
  return theirs === path || resolved(path) === theirs ? undefined : `strace ${text}, skep ${path}`;
}

/** Skep names a file as the program did, strace as /proc does: symbolic links are followed before they are compared. */
function resolved(path) {
  try {
    return realpathSync(path);
  } catch {
    // The file is gone; its folder may be there.
    try {
      return `${realpathSync(posix.dirname(path))}/${posix.basename(path)}`;
    } catch {
      return path;
    }
  }
}
