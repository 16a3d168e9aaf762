import type { Btf } from "../btf.ts";
import { declare } from "./declarator.ts";

/**
 * A type as C spells it, in one line: `struct sk_buff *`, `int (*)(void *, u64)`, `const char[16]`; unnamed ones as
 * `struct {...}`. For messages: see `printC` for C that compiles. Throws BtfError for an id that there is not, and types that
 * go in a circle.
 */
export function printType(btf: Btf, id: number): string {
  return declare(btf, id, "", (base) => spell(btf, base)).replace(" [", "[");
}

/** A declaration of a name with a type, in one line: `char comm[16]`, `void (*func)(struct callback_head *)`. */
export function printDeclaration(btf: Btf, id: number, name: string): string {
  return declare(btf, id, name, (base) => spell(btf, base));
}

function spell(btf: Btf, id: number): string {
  const type = btf.type(id);
  switch (type.kind) {
    case "struct":
    case "union":
      return type.name === "" ? `${type.kind} {...}` : `${type.kind} ${type.name}`;
    case "enum":
    case "enum64":
      return type.name === "" ? "enum {...}" : `enum ${type.name}`;
    case "forward":
      return `${type.union ? "union" : "struct"} ${type.name}`;
    case "section":
      return `section ${type.name}`;
    case "declTag":
      return `tag "${type.name}"`;
    case "void":
      return "void";
    default:
      return type.name;
  }
}
