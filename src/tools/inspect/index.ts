/** `skep prog`, `skep map` and `skep link` as a library: what is loaded and attached, who holds it, and what maps hold. */
export { findHolders, type Holders, type HoldingProcess, holderText } from "./holders.ts";
export { InspectError } from "./inspect-error.ts";
export { LINKS, type LinkReport, TargetNames } from "./link-report.ts";
export {
  changeText,
  deleteEntry,
  type Entry,
  entriesOf,
  entryText,
  getEntry,
  MAPS,
  type MapReport,
  setEntry,
} from "./map-entries.ts";
export { type MapTypes, type TypedMap, withTypes } from "./map-types.ts";
export { type ProfileReport, type ProgramProfile, profilePrograms } from "./profile.ts";
export { formatDump, formatMachineCode, PROGRAMS, type ProgramReport, runProgram } from "./program-report.ts";
export { type Openable, openAll, openOne, readSelection, type Selection } from "./select.ts";
export { Snapshot } from "./snapshot.ts";
export { hexText, valueText } from "./value-text.ts";
export {
  formatLink,
  formatLinks,
  formatMap,
  formatMaps,
  formatProfile,
  formatProgram,
  formatPrograms,
} from "./view.ts";
export { type MapChange, watchMap } from "./watch.ts";
