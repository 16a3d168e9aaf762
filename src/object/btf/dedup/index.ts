export { type Deduplicated, dedup } from "./dedup.ts";
