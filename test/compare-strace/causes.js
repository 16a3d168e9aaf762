// Why the two may differ with neither at fault. causes.json lists the causes: each has a reason for people and a match as
// narrow as can be; `check` names a condition below that must hold, too.
import { readFileSync, realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * @typedef {object} Cause
 * @property {string} id
 * @property {string} reason
 * @property {object} match every field given must fit
 * @property {"result" | "file" | "argument" | "signal" | "only-strace" | "only-skep"} match.what
 * @property {string} [match.where] regular expressions, on the whole text
 * @property {string} [match.strace]
 * @property {string} [match.skep]
 * @property {string} [match.check]
 */

/** @type {readonly Cause[]} */
export const CAUSES = JSON.parse(readFileSync(new URL("causes.json", import.meta.url), "utf8"));

const CHECKS = {
  /** Both paths lead to one file. */
  "same-file": ({ strace, skep }) => {
    const real = realPath(skep);
    return real !== undefined && real === realPath(strace);
  },
  /** /proc/self and /proc/thread-self, which are other folders for each who looks. */
  "own-folder": ({ strace, skep }) => {
    const text = (path) =>
      path
        .replace(/^\/proc\/(?:self|\d+)\//, "/proc/N/")
        .replace(/^\/proc\/thread-self\//, "/proc/N/task/N/")
        .replace(/\/task\/\d+\//, "/task/N/");
    return /^\/proc\/(self|thread-self)\//.test(skep) && text(strace) === text(skep);
  },
  /** The file got another name since, by a call of this run. */
  renamed: ({ strace, skep }, { renames }) =>
    renames.some(([from, to]) => basename(skep) === from && strace === join(dirname(skep), to)),
  /** It came by a message or from another process: no call of this one opened it. */
  "handed-over": ({ strace }, { handedOver }) => handedOver.has(strace),
  /** The value ends with the NUL that C strings end with. */
  "one-more-nul": ({ strace, skep }) => skep === `${strace.slice(0, -1)}\\u0000"`,
  /** Behind the call comes nothing but the end of its thread, in strace's view. */
  "last-of-thread": (_, { next }) => next === undefined || next.kind === "end",
  /** What strace appends is all that differs. */
  "removed-since": ({ strace, skep }) => strace === `${skep} (deleted)`,
  "without-a-name": ({ strace, skep }) =>
    skep.endsWith("/(unnamed)") && strace.replace(/#\d+ \(deleted\)$/, "(unnamed)") === skep,
};

function realPath(path) {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

const patterns = new Map();
function fits(pattern, text) {
  if (pattern === undefined) return true;
  let regex = patterns.get(pattern);
  if (regex === undefined) {
    regex = new RegExp(`^(?:${pattern})$`, "s");
    patterns.set(pattern, regex);
  }
  return regex.test(text);
}

/** The cause of a difference; undefined when there is none. */
export function causeOf(difference, context) {
  return CAUSES.find(({ match }) => {
    if (match.what !== difference.what) return false;
    if (
      !fits(match.where, difference.where) ||
      !fits(match.strace, difference.strace) ||
      !fits(match.skep, difference.skep)
    )
      return false;
    return match.check === undefined || CHECKS[match.check](difference, context);
  });
}
