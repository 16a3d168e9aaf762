import type { ObjectSpec } from "../../object/spec/index.ts";
import { gaveUp } from "../../object/verifier/index.ts";
import { VerifierError } from "../../runtime/load/index.ts";

/** Something that was compiled. */
interface Loadable {
  readonly spec: ObjectSpec;
}

/**
 * Loads what was compiled. How much the verifier has to go through is an estimate of the compiler's: where it gives up, `others` are
 * what the sources become when it is spared, tried in their order. Gives what came of it, and which one it was. When none is
 * taken, the first error is thrown.
 */
export async function loadOtherwise<C extends Loadable, T>(
  compiled: C,
  others: () => Iterable<C> | AsyncIterable<C>,
  load: (compiled: C) => T,
): Promise<{ readonly loaded: T; readonly compiled: C }> {
  try {
    return { loaded: load(compiled), compiled };
  } catch (error) {
    if (!(error instanceof VerifierError) || !isTooMuch(error.log)) throw error;
    for await (const other of others())
      try {
        return { loaded: load(other), compiled: other };
      } catch (again) {
        if (!(again instanceof VerifierError)) throw again;
      }
    throw error;
  }
}

/**
 * Whether another form may do, by the verifier's log: it gave up. Before Linux 6.8 it may also see a loop that does not end where
 * much is kept on the stack.
 */
export function isTooMuch(log: string): boolean {
  return gaveUp(log) || log.includes("infinite loop detected");
}
