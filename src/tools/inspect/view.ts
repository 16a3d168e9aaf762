import { uptime } from "node:os";
import { flagNames } from "../object/index.ts";
import { table } from "../text/index.ts";
import { holderText } from "./holders.ts";
import type { LinkReport } from "./link-report.ts";
import type { MapReport } from "./map-entries.ts";
import type { ProfileReport } from "./profile.ts";
import type { ProgramReport } from "./program-report.ts";
import { valueText } from "./value-text.ts";

/** How much of a list of holders or places stands in one row. */
const MOST = 3;

function short(all: readonly string[]): string {
  const more = all.length - MOST;
  return more > 0 ? `${all.slice(0, MOST).join(", ")} and ${more} more` : all.join(", ");
}

function holders(report: { readonly holders: MapReport["holders"] }): string {
  return short(report.holders.map((holder) => holderText([holder])));
}

/** A table with a heading; `empty` where there is nothing. */
function listed(heading: readonly string[], rows: readonly (readonly string[])[], empty: string): string {
  return rows.length === 0 ? empty : table([heading, ...rows], "");
}

/** A table of programs, one a line. */
export function formatPrograms(all: readonly ProgramReport[]): string {
  const rows = all.map((report) => {
    const { id, type, name, mapIds } = report.details;
    return [
      String(id),
      type,
      name,
      short(report.attached.map(({ target }) => target)),
      mapIds.join(","),
      holders(report),
    ];
  });
  return listed(["id", "type", "name", "attached to", "maps", "held by"], rows, "no program is loaded");
}

/** A table of maps, one a line. */
export function formatMaps(all: readonly MapReport[]): string {
  const rows = all.map((report) => {
    const { id, type, name, keySize, valueSize, maxEntries } = report.details;
    const size = `${keySize} → ${valueSize}`;
    return [String(id), type, name, size, String(maxEntries), report.programIds.join(","), holders(report)];
  });
  return listed(["id", "type", "name", "bytes", "entries", "programs", "held by"], rows, "there is no map");
}

/** A table of links, one a line. */
export function formatLinks(all: readonly LinkReport[]): string {
  const rows = all.map((report) => {
    const { id, type, programId } = report.details;
    return [String(id), type, programId === 0 ? "" : String(programId), report.target, holders(report)];
  });
  return listed(["id", "type", "program", "attached to", "held by"], rows, "there is no link");
}

/** Names and values, one a line; what is not known is left out. */
function sheet(title: string, lines: readonly (readonly [string, string | undefined])[]): string {
  const shown = lines.flatMap(([name, value]) => (value === undefined || value === "" ? [] : [[name, value]]));
  return `${title}\n${table(shown)}`;
}

/** All that is known of a program, one thing a line. */
export function formatProgram(report: ProgramReport): string {
  const { details, attached } = report;
  const { verifiedInstructions, runCount, runTimeNs, recursionMisses, interfaceIndex } = details;
  return sheet(`program ${details.id}: ${details.type} ${details.name}`, [
    ["tag", details.tag],
    ["licence", details.gplCompatible ? "GPL compatible" : "not GPL compatible"],
    ["loaded", `${bootTime(details.loadedAt)} by uid ${details.uid}`],
    [
      "instructions",
      details.translatedBytes === 0 ? undefined : `${details.translatedBytes / 8} (${details.translatedBytes} bytes)`,
    ],
    ["verified", verifiedInstructions === 0 ? undefined : `${verifiedInstructions} instructions on all paths`],
    ["machine code", details.machineBytes === 0 ? undefined : `${details.machineBytes} bytes`],
    ["maps", details.mapIds.join(", ")],
    ["types", details.btfId === 0 ? undefined : `BTF ${details.btfId}`],
    ["loaded for", report.loadedFor],
    ["offloaded to", interfaceIndex === 0 ? undefined : `interface ${interfaceIndex}`],
    ["runs", runCount === 0n ? undefined : `${runCount}, ${runTimeNs} ns`],
    ["skipped", recursionMisses === 0n ? undefined : `${recursionMisses} runs, as it was running already`],
    ...attached.map(({ linkId, target }) => ["attached to", `${target} (link ${linkId})`] as const),
    ["held by", holderText(report.holders)],
  ]);
}

/** All that is known of a map, one thing a line. */
export function formatMap(report: MapReport): string {
  const { details } = report;
  return sheet(`map ${details.id}: ${details.type} ${details.name}`, [
    ["keys", `${details.keySize} bytes`],
    ["values", `${details.valueSize} bytes`],
    ["entries", `at most ${details.maxEntries}`],
    ["flags", flagNames(details.flags).join(", ")],
    ["extra", details.extra === 0n ? undefined : `0x${details.extra.toString(16)}`],
    ["memory", details.memory === undefined ? undefined : `${details.memory} bytes`],
    ["frozen", details.frozen === true ? "user space cannot change it" : undefined],
    [
      "types",
      details.btfId === 0 ? undefined : `BTF ${details.btfId}: key ${details.keyType}, value ${details.valueType}`,
    ],
    ["programs", report.programIds.join(", ")],
    ["held by", holderText(report.holders)],
  ]);
}

/** All that is known of a link, one thing a line. */
export function formatLink(report: LinkReport): string {
  const { id, type, programId, ...details } = report.details;
  const more = Object.entries(details).map(([name, value]) => [words(name), shown(value)] as const);
  return sheet(`link ${id}: ${type}`, [
    ["attached to", report.target],
    ["program", programId === 0 ? undefined : String(programId)],
    ...more,
    ["held by", holderText(report.holders)],
  ]);
}

function shown(value: unknown): string | undefined {
  if (value === undefined || value === 0n) return undefined;
  if (Array.isArray(value)) return value.map(String).join(", ");
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return valueText(value);
  return Object.entries(value)
    .map(([name, item]) => `${words(name)} ${String(item)}`)
    .join(", ");
}

/** `attachType` → `attach type`. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** The time of day of a moment after the machine's start. */
function bootTime(ns: bigint): string {
  // Both count while the machine sleeps, too.
  const age = Math.max(0, uptime() * 1000 - Number(ns / 1_000_000n));
  return new Date(Date.now() - age).toISOString().replace("T", " ").slice(0, 19);
}

/** A table of how often and how long programs ran. */
export function formatProfile({ seconds, programs: rows }: ProfileReport): string {
  const ran = rows.filter(({ runs, recursionMisses }) => runs > 0 || recursionMisses > 0);
  const idle = rows.length - ran.length;
  const still = idle === 0 ? "" : `${idle} of ${rows.length} programs did not run in ${Number(seconds.toFixed(2))} s`;
  if (ran.length === 0) return still === "" ? "no program is loaded" : still;
  const text = table(
    [
      ["id", "type", "name", "runs", "runs/s", "ns/run", "CPU", "skipped"],
      ...ran.map((row) => [
        String(row.id),
        row.type,
        row.name,
        String(row.runs),
        String(row.runsPerSecond),
        String(row.nsPerRun),
        `${(row.cpu * 100).toFixed(2)} %`,
        row.recursionMisses === 0 ? "" : String(row.recursionMisses),
      ]),
    ],
    "",
  );
  return still === "" ? text : `${text}\n${still}`;
}
