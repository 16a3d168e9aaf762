import { COMPILER } from "./compiler.ts";
import { LIMITS } from "./limits.ts";
import { MEMORY } from "./memory.ts";
import type { Page, Pages } from "./page.ts";
import { SYNTAX } from "./syntax.ts";
import { TARGET } from "./target.ts";
import { TSC } from "./tsc.ts";
import { TYPES } from "./types.ts";

export type { Page } from "./page.ts";

/** Every code that the compiler reports, and what there is to say about it. */
export const PAGES: Pages = { ...SYNTAX, ...TYPES, ...MEMORY, ...TARGET, ...LIMITS, ...COMPILER, ...TSC };

/** The page about a code; undefined when there is no such code. */
export function pageOf(code: string): Page | undefined {
  return Object.hasOwn(PAGES, code) ? PAGES[code] : undefined;
}
