// Objects loaded by libbpf and by Skep, program by program, and counted.
import { basename } from "node:path";
import { printCount } from "./causes.js";
import { compareProgram } from "./compare.js";
import { isTyped, ours } from "./ours.js";
import { theirs } from "./reference.js";

/** Counts, and the lines of what differs: `object program: text`. */
export function compareLoads(files, reference) {
  const totals = { objects: 0, big: 0, bothUnread: 0, readAlone: 0, programs: 0, same: 0, bothRefused: 0, oursOnly: 0 };
  const differences = [];
  for (const [at, file] of files.entries()) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${at + 1}/${files.length} ${basename(file)}`);
    compareObject(file, reference, totals, (text) => differences.push(`${basename(file)} ${text}`));
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  return { totals, differences };
}

function compareObject(file, reference, totals, differ) {
  totals.objects++;
  const answer = theirs(reference, file);
  if (answer.fault !== undefined) return differ(`: ${answer.fault}`);
  const own = ours(file);
  if (own.error !== undefined && !isTyped(own.error)) return differ(`: a fault of Skep's: ${own.error.stack}`);
  if (own.byteOrder === "big") totals.big++;
  if (answer.open !== undefined) {
    totals[own.error === undefined ? "readAlone" : "bothUnread"]++;
    return undefined;
  }
  if (own.error !== undefined) return differ(`: libbpf opens it, Skep does not: ${own.error.message}`);
  for (const record of answer.programs) {
    totals.programs++;
    const { kind, text } = compareProgram(record, own.program(record.program));
    if (kind === "difference") differ(`${record.program}: ${text}`);
    else totals[kind]++;
  }
  return undefined;
}

const ROWS = [
  ["bothUnread", "objects that neither opens"],
  ["readAlone", "objects that Skep alone opens"],
  ["same", "programs with the same instructions and the same answer of the kernel's"],
  ["bothRefused", "programs refused by both before the kernel is asked"],
  ["oursOnly", "programs loaded by Skep alone"],
];

export function printLoads({ objects, big, programs, ...totals }) {
  console.log(`${objects} objects${big > 0 ? ` (${big} that Skep reads are big-endian)` : ""}, ${programs} programs`);
  for (const [key, words] of ROWS) if (totals[key] > 0) printCount(totals[key], words);
}
