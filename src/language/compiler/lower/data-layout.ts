import type { GlobalDecl, MapDecl, Module } from "../hir.ts";
import { alignOf, sizeOf } from "../type.ts";

/** The maps that hold variables and counters, by the names that instructions and the object have for them. */
export type DataSection = ".rodata" | ".data" | ".bss" | typeof LOSSES;

/**
 * The array of one value that counts what was lost: a u64 for each map that can lose something, at the offsets of
 * `DataLayout.losses`. Records of rings that found no room, elements of maps that could not be put in. Behind them there may be
 * one that stays 0 (`Lowering.unknownZero`).
 */
export const LOSSES = ".losses";

/** Where variables and loss counters stand. */
export interface DataLayout {
  readonly globals: ReadonlyMap<GlobalDecl, { readonly section: DataSection; readonly offset: number }>;
  /** Bytes of each section that has any. */
  readonly sizes: Map<DataSection, number>;
  /** Offsets in `.losses`. */
  readonly losses: ReadonlyMap<MapDecl, number>;
  /** Where in `.rodata`, behind the parameters, so many zeros stand: what new values of maps begin as. */
  zeros(size: number): number;
}

/** Params go to `.rodata`; globals to `.bss` when they begin as zeros, else to `.data`; each at a multiple of its alignment. */
export function layoutData(module: Module): DataLayout {
  const globals = new Map<GlobalDecl, { section: DataSection; offset: number }>();
  const sizes = new Map<DataSection, number>();
  for (const global of module.globals) {
    const section = sectionOf(global);
    const offset = roundUp(sizes.get(section) ?? 0, Math.min(8, alignOf(global.type)));
    globals.set(global, { section, offset });
    sizes.set(section, offset + sizeOf(global.type));
  }
  for (const [section, size] of sizes) sizes.set(section, roundUp(size, 8));
  const losses = new Map<MapDecl, number>();
  for (const map of module.maps) if (canLose(map)) losses.set(map, losses.size * 8);
  if (losses.size > 0) sizes.set(LOSSES, losses.size * 8);
  const params = sizes.get(".rodata") ?? 0;
  const zeros = (size: number): number => {
    sizes.set(".rodata", Math.max(sizes.get(".rodata") ?? 0, params + roundUp(size, 8)));
    return params;
  };
  return { globals, sizes, losses, zeros };
}

function sectionOf({ kind, initial }: GlobalDecl): DataSection {
  if (kind === "param") return ".rodata";
  return initial.every((byte) => byte === 0) ? ".bss" : ".data";
}

/** Whether anything that is put into it may find no room, or lose a race. */
function canLose({ kind, aggregate, filledOutside }: MapDecl): boolean {
  if (kind === "stackTrace" || kind === "progArray" || kind === "cgroupArray" || filledOutside) return false;
  return (kind !== "array" && kind !== "perCpuArray") || aggregate?.kind === "min" || aggregate?.kind === "max";
}

export function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
