import type { ObjectSpec } from "../../object/spec/index.ts";
import { VerifierError } from "../../runtime/load/index.ts";

/** Something that was compiled. */
interface Loadable {
  readonly spec: ObjectSpec;
}

/**
 * Loads what was compiled. How much the verifier has to go through is an estimate of the compiler's, and what it sees in a program
 * depends on its form: where it refuses one, `others` are what the sources become in other ways, tried in their order. Gives what
 * came of it, and which one it was. When none is taken, the first error is thrown.
 */
export async function loadOtherwise<C extends Loadable, T>(
  compiled: C,
  others: () => Iterable<C> | AsyncIterable<C>,
  load: (compiled: C) => T,
): Promise<{ readonly loaded: T; readonly compiled: C }> {
  try {
    return { loaded: load(compiled), compiled };
  } catch (error) {
    if (!(error instanceof VerifierError)) throw error;
    for await (const other of others())
      try {
        return { loaded: load(other), compiled: other };
      } catch (again) {
        if (!(again instanceof VerifierError)) throw again;
      }
    throw error;
  }
}
