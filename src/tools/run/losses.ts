import type { LoadedObject } from "../../sdk/index.ts";

/** What was lost or skipped, by the name of what lost it. */
export type Losses = Readonly<Record<string, number>>;

/** Behind a map's name: the variable in which its programs count what they could not put into it. */
const DROPPED = ".dropped";

/** What the programs counted as lost so far, by map and ring. */
export function readLosses(object: LoadedObject): Losses {
  return Object.fromEntries(
    Object.entries(object.variables).flatMap(([name, variable]): [string, number][] =>
      name.endsWith(DROPPED) ? [[name.slice(0, -DROPPED.length), Number(variable.get())]] : [],
    ),
  );
}

/** What one map or ring lost so far. */
export function lossOf(object: LoadedObject, map: string): number {
  return Number(object.variables[`${map}${DROPPED}`]?.get() ?? 0);
}

/** Times that the kernel skipped a program because the CPU was in the midst of it (`recursion_misses`), by program. */
export function readSkips(object: LoadedObject): Losses {
  return Object.fromEntries(
    Object.entries(object.programs).flatMap(([name, program]): [string, number][] => {
      const { recursionMisses } = program.details();
      return recursionMisses > 0n ? [[name, Number(recursionMisses)]] : [];
    }),
  );
}
