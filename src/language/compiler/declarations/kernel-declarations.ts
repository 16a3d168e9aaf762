import type { Btf, Member } from "../../../object/btf/index.ts";
import type { AbsentMember } from "../check/exists.ts";
import { KernelTypes } from "../check/kernel-types.ts";
import type { TracepointField, TracepointInteger } from "../tracepoint-format.ts";
import type { Type } from "../type.ts";

/** Names that TypeScript keeps to itself: a struct of such a name has an underscore behind it. */
const RESERVED: ReadonlySet<string> = new Set(
  `any as async await bigint boolean break case catch class const continue debugger default delete do else enum export extends
  false finally for function if implements import in instanceof interface let never new null number object package private
  protected public return static string super switch symbol this throw true try type typeof undefined unknown var void while
  with yield`.split(/\s+/),
);

/** The name that a struct's declaration has. */
export function interfaceName(struct: string): string {
  return RESERVED.has(struct) ? `${struct}_` : struct;
}

/** A member's or a parameter's name as TypeScript takes it. */
function parameterName(name: string): string {
  return RESERVED.has(name) ? `${name}_` : name;
}

/**
 * TypeScript's words for the kernel's types, as the checker has them. Structs that are come upon are declared with those of their
 * members that are named.
 */
export class KernelDeclarations {
  readonly #kernel: KernelTypes | undefined;
  readonly #members: ReadonlySet<string>;
  readonly #absent: readonly AbsentMember[];
  /** Structs by id, in the order that they are come upon. */
  readonly #structs = new Map<number, string>();
  readonly #done = new Map<string, string>();
  /** Words of `skep/kernel` that are used. */
  readonly words = new Set<string>();

  constructor(btf: Btf | undefined, members: ReadonlySet<string>, absent: readonly AbsentMember[] = []) {
    this.#kernel = btf === undefined ? undefined : new KernelTypes(btf);
    this.#members = members;
    this.#absent = absent;
  }

  /** The struct or union of this name, as it is written where it is used; undefined when the kernel has none. */
  struct(name: string, from: "inside" | "outside" = "outside"): string | undefined {
    const id = this.#kernel?.struct(name);
    return id === undefined ? undefined : this.#reference(id, name, from);
  }

  /** Width and sign of a name that the kernel defines. */
  integer(name: string): TracepointInteger | undefined {
    return this.#kernel?.integer(name);
  }

  /** A field of a tracepoint; undefined for what programs cannot read by its name. */
  field({ type, declared }: TracepointField): string | undefined {
    switch (type.kind) {
      case "int":
        return this.#integer(type);
      case "bool":
        return "boolean";
      case "text":
        return this.#word("Str", type.size);
      case "array":
        return this.#word("Fixed", this.#integer(type.element), type.length);
      case "bytes":
        return this.#word("Bytes", type.size);
      case "userPointer":
        return this.#word("UserPtr", JSON.stringify(type.to));
      case "kernelPointer":
        return (
          (type.struct === undefined ? undefined : this.struct(type.struct)) ??
          this.#word("Address", JSON.stringify(declared.replace(/\s*\*$/, "")))
        );
      case "located":
        // What the checker makes of it: a text that it copies out of the record.
        return type.element === "text" && !type.relative ? this.#word("Str", 64) : undefined;
    }
  }

  /**
   * A function's parameters and result as TypeScript writes them; `skip`: parameters at the beginning that programs
   * do not see; `givesNothing`: whatever its result is.
   */
  signature(prototype: number, skip = 0, givesNothing = false): string | undefined {
    const kernel = this.#kernel;
    const type = kernel?.btf.type(kernel.resolve(prototype));
    if (kernel === undefined || type?.kind !== "prototype") return undefined;
    const parameters = type.parameters
      .slice(skip)
      .map(({ name, type: of }, i) => `${parameterName(name) || `arg${i}`}: ${this.#register(of)}`);
    return `(${parameters.join(", ")}): ${type.result === 0 || givesNothing ? "void" : this.#register(type.result)}`;
  }

  /** A function of the kernel by its name. */
  functionSignature(name: string): string | undefined {
    const prototype = this.#kernel?.functionPrototype(name);
    return prototype === undefined ? undefined : this.signature(prototype);
  }

  /** A raw tracepoint by its name: what its programs are given. */
  rawTracepoint(name: string): string | undefined {
    const kernel = this.#kernel;
    const id = kernel?.btf.find(`btf_trace_${name}`, "typedef");
    const pointer = id === undefined ? undefined : kernel?.btf.type(kernel.resolve(id));
    if (kernel === undefined || pointer?.kind !== "pointer") return undefined;
    // The same with names, where the kernel was built with this function for each tracepoint.
    const named = kernel.functionPrototype(`__traceiter_${name}`);
    // The first argument is the tracepoint's own.
    return this.signature(named ?? pointer.type, 1, true);
  }

