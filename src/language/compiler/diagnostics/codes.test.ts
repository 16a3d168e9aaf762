import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { PAGES } from "./index.ts";

const compiler = fileURLToPath(new URL("..", import.meta.url));

/** The codes that the compiler's own source has between quotes, with the files they are in. */
function reported(): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of readdirSync(compiler, { recursive: true, encoding: "utf8" })) {
    if (!entry.endsWith(".ts") || entry.endsWith(".test.ts") || entry.startsWith(join("diagnostics", "pages")))
      continue;
    const text = readFileSync(join(compiler, entry), "utf8");
    // Comments may name any code as an example.
    const bare = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    for (const [, code] of bare.matchAll(/["'`]((?:EB\d{4}|TS\d{4,5}))["'`]/g)) found.set(code as string, entry);
  }
  return found;
}

it("every code that is reported has a page", () => {
  const without = [...reported()].filter(([code]) => !Object.hasOwn(PAGES, code));
  expect(without).toEqual([]);
});

it("every page is about a code that is reported", () => {
  const codes = reported();
  expect(Object.keys(PAGES).filter((code) => !codes.has(code))).toEqual([]);
});
