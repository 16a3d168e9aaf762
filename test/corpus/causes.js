// Differences that are known, each with its cause: causes.json.
import { readFileSync } from "node:fs";

const causes = JSON.parse(readFileSync(new URL("causes.json", import.meta.url), "utf8")).map((cause) => ({
  ...cause,
  match: new RegExp(cause.match),
}));

/** Prints a line of a report: how many, and of what. */
export function printCount(number, words) {
  console.log(`  ${String(number).padStart(5)} ${words}`);
}

/** Prints differences, those with a known cause as a number only. Returns how many have none. */
export function printDifferences(differences, all = false) {
  const unknown = [];
  const known = new Map();
  for (const line of differences) {
    const cause = causes.find(({ match }) => match.test(line));
    if (cause === undefined) unknown.push(line);
    else known.set(cause, [...(known.get(cause) ?? []), line]);
  }
  printCount(unknown.length, "differ");
  for (const line of unknown) console.log(`    ${line}`);
  for (const [{ cause }, lines] of known) {
    printCount(lines.length, `differ and it is known why: ${cause}`);
    if (all) for (const line of lines) console.log(`    ${line}`);
  }
  return unknown.length;
}
