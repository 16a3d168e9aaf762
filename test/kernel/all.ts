// The one entry of the kernel tests: every *.test.ts beside this file, as the build bundled it, in one process, the same on
// host and guests.
import { readdirSync } from "node:fs";

const wanted = process.env["SKEP_TESTS"];
const suite = new URL("../suite/", import.meta.url);
for (const file of readdirSync(suite).sort()) {
  if (!file.endsWith(".test.js")) continue;
  if (wanted !== undefined && !wanted.split(",").some((word) => file.startsWith(word))) continue;
  await import(new URL(file, suite).href);
}
