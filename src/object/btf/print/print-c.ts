import type { Btf } from "../btf.ts";
import { BtfError } from "../btf-error.ts";
import type { EnumType, StructType } from "../type.ts";
import { type CLayout, CLayouts } from "./c-layout.ts";
import { CNames, memberName } from "./c-names.ts";
import { enumBody, float, integer, integerOf } from "./c-scalars.ts";
import { declare } from "./declarator.ts";

/** How deep structs may hold each other: C compilers give up far earlier. */
const DEPTH = 512;

/**
 * Definitions in C of these types, or of all structs, unions, enums and typedefs of the table (its base's too), and of what
 * they need, in an order that compiles; of structs that are only pointed to there is a declaration. Compiled for eBPF or
 * another machine of 64 bits and the table's byte order, every member is where BTF says: gaps become unnamed bit-fields,
 * and `packed` and `aligned` stand where they must. A struct that C cannot lay out (members overlap) has its bytes only.
 *
 * Flexible arrays are printed as `[0]`, which compilers take in every place, without a warning.
 *
 * Where types share a name the first has it, others are called `name___2`, which CO-RE takes for the same name; so are those
 * called like a word of C. Members called so have a `_` behind. Throws BtfError for an id that there is not, and for types
 * that hold or name themselves without end.
 */
export function printC(btf: Btf, ids?: Iterable<number>): string {
  return new CPrinter(btf).print(ids);
}

class CPrinter {
  readonly #btf: Btf;
  readonly #names: CNames;
  readonly #layouts: CLayouts;
  readonly #out: string[] = [];
  readonly #begun = new Set<number>();
  readonly #done = new Set<number>();
  /** `struct x` that have been declared or defined. */
  readonly #declared = new Set<string>();
  #depth = 0;
  #indent = "";

  constructor(btf: Btf) {
    this.#btf = btf;
    this.#names = CNames.of(btf);
    this.#layouts = new CLayouts(btf);
  }

  print(ids: Iterable<number> | undefined): string {
    const unnamed: number[] = [];
    for (const id of ids ?? this.#all()) {
      const type = this.#btf.type(id);
      // Unnamed enums stand where they are used, if they are.
      if ((type.kind === "enum" || type.kind === "enum64") && type.name === "") unnamed.push(id);
      else if (type.kind === "declTag") this.#need(type.type, false);
      else if (type.kind === "section") for (const variable of type.variables) this.#need(variable.type, true);
      else if (type.kind !== "void") this.#need(id, type.kind === "variable" || isComposite(type.kind));
    }
    for (const id of unnamed) if (!this.#done.has(id)) this.#out.push(`${this.#base(id)};\n`);
    return this.#out.join("\n");
  }

  *#all(): Generator<number> {
    for (let id = 1; id < this.#btf.endId; id++) {
      const kind = this.#btf.kind(id);
      if (isComposite(kind) || kind === "typedef" || kind === "enum" || kind === "enum64") yield id;
    }
  }

  /** Prints what must stand before a use of the type; `whole` where its size must be known, as behind a pointer it need not. */
  #need(id: number, whole: boolean): void {
    if (++this.#depth > DEPTH) throw new BtfError(`Type ${id} stands more than ${DEPTH} types deep in another.`);
    let complete = whole;
    let pointed = false;
    for (let at: number | undefined = id, steps = 0; at !== undefined; steps++) {
      if (steps > DEPTH) throw new BtfError(`Type ${id} has no end: its pointers and qualifiers go in a circle.`);
      const type = this.#btf.type(at);
      let next: number | undefined;
      switch (type.kind) {
        case "pointer":
          complete = false;
          pointed = true;
          next = type.type;
          break;
        case "const":
        case "volatile":
        case "restrict":
        case "typeTag":
        case "function":
        case "variable":
          next = type.type;
          break;
        case "array":
          // Also behind a pointer.
          complete = true;
          next = type.element;
          break;
        case "prototype":
          for (const parameter of type.parameters) this.#need(parameter.type, false);
          complete = false;
          pointed = true;
          next = type.result;
          break;
        case "struct":
        case "union":
          if (type.name === "") this.#needMembers(at, type);
          else if (complete) this.#define(at, type, pointed);
          else this.#declare(`${type.kind} ${this.#names.name(at)}`);
          break;
        case "forward":
          this.#declare(`${type.union ? "union" : "struct"} ${this.#names.name(at)}`);
          break;
        case "enum":
        case "enum64":
          if (type.name !== "" && type.values.length > 0 && !this.#done.has(at)) {
            this.#done.add(at);
            this.#out.push(`${this.#enum(at, type)};\n`);
          }
          break;
        case "typedef":
          this.#typedef(at, type.type);
          if (complete) next = type.type;
          break;
        default:
          break;
      }
      at = next;
    }
    this.#depth--;
  }

