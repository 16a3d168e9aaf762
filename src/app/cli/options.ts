/** Options as node:util's parseArgs takes them. */
export type OptionTable = Readonly<
  Record<string, { readonly type: "string" | "boolean"; readonly short?: string; readonly multiple?: boolean }>
>;

type Value<T extends OptionTable[string]> = T["type"] extends "boolean"
  ? boolean
  : T extends { readonly multiple: true }
    ? string[]
    : string;

export interface OptionsAndCommand<T extends OptionTable> {
  readonly values: { [K in keyof T]?: Value<T[K]> };
  /** The words from the first on that is no option or an option's value, or that stand behind `--`. */
  readonly command: string[];
}

/**
 * Reads options that are written in the plainest way, each a word of its own (`-o FILE`, `--json`), up to the command.
 * Undefined for anything else: parseArgs then reads all of it, and says what is wrong. Loading that takes a millisecond
 * that most starts need not wait for.
 */
export function readPlainOptions<const T extends OptionTable>(
  args: readonly string[],
  table: T,
): OptionsAndCommand<T> | undefined {
  const values: Record<string, string | boolean | string[]> = {};
  for (let i = 0; i < args.length; i++) {
    const word = args[i] as string;
    if (word === "--") return { values: values as never, command: args.slice(i + 1) };
    if (word[0] !== "-" || word === "-") return { values: values as never, command: args.slice(i) };
    const name = optionName(word, table);
    const option = name === undefined ? undefined : table[name];
    if (name === undefined || option === undefined) return undefined;
    if (option.type === "boolean") {
      values[name] = true;
      continue;
    }
    const value = args[++i];
    // A value that looks like an option is for parseArgs to judge.
    if (value === undefined || (value[0] === "-" && value !== "-")) return undefined;
    if (option.multiple === true) values[name] = [...((values[name] as string[] | undefined) ?? []), value];
    else values[name] = value;
  }
  return { values: values as never, command: [] };
}

function optionName(word: string, table: OptionTable): string | undefined {
  if (word.startsWith("--")) {
    const name = word.slice(2);
    return Object.hasOwn(table, name) ? name : undefined;
  }
  if (word.length !== 2) return undefined;
  for (const name in table) if (table[name]?.short === word[1]) return name;
  return undefined;
}
