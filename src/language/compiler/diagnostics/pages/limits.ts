import type { Pages } from "./page.ts";

/** EB5xxx: limits of the kernel or of the compiler. */
export const LIMITS: Pages = {};
