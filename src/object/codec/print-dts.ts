import type { Btf, EnumType, Member, StructType } from "../btf/index.ts";
import { layoutOf } from "./from-btf.ts";
import type { Layout } from "./layout.ts";

/** Words that TypeScript does not take as names of types. */
const RESERVED: ReadonlySet<string> = new Set(
  `any as asserts async await bigint boolean break case catch class const continue debugger default delete do else enum export
  extends false finally for function if implements import in infer instanceof interface is keyof let never new null number
  object package private protected public readonly return satisfies static string super switch symbol this throw true try
  type typeof undefined unique unknown var void while with yield Uint8Array`.split(/\s+/),
);

/**
 * TypeScript declarations of how values of these BTF types read, by the rules of `layoutOf`: an interface for each struct, and
 * for those in it; enums as numbers (bigints of 64 bits) with their values told; what reads as bytes as `Uint8Array`. Names
 * are C's; a second type of the same name, or one called like a word of TypeScript, is `name_2`. Throws BtfError for an id
 * that there is not, and a type that has no size.
 */
export function printDts(btf: Btf, ids: Iterable<number>): string {
  const printer = new DtsPrinter(btf);
  for (const id of ids) printer.add(id);
  return printer.text();
}

class DtsPrinter {
  readonly #btf: Btf;
  readonly #names = new Map<number, string>();
  readonly #used = new Set(RESERVED);
  readonly #out: string[] = [];

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  add(id: number): void {
    const type = this.#btf.type(id);
    const value = this.#value(id);
    // An interface or enum has been declared under its own name; others get one.
    if (type.name === "" || this.#names.get(this.#btf.resolve(id)) === value) return;
    this.#out.push(`export type ${this.#take(type.name)} = ${value};\n`);
  }

  text(): string {
    return this.#out.join("\n");
  }

  /** How a value reads. A type without a name is called as the typedef before it. */
  #value(id: number): string {
    const resolved = this.#btf.resolve(id);
    const known = this.#names.get(resolved);
    if (known !== undefined) return known;
    const type = this.#btf.type(resolved);
    const layout = layoutOf(this.#btf, id);
    const alias = type.name === "" ? this.#btf.type(id).name : type.name;
    if (type.kind === "array" && layout.kind === "array") return `readonly ${this.#element(type.element)}[]`;
    if (type.kind === "struct" && layout.kind === "struct") return this.#interface(resolved, type, alias);
    if ((type.kind === "enum" || type.kind === "enum64") && layout.kind !== "bytes")
      return this.#enum(resolved, type, alias, plain(layout));
    return plain(layout);
  }

  #element(id: number): string {
    const value = this.#value(id);
    return /^readonly |[|&]/.test(value) ? `(${value})` : value;
  }

  #interface(id: number, type: StructType, alias: string): string {
    const name = alias === "" ? undefined : this.#take(alias);
    if (name !== undefined) this.#names.set(id, name);
    const fields = this.#fields(type).map(({ name: field, type: of }) => `readonly ${key(field)}: ${this.#value(of)};`);
    if (name === undefined) return fields.length === 0 ? "Record<string, never>" : `{ ${fields.join(" ")} }`;
    const lines = fields.map((field) => `  ${field}\n`).join("");
    this.#out.push(
      `/** \`struct ${comment(type.name || alias)}\`, ${type.size} bytes. */\nexport interface ${name} {\n${lines}}\n`,
    );
    return name;
  }

  /** Members of unnamed structs are among their holder's; `layoutOf` has seen that none is there twice. */
  #fields(type: StructType): Member[] {
    return type.members.flatMap((member) => {
      const inner = this.#btf.type(this.#btf.resolve(member.type));
      return member.name === "" && inner.kind === "struct" ? this.#fields(inner) : [member];
    });
  }

  #enum(id: number, type: EnumType, alias: string, base: string): string {
    const suffix = base === "bigint" ? "n" : "";
    const values = [...new Set(type.values.map(({ value }) => `${value}${suffix}`))];
    // The kernel may know values that this table does not.
    const value = [...values, `(${base} & {})`].join(" | ");
    if (alias === "") return base;
    const name = this.#take(alias);
    this.#names.set(id, name);
    const told = type.values.map((one) => ` * - \`${comment(one.name)}\` = ${one.value}\n`).join("");
    this.#out.push(`/**\n * \`enum ${comment(type.name || alias)}\`\n${told} */\nexport type ${name} = ${value};\n`);
    return name;
  }

  #take(wanted: string): string {
    const word = wanted.replace(/[^A-Za-z0-9_$]/g, "_");
    const name = /^\d/.test(word) ? `_${word}` : word;
    let free = name;
    for (let n = 2; this.#used.has(free); n++) free = `${name}_${n}`;
    this.#used.add(free);
    return free;
  }
}

function plain(layout: Layout): string {
  switch (layout.kind) {
    case "bytes":
      return "Uint8Array";
    case "str":
      return "string";
    case "bool":
      return "boolean";
    case "u64":
    case "i64":
      return "bigint";
    case "array":
      return `readonly ${plain(layout.element as Layout)}[]`;
    case "struct":
      return "object";
    default:
      return "number";
  }
}

function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

/** Names come from a file: one must not end the comment. */
function comment(name: string): string {
  return name.replace(/[^\w$.]/g, "_");
}
