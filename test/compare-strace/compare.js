// Compares what the two tools saw of one run.
import { basename } from "node:path";
import { causeOf } from "./causes.js";
import { differencesOf, fileOf } from "./differences.js";
import { pairUp } from "./pair.js";

/** @param {import("./record.js").Recording} recording */
export function compare({ strace, skep, losses }) {
  const tally = { compared: 0, files: 0, undecoded: [] };
  const causes = new Map();
  const problems = losses === "" ? [] : [`  Skep lost something: ${losses}`];
  let [calls, paired, unpaired] = [0, 0, 0];
  const renames = renamesIn(strace);
  const handedOver = handedOverIn(strace);
  const explained = (difference, context) => {
    const cause = causeOf(difference, context);
    if (cause !== undefined) causes.set(cause.id, (causes.get(cause.id) ?? 0) + 1);
    return cause !== undefined;
  };
  const alone = (event, what, tid) => {
    if (event.kind === "call") calls++;
    const where = event.kind === "call" ? event.name : event.kind === "signal" ? event.name : event.kind;
    if (explained({ what, where, strace: event.line, skep: event.line }, { event })) return;
    unpaired++;
    problems.push(`  ${tid}  ${what}: ${shorten(event.line)}`);
  };
  for (const tid of new Set([...strace.keys(), ...skep.keys()])) {
    const { pairs, onlyA, onlyB } = pairUp(strace.get(tid) ?? [], skep.get(tid) ?? []);
    for (const event of onlyA) alone(event, "only-strace", tid);
    for (const event of onlyB) alone(event, "only-skep", tid);
    for (const [i, [a, b]] of pairs.entries()) {
      if (a.kind === "call") calls++;
      const context = { next: pairs[i + 1]?.[0], renames, handedOver };
      const differences = differencesOf(a, b, tally).filter((one) => !explained(one, context));
      if (b.nr !== undefined && !Number.isNaN(a.nr) && a.nr !== b.nr)
        differences.push({ what: "number", where: a.name, strace: String(a.nr), skep: String(b.nr) });
      if (differences.length === 0) {
        if (a.kind === "call") paired++;
        continue;
      }
      unpaired++;
      for (const { what, where, strace: s, skep: k } of differences)
        problems.push(
          `  ${tid}  ${what} ${where}: strace ${shorten(s)}   skep ${shorten(k)}\n      ${shorten(a.line)}\n      ${shorten(b.line)}`,
        );
    }
  }
  return { calls, paired, unpaired, compared: tally.compared, undecoded: tally.undecoded, causes, problems };
}

/** The last parts of old and new names, of all that were given new ones. */
function renamesIn(threads) {
  const calls = [...threads.values()]
    .flat()
    .filter(({ name, result }) => /^rename/.test(name ?? "") && result.value === 0n);
  return calls.map(({ args }) =>
    args.filter(({ kind }) => kind === "string").map(({ bytes }) => basename(bytes.toString())),
  );
}

/** What the descriptors are open on that messages and pidfd_getfd brought. */
function handedOverIn(threads) {
  const files = new Set();
  for (const { name, line, result, args } of [...threads.values()].flat()) {
    if (name === "pidfd_getfd") for (const file of [result.file, args[1]?.file]) files.add(fileOf(file));
    if (name !== "recvmsg") continue;
    for (const [, list] of line.matchAll(/cmsg_type=SCM_RIGHTS, cmsg_data=\[(.*?)\]\}/g))
      for (const [, file] of list.matchAll(/\d+<(.*?)>(?:, |$)/g)) files.add(fileOf(file));
  }
  return files;
}

const shorten = (text) => (text.length > 260 ? `${text.slice(0, 260)}…` : text);
