import type { Btf, BtfType } from "../btf/index.ts";
import { layoutOf } from "./from-btf.ts";
import type { FieldLayout, Layout, StructLayout } from "./layout.ts";

/** Texts for a type that shows more of its members than it is worth. */
const DEPTH = 16;

/**
 * TypeScript's words for how values of BTF types read (see `layoutOf`). Named structs, unions and enums become declarations
 * of their own, once for all that refer to them.
 */
export class DtsPrinter {
  readonly #btf: Btf;
  readonly #names = new Map<number, string>();
  readonly #taken = new Set<string>();
  readonly #declarations: string[] = [];

  /** `taken`: names that the declarations must not have. */
  constructor(btf: Btf, taken: Iterable<string> = []) {
    this.#btf = btf;
    for (const name of taken) this.#taken.add(name);
  }

  /** The declarations of what was asked for until now. */
  get declarations(): readonly string[] {
    return this.#declarations;
  }

  /** The type of a value, as it is written where it is used. Throws BtfError for a type that has no size. */
  typeOf(id: number): string {
    return this.#text(id, layoutOf(this.#btf, id), 0);
  }

  #text(id: number, layout: Layout, depth: number): string {
    const resolved = this.#btf.resolve(id);
    const type = this.#btf.type(resolved);
    if ((type.kind === "enum" || type.kind === "enum64") && isNumber(layout)) return this.#enum(resolved, type);
    if (layout.kind === "array" && type.kind === "array") {
      const element = this.#text(type.element, layout.element, depth);
      return /^[\w$]+$/.test(element) ? `${element}[]` : `Array<${element}>`;
    }
    if (layout.kind === "struct" && (type.kind === "struct" || type.kind === "union"))
      return this.#struct(resolved, type.name, layout, depth);
    return scalarText(layout);
  }

  #struct(id: number, name: string, layout: StructLayout, depth: number): string {
    if (depth > DEPTH) return "unknown";
    if (name === "") return `{ ${this.#fields(id, layout, depth).join(" ")} }`;
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const own = this.#claim(id, name);
    const fields = this.#fields(id, layout, depth);
    const kind = this.#btf.type(id).kind;
    this.#declarations.push(
      `/** \`${comment(`${kind} ${name}`)}\`, ${layout.size} bytes. */\nexport interface ${own} {\n${fields.map((field) => `  ${field}\n`).join("")}}`,
    );
    return own;
  }

  #fields(id: number, layout: StructLayout, depth: number): string[] {
    const types = new Map<string, number>();
    this.#memberTypes(id, types, 0);
    return layout.fields.map((field: FieldLayout) => {
      const member = types.get(field.name);
      const text = member === undefined ? scalarText(field.layout) : this.#text(member, field.layout, depth + 1);
      // Of what shares memory one is enough when writing.
      return `${key(field.name)}${field.choice === undefined ? "" : "?"}: ${text};`;
    });
  }

  /** The types of members by their names, those of unnamed structs and unions among them. */
  #memberTypes(id: number, types: Map<string, number>, depth: number): void {
    const type = this.#btf.type(this.#btf.resolve(id));
    if ((type.kind !== "struct" && type.kind !== "union") || depth > DEPTH) return;
    for (const member of type.members) {
      if (member.name === "") this.#memberTypes(member.type, types, depth + 1);
      else types.set(member.name, member.type);
    }
  }

  #enum(id: number, type: Extract<BtfType, { readonly values: unknown }>): string {
    const number = type.size === 8 ? "bigint" : "number";
    if (type.name === "") return number;
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const own = this.#claim(id, type.name);
    const suffix = type.size === 8 ? "n" : "";
    const values = type.values.map(({ name, value }) => `${name} = ${value}`).join(", ");
    const literals = [...new Set(type.values.map(({ value }) => `${value}${suffix}`))];
    // Any number fits the memory; the known ones are offered by editors.
    this.#declarations.push(
      `/** \`enum ${comment(type.name)}\`: ${comment(values)} */\nexport type ${own} = ${[...literals, `(${number} & {})`].join(" | ")};`,
    );
    return own;
  }

  #claim(id: number, name: string): string {
    const plain = identifier(name);
    let own = plain;
    for (let n = 2; this.#taken.has(own); n++) own = `${plain}_${n}`;
    this.#taken.add(own);
    this.#names.set(id, own);
    return own;
  }
}

function isNumber({ kind }: Layout): boolean {
  return kind !== "bytes" && kind !== "bits";
}

function scalarText(layout: Layout): string {
  switch (layout.kind) {
    case "bool":
      return "boolean";
    case "u64":
    case "i64":
    case "be64":
      return "bigint";
    case "bytes":
      return "Uint8Array";
    case "str":
      return "string";
    case "bits":
      return layout.wide ? "bigint" : "number";
    case "array": {
      const element = scalarText(layout.element as Layout);
      return `${element}[]`;
    }
    case "struct":
      return "Record<string, unknown>";
    default:
      return "number";
  }
}

/** Names of an object may be anything: none ends the comment. */
function comment(text: string): string {
  return text.replaceAll("*/", "*_/").replace(/[\r\n\u2028\u2029]/g, " ");
}

/** A name that TypeScript takes: C's words are nearly all, but for those that TypeScript keeps to itself. */
function identifier(name: string): string {
  const plain = name.replace(/[^\w$]/g, "_").replace(/^(?=\d)/, "_");
  return RESERVED.has(plain) ? `${plain}_` : plain;
}

/** A member's name, in quotes where it must be. */
export function key(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

const RESERVED: ReadonlySet<string> = new Set(
  `any as async await bigint boolean break case catch class const continue debugger declare default delete do else enum
  export extends false finally for function if implements import in infer instanceof interface is keyof let module namespace
  never new null number object of package private protected public readonly require return string super switch symbol this
  throw true try type typeof undefined unique unknown var void while with yield Array Record Uint8Array`.split(/\s+/),
);
