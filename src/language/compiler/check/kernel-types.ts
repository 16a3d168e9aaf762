import type { Btf, Member } from "../../../object/btf/index.ts";
import type { TracepointInteger } from "../tracepoint-format.ts";
import { BOOL, isAggregate, type KernelPointer, type Type, U64 } from "../type.ts";

/** A member of a kernel struct, found by name through anonymous structs and unions. */
export interface KernelMember {
  /** Id of its type. */
  readonly type: number;
  /** From the struct's beginning. */
  readonly bitOffset: number;
  readonly bitSize: number;
  /** Indices of members on the way, as CO-RE counts them: `1:0`. */
  readonly path: string;
}

/** A field of an iterator's context. */
export interface IteratorField {
  readonly name: string;
  readonly offset: number;
  /** As `register` has it. */
  readonly type: Type;
  readonly btfType: number;
  /** What is shown: at the end the kernel calls once more, with nothing. */
  readonly nullable: boolean;
}

/** Looks up kernel types by name and says what they are in kernel TypeScript. */
export class KernelTypes {
  readonly btf: Btf;
  readonly #members = new Map<string, KernelMember | undefined>();

  constructor(btf: Btf) {
    this.btf = btf;
  }

  /** The struct or union with this name; undefined when there is none. */
  struct(name: string): number | undefined {
    return this.btf.find(name, "struct") ?? this.btf.find(name, "union");
  }

  /** What is behind typedefs and qualifiers. */
  resolve(id: number): number {
    return this.btf.resolve(id);
  }

  /** A pointer to the type with this id. */
  pointerTo(id: number, trust: KernelPointer["trust"]): KernelPointer {
    const target = this.resolve(id);
    const type = this.btf.type(target);
    return { kind: "kernelPointer", type: target, name: "name" in type ? type.name : "", trust };
  }

  /** Whether the id is of a struct or union with members. */
  isStruct(id: number): boolean {
    const { kind } = this.btf.type(this.resolve(id));
    return kind === "struct" || kind === "union";
  }

