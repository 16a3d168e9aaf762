import type { Expr, GlobalDecl, Local, Place } from "../hir.ts";
import type { Type } from "../type.ts";

/** The place that an aggregate stands at. */
export function placeOf(value: Expr): Place {
  return value.op === "read" ? value.place : temporaryPlace(value);
}

/** A place that a value is put to first. */
export function temporaryPlace(value: Expr): Place {
  return { base: { kind: "temporary", value }, offset: 0, indices: [], type: value.type, span: value.span };
}

/** The aggregate that a reference points to. */
export function contentOf(value: Expr): Expr {
  if (value.type.kind !== "reference") return value;
  return readPlace(pointerPlace(value, value.type.to));
}

/** A place behind an address. */
export function pointerPlace(pointer: Expr, type: Type): Place {
  return { base: { kind: "pointer", pointer }, offset: 0, indices: [], type, span: pointer.span };
}

/** The place of an aggregate variable. */
export function localPlace(local: Local, span: Place["span"]): Place {
  return { base: { kind: "local", local }, offset: 0, indices: [], type: local.type, span };
}

/** What stands at a place, as an expression: kernel structs and what is reached by address give the address. */
export function readPlace(place: Place): Expr {
  return { op: "read", place, type: place.type, span: place.span };
}

/** `param` and `global` by name: what stands there. */
export function globalPlace(global: GlobalDecl, span: Expr["span"]): Place {
  return { base: { kind: "global", global }, offset: 0, indices: [], type: global.type, span };
}
