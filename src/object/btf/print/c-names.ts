import type { Btf } from "../btf.ts";

/** C's words, up to C23 where compilers take them as such by default, and types that compilers know by themselves. */
const RESERVED: ReadonlySet<string> = new Set(
  `alignas alignof asm auto break case char const constexpr continue default do double else enum extern float for goto if
  inline int long register restrict return short signed sizeof static struct switch typedef typeof union unsigned void
  volatile while _Alignas _Alignof _Atomic _Bool _Complex _Generic _Imaginary _Noreturn _Static_assert _Thread_local
  __int128 __builtin_va_list __builtin_ms_va_list`.split(/\s+/),
);

const known = new WeakMap<Btf, CNames>();

/**
 * The names of a table's types in C, where structs, unions and enums share one space and typedefs and the values of enums
 * another. The first type of a name has it, others a flavour of it that CO-RE does not see: `name___2`. Names are the same
 * whichever types are printed.
 */
export class CNames {
  readonly #btf: Btf;
  readonly #names = new Map<number, string>();
  readonly #values = new Map<number, readonly string[]>();

  private constructor(btf: Btf) {
    this.#btf = btf;
    const tags = new Names();
    const forwards: number[] = [];
    const tagged: number[] = [];
    const typedefs: number[] = [];
    const enums: number[] = [];
    for (let id = 1; id < btf.endId; id++) {
      const kind = btf.kind(id);
      if (kind === "forward") forwards.push(id);
      else if (kind === "typedef") typedefs.push(id);
      else if (kind === "struct" || kind === "union" || kind === "enum" || kind === "enum64") {
        if (btf.type(id).name !== "") tagged.push(id);
        if (kind === "enum" || kind === "enum64") enums.push(id);
      }
    }
    for (const [id, name] of tags.assign(tagged, (id) => btf.type(id).name)) this.#names.set(id, name);
    this.#nameForwards(forwards, tagged, tags);
    const ordinary = new Names();
    for (const [id, name] of ordinary.assign(typedefs, (id) => btf.type(id).name)) this.#names.set(id, name);
    this.#nameValues(enums, ordinary);
  }

  static of(btf: Btf): CNames {
    let names = known.get(btf);
    if (names === undefined) {
      names = new CNames(btf);
      known.set(btf, names);
    }
    return names;
  }

  /** "" for a type without a name. */
  name(id: number): string {
    return this.#names.get(id) ?? "";
  }

  /** The names of an enum's values, in order. */
  values(id: number): readonly string[] {
    return this.#values.get(id) ?? [];
  }

  /** Declarations are of the first definition of their name and keyword, or of one that is not there. */
  #nameForwards(forwards: readonly number[], tagged: readonly number[], tags: Names): void {
    const named = new Map<string, string>();
    for (const id of tagged) {
      const { kind, name } = this.#btf.type(id);
      const key = `${kind} ${name}`;
      if (!named.has(key)) named.set(key, this.name(id));
    }
    for (const id of forwards) {
      const type = this.#btf.type(id);
      const key = `${type.kind === "forward" && type.union ? "union" : "struct"} ${type.name}`;
      const name = named.get(key) ?? tags.take(type.name);
      named.set(key, name);
      this.#names.set(id, name);
    }
  }

  #nameValues(enums: readonly number[], ordinary: Names): void {
    const values = enums.flatMap((id) => {
      const type = this.#btf.type(id);
      return type.kind === "enum" || type.kind === "enum64" ? type.values.map(({ name }) => ({ id, name })) : [];
    });
    const names = ordinary.assign(values, ({ name }) => name);
    for (const { id } of values) if (!this.#values.has(id)) this.#values.set(id, []);
    for (const [{ id }, name] of names) (this.#values.get(id) as string[]).push(name);
  }
}

/** A name of a member, whose space is its own. */
export function memberName(name: string): string {
  const word = identifier(name);
  return RESERVED.has(word) ? `${word}_` : word;
}

class Names {
  readonly #used = new Set(RESERVED);

  /** Names for all, in order: those that are first of their name keep it, also where an earlier one is to be renamed. */
  assign<T>(all: readonly T[], nameOf: (one: T) => string): readonly (readonly [T, string])[] {
    const own = all.map((one) => {
      const name = identifier(nameOf(one));
      if (this.#used.has(name)) return undefined;
      this.#used.add(name);
      return name;
    });
    return all.map((one, i) => [one, own[i] ?? this.take(nameOf(one))]);
  }

  take(wanted: string): string {
    const name = identifier(wanted);
    let free = name;
    for (let n = 2; this.#used.has(free); n++) free = `${name}___${n}`;
    this.#used.add(free);
    return free;
  }
}

/** Other languages' names hold what C's cannot. */
function identifier(name: string): string {
  const word = name.replace(/[^A-Za-z0-9_]/g, "_");
  return /^\d/.test(word) ? `_${word}` : word;
}
