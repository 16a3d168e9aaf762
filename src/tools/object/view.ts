import { table } from "../text/index.ts";
import type { CheckResult } from "./check.ts";
import type { ObjectDescription } from "./describe.ts";
import type { LoadReport } from "./load.ts";

/** A description as a person reads it. */
export function formatDescription(object: ObjectDescription): string {
  const { programs, maps, variables, externs } = object;
  const types = object.types === 0 ? "no types" : `${object.types} types`;
  const parts = [`${object.byteOrder}-endian, ${types}`];
  if (programs.length > 0) {
    const rows = programs.map((program) => [
      program.name,
      program.section ?? program.type,
      `${program.instructions} instructions`,
      notes([
        program.functions.length > 1 ? `calls ${program.functions.slice(1).join(", ")}` : "",
        program.relocations > 0 ? `${program.relocations} CO-RE` : "",
        program.externs.length > 0 ? `wants ${program.externs.join(", ")}` : "",
        program.license === "" ? "no licence" : "",
        ...program.tags,
      ]),
    ]);
    parts.push(`programs\n${table(rows)}`);
  }
  if (maps.length > 0) {
    const rows = maps.map((map) => [
      map.name,
      map.type,
      `${map.keySize} → ${map.valueSize} bytes`,
      `${map.maxEntries} entries`,
      notes([...map.flags, map.pinned ? "pinned by name" : "", ...map.tags]),
    ]);
    parts.push(`maps\n${table(rows)}`);
  }
  if (variables.length > 0)
    parts.push(
      `variables\n${table(variables.map(({ name, map, offset, size }) => [name, `${map}+${offset}`, `${size} bytes`]))}`,
    );
  if (externs.length > 0)
    parts.push(`externs\n${table(externs.map(({ name, kind, weak }) => [name, kind, weak ? "weak" : ""]))}`);
  return parts.join("\n\n");
}

export function formatCheck({ programs, fits }: CheckResult): string {
  const rows = programs.map(({ name, fits: ok, problem, missing }) => [
    ok ? "ok" : "no",
    name,
    problem ?? (missing.length > 0 ? `as long as it does not reach what this kernel lacks: ${missing.join(", ")}` : ""),
  ]);
  return `${table(rows)}\n\n${fits ? "every program fits this kernel's types" : "not every program fits this kernel"}`;
}

export function formatLoad({ programs, maps }: LoadReport): string {
  const rows = [
    ...programs.map(({ name, type }) => ["program", name, type]),
    ...maps.map(({ name, type, pinned }) => ["map", name, type, pinned ?? ""]),
  ];
  return `${table(rows)}\n\nthe kernel took ${count(programs.length, "program")} and ${count(maps.length, "map")}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

function notes(all: readonly string[]): string {
  return all.filter((note) => note !== "").join(", ");
}
