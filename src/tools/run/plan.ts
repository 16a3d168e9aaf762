import type { Compiled, Manner, MapDecl } from "../../language/compiler/index.ts";
import type { Schedule } from "../../language/kernel/index.ts";
import type { Layout, ObjectSpec } from "../../sdk/index.ts";
import type { PrintFormat } from "../../sdk/kernel-typescript/index.ts";

/** What is run and shown: a compiled module, and what its parts mean to whoever looks on. */
export interface Plan {
  readonly spec: ObjectSpec;
  /** How its functions were made. */
  readonly manner: Manner;
  /** Rings whose events are shown as they come, with their events' fields; without where records are of several types. */
  readonly rings: readonly { readonly name: string; readonly event?: Layout }[];
  /** The ring that `print` writes to, and the forms of its records by number. */
  readonly print?: { readonly ring: string; readonly formats: readonly PrintFormat[] };
  /** Maps that are shown at the end, in the order of the source. */
  readonly shown: readonly ShownMap[];
  /** Programs that others go on in: they are not attached. */
  readonly continued: readonly string[];
  /** Programs that run at intervals. */
  readonly schedules: ReadonlyMap<string, Schedule>;
}

/** A map that is shown at the end: what it adds up, or plain. */
export interface ShownMap {
  readonly name: string;
  readonly aggregate?: NonNullable<MapDecl["aggregate"]>;
  /** It has no key. */
  readonly keyless: boolean;
}

const PLAIN: ReadonlySet<MapDecl["kind"]> = new Set([
  ...(["hash", "lruHash", "perCpuHash", "lruPerCpuHash", "array", "perCpuArray"] as const),
]);

/**
 * What there is to show of a module: events of its rings, aggregations, and the plain maps that it exports. Others are between its
 * programs alone.
 */
export function planOf(
  { module, manner }: Pick<Compiled, "module" | "manner">,
  spec: ObjectSpec,
  formats: readonly PrintFormat[],
): Plan {
  const rings = module.maps.flatMap(({ name, kind, prints }) => {
    if (kind !== "ringbuf" || prints) return [];
    const event = spec.maps[name]?.value;
    return [event === undefined ? { name } : { name, event }];
  });
  const printed = module.maps.find(({ prints }) => prints);
  const shown = module.maps.flatMap(({ name, kind, exported, aggregate }): ShownMap[] => {
    if (aggregate !== undefined) return [{ name, aggregate, keyless: kind === "array" || kind === "perCpuArray" }];
    return exported && PLAIN.has(kind) ? [{ name, keyless: false }] : [];
  });
  const schedules = module.functions.flatMap(({ name, program }): [string, Schedule][] =>
    program?.schedule === undefined ? [] : [[name, program.schedule]],
  );
  return {
    spec,
    manner,
    rings,
    ...(printed !== undefined && { print: { ring: printed.name, formats } }),
    shown,
    continued: module.maps.flatMap(({ programs = [] }) => programs),
    schedules: new Map(schedules),
  };
}
