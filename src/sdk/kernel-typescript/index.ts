/** What Skep's own tools use of the way from kernel TypeScript to a loaded program; `skep` offers `load` instead. */
export { gatherSources, sourceOf } from "./gather-sources.ts";
export { ImageCache } from "./image-cache.ts";
export { liveTarget } from "./target.ts";
