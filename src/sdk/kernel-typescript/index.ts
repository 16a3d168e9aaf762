/** What Skep's own tools use of the way from kernel TypeScript to a loaded program; `skep` offers `load` instead. */
export { type AggregateKind, bucketsByKey, joinValues, type KeyBuckets, quantile } from "./aggregate-values.ts";
export type { PrintFormat } from "./compiled.ts";
export { gatherSources, sourceOf } from "./gather-sources.ts";
export { ImageCache } from "./image-cache.ts";
export { printedLine } from "./live-prints.ts";
export { loadOtherwise } from "./load-otherwise.ts";
export { lossCounter, lossesOf } from "./losses.ts";
export { recordTarget } from "./record-target.ts";
export { attachSchedule } from "./schedule.ts";
export { shownPath } from "./shown-path.ts";
export { liveTarget } from "./target.ts";
