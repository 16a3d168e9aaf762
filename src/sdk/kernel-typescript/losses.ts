import type { LoadedObject } from "../../runtime/load/index.ts";

/**
 * The end of the variables in which programs count what a map or a ring had no room for: `opened.dropped` (the compiler's
 * `lossVariable`, which is not asked, as that would load the compiler).
 */
const LOSS = ".dropped";

/** How often each map and ring had no room so far. */
export function lossesOf(object: LoadedObject): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(object.variables).flatMap(([name, variable]): [string, number][] =>
      name.endsWith(LOSS) ? [[name.slice(0, -LOSS.length), Number(variable.get())]] : [],
    ),
  );
}

/** Tells how often one of them had no room so far; undefined where no program can find it full. */
export function lossCounter(object: LoadedObject, name: string): (() => number) | undefined {
  const variable = Object.hasOwn(object.variables, name + LOSS) ? object.variables[name + LOSS] : undefined;
  return variable === undefined ? undefined : () => Number(variable.get());
}
