/**
 * Where a descriptor was made: an Error whose stack names the call. It is formatted only when somebody asks, and then through
 * whatever maps positions back to the source (source maps of Node, tsx, vitest).
 */
export const ORIGIN: unique symbol = Symbol.for("skep.kernel.origin");

/** What remembers where it was made. */
export abstract class Descriptor {
  declare readonly [ORIGIN]: Error;

  constructor() {
    // Not enumerable: who prints or compares descriptors does not want it.
    Object.defineProperty(this, ORIGIN, { value: new Error("made here") });
  }
}