  /** An iterator's context by its name: what it shows may be absent, at its end. */
  iterator(name: string): string | undefined {
    const context = this.#kernel?.iterator(name);
    const fields = context?.fields.map(
      (field) => `${field.name}: ${this.#register(field.btfType)}${field.nullable ? " | undefined" : ""};`,
    );
    return fields === undefined ? undefined : `{ ${fields.join(" ")} }`;
  }

  /** The declarations of all structs that were come upon, and of those that their members lead to. */
  interfaces(): string[] {
    for (let before = -1; before !== this.#structs.size; ) {
      before = this.#structs.size;
      for (const [id, name] of [...this.#structs]) {
        if (this.#done.has(name)) continue;
        this.#done.set(name, "");
        this.#done.set(name, this.#interface(id, name));
      }
    }
    return [...this.#done].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, text]) => text);
  }

  /** Fields of a tracepoint that the kernel does not have, and that `exists` is asked of. */
  absentFields(tracepoint: string): string[] {
    return this.#absentOf("tracepoint", tracepoint);
  }

  /** What is not there may be anything: it is named only where `exists` says that it is. */
  #absentOf(of: AbsentMember["of"], name: string): string[] {
    const names = this.#absent.filter((one) => one.of === of && one.name === name).map(({ member }) => member);
    return [...new Set(names)].sort().map((member) => `${member}: any;`);
  }

  #interface(id: number, name: string): string {
    const absent = this.#absentOf("struct", name).map((text) => `/** Not in this kernel. */ ${text}`);
    const members = [...this.#membersOf(id), ...absent].map((text) => `    ${text}\n`);
    const type = this.#kernel?.btf.type(id);
    const kind = type?.kind === "union" ? "union" : "struct";
    return `  /** \`${kind} ${name}\` */\n  export interface ${interfaceName(name)} {${members.length > 0 ? `\n${members.join("")}  ` : ""}}\n`;
  }

  /** The members that are named, those of anonymous ones among them. */
  #membersOf(id: number, depth = 0): string[] {
    const kernel = this.#kernel;
    const type = kernel?.btf.type(kernel.resolve(id));
    if (kernel === undefined || (type?.kind !== "struct" && type?.kind !== "union") || depth > 8) return [];
    return type.members.flatMap((member: Member): string[] => {
      if (member.name === "") return this.#membersOf(member.type, depth + 1);
      if (!this.#members.has(member.name)) return [];
      const text = this.#type(member.type, depth);
      return text === undefined ? [] : [`${member.name}: ${text};`];
    });
  }

  /** What a member of the type is; undefined where kernel TypeScript has no such values. */
  #type(id: number, depth: number): string | undefined {
    const kernel = this.#kernel;
    if (kernel === undefined) return undefined;
    const type = kernel.btf.type(kernel.resolve(id));
    // A struct without a name, as a member or typedef.
    if ((type.kind === "struct" || type.kind === "union") && type.name === "")
      return `{ ${this.#membersOf(id, depth + 1).join(" ")} }`;
    const found = kernel.typeOf(id, "walked");
    return found === undefined ? undefined : this.#text(found, id, "inside");
  }

  /** What a value of the type is in a register: what has no form there is 64 bits. */
  #register(id: number): string {
    const found = this.#kernel?.register(id, "walked");
    return (found === undefined ? undefined : this.#text(found, id, "outside")) ?? this.#word("u64");
  }

  #text(type: Type, id: number, from: "inside" | "outside"): string | undefined {
    const kernel = this.#kernel;
    if (kernel === undefined) return undefined;
    switch (type.kind) {
      case "int":
        return this.#integer(type);
      case "bool":
        return "boolean";
      case "str":
        // An array without a length at a struct's end has no bytes of its own.
        return type.size === 0 ? undefined : this.#word("Str", type.size);
      case "array": {
        const array = kernel.btf.type(kernel.resolve(id));
        const element = array.kind === "array" ? this.#text(type.element, array.element, from) : undefined;
        return element === undefined || type.length === 0 ? undefined : this.#word("Fixed", element, type.length);
      }
      case "userPointer":
        return this.#word("UserPtr");
      case "kernelPointer": {
        const name = kernel.isStruct(type.type) && type.type !== 0 ? type.name : "";
        if (name !== "") return this.#reference(type.type, name, from);
        const target = type.type === 0 ? undefined : kernel.btf.type(type.type);
        const what = target === undefined || !("name" in target) || target.name === "" ? "void" : target.name;
        return this.#word("Address", JSON.stringify(what));
      }
      default:
        return undefined;
    }
  }

  #reference(id: number, name: string, from: "inside" | "outside"): string {
    if (!this.#structs.has(id)) this.#structs.set(id, name);
    const own = interfaceName(name);
    return from === "inside" ? own : `import("btf:vmlinux").${own}`;
  }

  #integer({ bits, signed }: { readonly bits: number; readonly signed: boolean }): string {
    return this.#word(`${signed ? "i" : "u"}${bits}`);
  }

  #word(word: string, ...args: readonly (string | number)[]): string {
    this.words.add(word);
    return args.length === 0 ? word : `${word}<${args.join(", ")}>`;
  }
}
