/**
 * Names of the bits of a flags word, or of the values of an enumeration. Made from a text, `NAME value NAME value …`,
 * which is read when first needed: most programs use few of the many sets.
 */
export class FlagSet {
  readonly #source: string;
  readonly #kind: "flags" | "values";
  #names: Map<number, string> | undefined;
  #masks: readonly [number, string][] | undefined;
  // There are more than a hundred sets, most of which are never asked: what they need is made when they are.
  #known: Map<number, string> | undefined;

  private constructor(kind: "flags" | "values", source: string) {
    this.#kind = kind;
    this.#source = source;
  }

  /** Bits, or-ed. A name of value 0 is shown when no bit is set; a name of several bits comes before its parts. */
  static flags(source: string): FlagSet {
    return new FlagSet("flags", source);
  }

  static values(source: string): FlagSet {
    return new FlagSet("values", source);
  }

  /** The text of a value; unnamed bits in hexadecimal, an unnamed value as a number. */
  text(value: number): string {
    this.#known ??= new Map();
    let text = this.#known.get(value);
    if (text === undefined) {
      text = this.#kind === "flags" ? this.#flags(value >>> 0) : (this.name(value) ?? String(value));
      if (this.#known.size < 256) this.#known.set(value, text);
    }
    return text;
  }

  /** The name of exactly this value. */
  name(value: number): string | undefined {
    return (this.#names ?? this.#read()).get(value);
  }

  #flags(value: number): string {
    const names = this.#names ?? this.#read();
    if (value === 0) return names.get(0) ?? "0";
    let left = value;
    const parts: string[] = [];
    for (const [mask, name] of this.#masks ?? []) {
      if ((left & mask) >>> 0 === mask) {
        parts.push(name);
        left = (left & ~mask) >>> 0;
      }
    }
    if (left !== 0) parts.push(`0x${left.toString(16)}`);
    return parts.join("|");
  }

  #read(): Map<number, string> {
    const names = new Map<number, string>();
    const masks: [number, string][] = [];
    const words = this.#source.trim().split(/\s+/);
    for (let i = 0; i + 1 < words.length; i += 2) {
      const value = Number(words[i + 1]);
      const name = words[i] as string;
      if (!names.has(value)) names.set(value, name);
      if (value > 0) masks.push([value, name]);
    }
    this.#names = names;
    const bits = (n: number) => n.toString(2).replaceAll("0", "").length;
    // Several bits first, so that O_SYNC is not shown as O_DSYNC and a rest; else in the order they were written.
    this.#masks = masks
      .map((m, i) => [m, i] as const)
      .sort(([a, i], [b, j]) => bits(b[0]) - bits(a[0]) || i - j)
      .map(([m]) => m);
    return names;
  }
}
