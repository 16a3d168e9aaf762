import { BtfBuilder } from "../../../object/btf/index.ts";
import { identifier } from "../lower/lower-module.ts";
import { type IntType, type StructType, sizeOf, type Type } from "../type.ts";

/** A variable of a section: its name, type and place. */
export interface PlacedVariable {
  readonly name: string;
  readonly type: Type;
  readonly offset: number;
}

/**
 * The types of a compiled program as BTF: what keys and values are, how functions are called, which variables sections hold.
 * Names are the source's. What is decoded in another way than C would say has a typedef with a tag (`skep:be32`).
 */
export class ProgramTypes {
  readonly #builder: BtfBuilder;
  readonly #made = new Map<string, number>();
  readonly #structs = new Map<Type, number>();

  constructor(byteOrder: "little" | "big") {
    this.#builder = new BtfBuilder({ byteOrder });
  }

  /** The table's bytes. */
  build(): Uint8Array {
    return this.#builder.build();
  }

  /** The id of a type; 0 for none. */
  of(type: Type): number {
    switch (type.kind) {
      case "int":
        return this.#integer(type);
      case "bool":
        return this.#once("bool", () => this.#int("bool", 1, false, true));
      case "void":
        return 0;
      case "str":
        // As compilers write it: eight bits, signed; the name says that they are text.
        return this.#array(
          this.#once("char", () => this.#int("char", 1, true)),
          type.size,
        );
      case "bytes":
        return this.#array(this.#integer({ kind: "int", bits: 8, signed: false }), type.size);
      case "array":
        return this.#array(this.of(type.element), type.length);
      case "struct":
        return this.#struct(type);
      case "optional":
        return this.of(type.of);
      default:
        return this.#integer({ kind: "int", bits: 64, signed: false });
    }
  }

  #once(key: string, make: () => number): number {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const id = make();
    this.#made.set(key, id);
    return id;
  }

  #int(name: string, size: number, signed: boolean, bool = false): number {
    return this.#builder.add({
      kind: "int",
      name,
      size,
      bits: size * 8,
      bitOffset: 0,
      signed,
      char: false,
      bool,
    });
  }

  #integer({ bits, signed, bigEndian, decodesToNumber }: IntType): number {
    const name = `${signed ? "i" : "u"}${bits}`;
    const plain = this.#once(name, () => this.#int(name, bits / 8, signed));
    if (bigEndian === true) return this.#tagged(`be${bits}`, plain);
    return decodesToNumber === true && bits === 64 ? this.#tagged(`${name}n`, plain) : plain;
  }

  #tagged(name: string, type: number): number {
    return this.#once(name, () => {
      const id = this.#builder.add({ kind: "typedef", name, type });
      this.#builder.add({ kind: "declTag", name: `skep:${name}`, type: id, component: -1 });
      return id;
    });
  }

  #array(element: number, length: number): number {
    return this.#once(`${element}[${length}]`, () => {
      const index = this.#integer({ kind: "int", bits: 32, signed: false });
      return this.#builder.add({ kind: "array", name: "", element, index, length });
    });
  }

  #struct(type: StructType): number {
    const known = this.#structs.get(type);
    if (known !== undefined) return known;
    const members = type.fields.map(({ name, offset, type: field }) => ({
      name: identifier(name),
      type: this.of(field),
      bitOffset: offset * 8,
      bitSize: 0,
    }));
    const name = type.name === "" ? "" : identifier(type.name);
    const id = this.#builder.add({ kind: "struct", name, size: type.size, members });
    this.#structs.set(type, id);
    return id;
  }

  #pointer(to: number): number {
    return this.#once(`*${to}`, () => this.#builder.add({ kind: "pointer", name: "", type: to }));
  }

  /** A function: the kernel looks at each call of a static one, and at a global one (programs, too) by itself. */
  function(
    name: string,
    params: readonly { readonly name: string; readonly type: Type | "pointer" }[],
    result: Type | "int",
    linkage: "static" | "global",
  ): number {
    const prototype = this.#builder.add({
      kind: "prototype",
      name: "",
      result: result === "int" ? this.#once("int", () => this.#int("int", 4, true)) : this.#parameter(result),
      parameters: params.map((param) => ({
        name: identifier(param.name),
        type: param.type === "pointer" ? this.#pointer(0) : this.#parameter(param.type),
      })),
    });
    return this.#builder.add({ kind: "function", name, type: prototype, linkage });
  }

  #parameter(type: Type): number {
    switch (type.kind) {
      case "reference":
        return this.#pointer(this.of(type.to));
      case "cell":
        return this.#pointer(this.of(type.of));
      case "kernelPointer":
      case "userPointer":
        return this.#pointer(0);
      case "optional":
        return this.#parameter(type.of);
      default:
        return this.of(type);
    }
  }

  /** A section of variables; the kernel wants them in the order in which they stand. */
  section(name: string, size: number, variables: readonly PlacedVariable[]): number {
    const placed = [...variables]
      .sort((a, b) => a.offset - b.offset)
      .map((variable) => ({
        type: this.#builder.add({
          kind: "variable",
          name: identifier(variable.name),
          type: this.of(variable.type),
          linkage: "global",
        }),
        offset: variable.offset,
        size: sizeOf(variable.type),
      }));
    return this.#builder.add({ kind: "section", name, size, variables: placed });
  }
}
