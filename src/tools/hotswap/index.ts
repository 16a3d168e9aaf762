/** `skep hotswap` as a library: a hot update under load, and what became of each event. */
export { NumberedCalls } from "./numbered-calls.ts";
export { BEGIN, END, ending, MOST_CALLS, noteCall, noteMaps, pairSpec } from "./numbered-programs.ts";
export { HotswapError, type HotswapOptions, type HotswapReport, hotswap, type Spread } from "./run.ts";
export { formatHotswap } from "./view.ts";