  member(structId: number, name: string): KernelMember | undefined {
    const key = `${structId}.${name}`;
    if (!this.#members.has(key)) this.#members.set(key, this.#find(structId, name, 0, ""));
    return this.#members.get(key);
  }

  /** Names of the members, those of anonymous ones among them. */
  memberNames(structId: number): string[] {
    const names: string[] = [];
    this.#walk(structId, (member) => {
      if (member.name !== "") names.push(member.name);
      return false;
    });
    return names;
  }

  /**
   * What a value of the BTF type with this id is when it is read; undefined where kernel TypeScript has no such values (floats,
   * functions). A struct is a pointer to it, which is how its members are reached. `trust`: of pointers that are read.
   */
  typeOf(id: number, trust: KernelPointer["trust"]): Type | undefined {
    const target = this.resolve(id);
    const type = this.btf.type(target);
    switch (type.kind) {
      case "int":
        if (type.bool) return BOOL;
        return type.size > 8 ? undefined : { kind: "int", bits: bitsOf(type.size), signed: type.signed };
      case "enum":
      case "enum64":
        return { kind: "int", bits: bitsOf(type.size), signed: type.signed };
      case "pointer": {
        if (this.#isUser(type.type)) return { kind: "userPointer" };
        const pointee = this.resolve(type.type);
        return this.isStruct(pointee)
          ? this.pointerTo(pointee, trust)
          : { kind: "kernelPointer", type: pointee, name: "", trust: "plain" };
      }
      case "struct":
      case "union":
        return this.pointerTo(target, trust);
      case "array": {
        const element = this.btf.type(this.resolve(type.element));
        if (element.kind === "int" && element.size === 1 && (element.char || element.name === "char"))
          return { kind: "str", size: type.length };
        const of = this.typeOf(type.element, trust);
        return of === undefined ? undefined : { kind: "array", element: of, length: type.length };
      }
      default:
        return undefined;
    }
  }

  /** What a value of the type is in a register of 8 bytes: what has no scalar form is 64 bits. */
  register(id: number, trust: KernelPointer["trust"]): Type {
    const found = id === 0 ? undefined : this.typeOf(id, trust);
    // A struct that is passed whole is no pointer.
    return found === undefined || isAggregate(found) || this.isStruct(id) ? U64 : found;
  }

  /** Width and sign of a name that the kernel defines; undefined when it names no integer. */
  integer(name: string): TracepointInteger | undefined {
    const id = this.btf.find(name, "typedef");
    const type = id === undefined ? undefined : this.btf.type(this.resolve(id));
    return type?.kind === "int" && type.size <= 8
      ? { kind: "int", bits: bitsOf(type.size), signed: type.signed }
      : undefined;
  }

  /** Id of the prototype of the function with this name. */
  functionPrototype(name: string): number | undefined {
    const id = this.btf.find(name, "function");
    const type = id === undefined ? undefined : this.btf.type(id);
    return type?.kind === "function" ? type.type : undefined;
  }

  /** The context of the iterator with this name: its size, and what can be named in it. */
  iterator(name: string): { readonly size: number; readonly fields: readonly IteratorField[] } | undefined {
    const id = this.struct(`bpf_iter__${name}`);
    const type = id === undefined ? undefined : this.btf.type(id);
    if (type?.kind !== "struct") return undefined;
    const fields = type.members.flatMap((member): IteratorField[] => {
      // `__bpf_md_ptr` puts each pointer into an anonymous union, which makes it 64 bits wide everywhere.
      const inner = member.name === "" ? this.btf.type(this.resolve(member.type)) : undefined;
      const field = inner?.kind === "union" ? inner.members[0] : member;
      if (field === undefined || field.name === "") return [];
      const of = this.register(field.type, "trusted");
      const nullable = of.kind === "kernelPointer" && field.name !== "meta";
      return [{ name: field.name, offset: member.bitOffset / 8, type: of, btfType: field.type, nullable }];
    });
    return { size: type.size, fields };
  }

  /** Bytes from one element of an array to the next. */
  strideOf(arrayId: number): number {
    const type = this.btf.type(this.resolve(arrayId));
    return type.kind === "array" ? this.btf.sizeOf(type.element) : this.btf.sizeOf(arrayId);
  }

  /** `T __user *`: a type tag between the pointer and what it points to. */
  #isUser(id: number): boolean {
    for (let at = id; ; ) {
      const type = this.btf.type(at);
      if (type.kind === "typeTag" && (type.name === "user" || type.name === "__user")) return true;
      if (type.kind !== "const" && type.kind !== "volatile" && type.kind !== "restrict" && type.kind !== "typeTag")
        return false;
      at = type.type;
    }
  }

  #find(structId: number, name: string, base: number, path: string): KernelMember | undefined {
    const type = this.btf.type(this.resolve(structId));
    if (type.kind !== "struct" && type.kind !== "union") return undefined;
    for (const [index, member] of type.members.entries()) {
      const here = path === "" ? String(index) : `${path}:${index}`;
      const bitOffset = base + member.bitOffset;
      if (member.name === name) return { type: member.type, bitOffset, bitSize: member.bitSize, path: here };
      if (member.name !== "") continue;
      const inner = this.#find(member.type, name, bitOffset, here);
      if (inner !== undefined) return inner;
    }
    return undefined;
  }

  #walk(structId: number, visit: (member: Member) => boolean): boolean {
    const type = this.btf.type(this.resolve(structId));
    if (type.kind !== "struct" && type.kind !== "union") return false;
    return type.members.some((member) => visit(member) || (member.name === "" && this.#walk(member.type, visit)));
  }
}

function bitsOf(size: number): 8 | 16 | 32 | 64 {
  return (size * 8) as 8 | 16 | 32 | 64;
}
