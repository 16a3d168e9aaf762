/**
 * Makes something of a copy of `make`, which must be self-contained: the copy is made from its text. The engine specialises a
 * function by what it saw in it: of readers that share one loop all would run its slow, general form, and only in a loop of
 * its own are a reader's memory and decoder constants. Where code generation is forbidden they share.
 */
export function specialise<Arguments extends readonly unknown[], Made>(
  make: (...args: Arguments) => Made,
  ...args: Arguments
): Made {
  let copy = make;
  try {
    copy = new Function(`return ${make.toString()}`)() as typeof make;
  } catch {
    // Forbidden (--disallow-code-generation-from-strings).
  }
  return copy(...args);
}

/** What a function's text makes of its parts, which are constants to it; undefined where code generation is forbidden. */
export function specialiseBody<Made>(parts: Readonly<Record<string, unknown>>, body: string): Made | undefined {
  try {
    return new Function(...Object.keys(parts), body)(...Object.values(parts)) as Made;
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return undefined;
  }
}
