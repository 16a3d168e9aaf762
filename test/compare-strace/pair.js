// Pairs the calls of one run as strace and as skep saw them, thread by thread, and says where they disagree.
import { realpathSync } from "node:fs";
import { posix } from "node:path";
import { resultOf, unescapeC, unquote } from "./parse-strace.js";

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
    const theirs = a.args[i];
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
    if (text !== undefined && FLAGS.test(text) && FLAGS.test(theirs) && flags(text) !== flags(theirs))
      return `${name}: strace ${theirs}, skep ${text}`;
  }
  return undefined;
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
