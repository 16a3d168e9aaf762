import type { LoadedObject } from "../../sdk/index.ts";

/** What was lost or skipped, by the name of what lost it. */
export type Losses = Readonly<Record<string, number>>;

/** Times that the kernel skipped a program because the CPU was in the midst of it (`recursion_misses`), by program. */
export function readSkips(object: LoadedObject): Losses {
  return Object.fromEntries(
    Object.entries(object.programs).flatMap(([name, program]): [string, number][] => {
      const { recursionMisses } = program.details();
      return recursionMisses > 0n ? [[name, Number(recursionMisses)]] : [];
    }),
  );
}
