import { parseArgs } from "node:util";
import type { OptionsAndCommand, OptionTable } from "./options.ts";
import { write } from "./print.ts";

/** A command that takes its options anywhere among its words. */
export interface CommandWords<T extends OptionTable> extends Pick<OptionsAndCommand<T>, "values"> {
  readonly words: readonly string[];
  /** Says what is wrong with them on standard error; the exit code for that. */
  readonly usage: (message: string) => number;
}

/**
 * The options and words of `skep NAME`, or its exit code where there is nothing more to do: the help was asked for, which is
 * printed, or there is no such option.
 */
export function readCommand<const T extends OptionTable & { readonly help: { readonly type: "boolean" } }>(
  name: string,
  help: string,
  options: T,
  args: readonly string[],
): CommandWords<T> | number {
  const usage = (message: string) => {
    process.stderr.write(`skep ${name}: ${message}\n`);
    return 2;
  };
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    if ((values as { readonly help?: boolean }).help !== true)
      return { values: values as CommandWords<T>["values"], words: positionals, usage };
    write(help);
    return 0;
  } catch (error) {
    return usage((error as Error).message);
  }
}
