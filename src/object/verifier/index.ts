/** What the kernel's verifier says of a program that it refuses: its log as data, its sentences in other words. */
export { type Branch, parseLog, type Step, type VerifierLog } from "./parse-log.ts";
export { registerWords } from "./register-words.ts";
export { type BrokenRule, brokenRule, gaveUp } from "./rules.ts";
