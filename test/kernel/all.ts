// The one entry of the kernel tests: every *.test.js beside this file, in one process, the same on host and guests.
import { readdirSync } from "node:fs";

const wanted = process.env["SKEP_TESTS"];
for (const file of readdirSync(new URL(".", import.meta.url)).sort()) {
  if (!file.endsWith(".test.js")) continue;
  if (wanted !== undefined && !wanted.split(",").some((word) => file.startsWith(word))) continue;
  await import(new URL(file, import.meta.url).href);
}
