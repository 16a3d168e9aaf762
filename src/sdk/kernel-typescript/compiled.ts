import type { Manner } from "../../language/compiler/index.ts";
import type { Layout } from "../../object/codec/index.ts";
import type { ObjectSpec } from "../../object/spec/index.ts";

/** A place that prints: its texts and, between them, the fields of its record. */
export interface PrintFormat {
  readonly texts: readonly string[];
  readonly record: Layout;
}

/** What compiling a module gives, as plain data. */
export interface Compiled {
  readonly spec: ObjectSpec;
  /** How its functions were made. */
  readonly manner: Manner;
  /** By their numbers, which records of the ring `print` begin with. */
  readonly prints: readonly PrintFormat[];
}
