// Differences that are known, each with its cause: causes.json.
import { readFileSync } from "node:fs";

const causes = JSON.parse(readFileSync(new URL("causes.json", import.meta.url), "utf8")).map((cause) => ({
  ...cause,
  match: new RegExp(cause.match),
}));

/** Prints differences, those with a known cause as a number only. Returns how many have none. */
export function printDifferences(differences, all = false) {
  const unknown = [];
  const known = new Map();
  for (const line of differences) {
    const cause = causes.find(({ match }) => match.test(line));
    if (cause === undefined) unknown.push(line);
    else known.set(cause, [...(known.get(cause) ?? []), line]);
  }
  console.log(`  ${String(unknown.length).padStart(5)} differ`);
  for (const line of unknown) console.log(`    ${line}`);
  for (const [{ cause }, lines] of known) {
    console.log(`  ${String(lines.length).padStart(5)} differ and it is known why: ${cause}`);
    if (all) for (const line of lines) console.log(`    ${line}`);
  }
  return unknown.length;
}
