import { compatArch, parseCompatFilter, parseSyscallFilter } from "../../machine/proc/index.ts";
import { cloneNumbers, fileCalls, nameOfCall } from "./names.ts";
import { openedAs } from "./open-sockets.ts";
import { CallCounter, sumStatistics } from "./statistics.ts";
import { Tracker } from "./tracker.ts";
import { formatDuration } from "./view/duration.ts";
import { JsonView } from "./view/json-view.ts";
import { LinesView } from "./view/lines-view.ts";
import { formatHistograms, formatSummary } from "./view/summary-view.ts";

const all = {
  CallCounter,
  cloneNumbers,
  compatArch,
  fileCalls,
  formatDuration,
  formatHistograms,
  formatSummary,
  JsonView,
  LinesView,
  nameOfCall,
  openedAs,
  parseCompatFilter,
  parseSyscallFilter,
  sumStatistics,
  Tracker,
};

export type Reading = typeof all;

/**
 * What it takes to read a trace: names, decoding, views. In the command it is a chunk of its own (reading-chunk.ts), which
 * is loaded while the kernel's verifier looks at the programs.
 */
export function reading(): Reading {
  return all;
}