  #declare(tag: string): void {
    if (this.#declared.has(tag)) return;
    this.#declared.add(tag);
    this.#out.push(`${tag};\n`);
  }

  #needMembers(id: number, type: StructType): void {
    if (!this.#layouts.of(id, type).opaque) for (const member of type.members) this.#need(member.type, true);
  }

  #define(id: number, type: StructType, pointed: boolean): void {
    if (this.#done.has(id)) return;
    if (this.#begun.has(id)) {
      // An array of it behind a pointer: it is under way, and there is no better place.
      if (pointed) return;
      throw new BtfError(`Type ${id} holds itself: it has no size.`);
    }
    this.#begun.add(id);
    this.#needMembers(id, type);
    this.#done.add(id);
    const tag = `${type.kind} ${this.#names.name(id)}`;
    this.#declared.add(tag);
    this.#out.push(`${this.#body(id, type, tag)};\n`);
  }

  #typedef(id: number, target: number): void {
    if (this.#begun.has(id)) return;
    this.#begun.add(id);
    this.#need(target, false);
    this.#out.push(`typedef ${this.#spell(target, this.#names.name(id))};\n`);
  }

  #spell(id: number, inner: string): string {
    return declare(this.#btf, id, inner, (base) => this.#base(base));
  }

  #base(id: number): string {
    const type = this.#btf.type(id);
    switch (type.kind) {
      case "void":
        return "void";
      case "int":
        return integer(type);
      case "float":
        return float(type);
      case "typedef":
        return this.#names.name(id);
      case "forward":
        return `${type.union ? "union" : "struct"} ${this.#names.name(id)}`;
      case "struct":
      case "union":
        if (type.name === "") return this.#body(id, type, type.kind);
        return `${type.kind} ${this.#names.name(id)}`;
      case "enum":
      case "enum64":
        // C has no enum without values, and no second one with the same.
        if (type.values.length === 0 || (type.name === "" && this.#done.has(id)))
          return integerOf(type.size || 4, type.signed);
        if (type.name !== "") return `enum ${this.#names.name(id)}`;
        this.#done.add(id);
        return this.#enum(id, type);
      default:
        throw new BtfError(`Type ${id} is a ${type.kind}, of which there are no values.`);
    }
  }

  #enum(id: number, type: EnumType): string {
    const { lines, attribute } = enumBody(type, this.#names.values(id));
    const head = type.name === "" ? "enum" : `enum ${this.#names.name(id)}`;
    return this.#block(head, () => lines, attribute);
  }

  #body(id: number, type: StructType, head: string): string {
    if (++this.#depth > DEPTH) throw new BtfError(`Type ${id} stands more than ${DEPTH} types deep in another.`);
    const layout = this.#layouts.of(id, type);
    const attributes = [
      ...(layout.packed ? ["packed"] : []),
      ...(layout.aligned ? [`aligned(${layout.aligned})`] : []),
    ];
    const attribute = attributes.length === 0 ? "" : ` __attribute__((${attributes.join(", ")}))`;
    const text = this.#block(head, () => this.#members(type, layout), attribute);
    this.#depth--;
    return text;
  }

  #members(type: StructType, layout: CLayout): readonly string[] {
    if (layout.opaque) return ["/* C cannot say where its members are. */", `unsigned char bytes[${type.size}];`];
    const lines: string[] = [];
    for (const [i, member] of type.members.entries()) {
      const { pads, aligned, bits } = layout.members[i] as CLayout["members"][number];
      for (const width of pads) lines.push(pad(width));
      const text = this.#spell(member.type, memberName(member.name));
      lines.push(`${text}${bits > 0 ? `: ${bits}` : ""}${aligned ? ` __attribute__((aligned(${aligned})))` : ""};`);
    }
    for (const width of layout.end) lines.push(pad(width));
    return lines;
  }

  #block(head: string, lines: () => readonly string[], behind: string): string {
    const outer = this.#indent;
    this.#indent = `${outer}\t`;
    const text = lines()
      .map((line) => `${this.#indent}${line}\n`)
      .join("");
    this.#indent = outer;
    return `${head} {\n${text}${outer}}${behind}`;
  }
}

function isComposite(kind: string): boolean {
  return kind === "struct" || kind === "union";
}

function pad(width: number): string {
  return `${width <= 8 ? "char" : width === 16 ? "short" : width === 32 ? "int" : "long long"}: ${width};`;
}
