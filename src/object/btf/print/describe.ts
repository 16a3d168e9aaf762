import type { Btf } from "../btf.ts";
import type { BtfKind, BtfType, IntType } from "../type.ts";

const KIND: Readonly<Record<BtfKind, string>> = {
  void: "VOID",
  int: "INT",
  pointer: "PTR",
  array: "ARRAY",
  struct: "STRUCT",
  union: "UNION",
  enum: "ENUM",
  forward: "FWD",
  typedef: "TYPEDEF",
  volatile: "VOLATILE",
  const: "CONST",
  restrict: "RESTRICT",
  function: "FUNC",
  prototype: "FUNC_PROTO",
  variable: "VAR",
  section: "DATASEC",
  float: "FLOAT",
  declTag: "DECL_TAG",
  typeTag: "TYPE_TAG",
  enum64: "ENUM64",
};

/**
 * A type with all that BTF says of it, a line for itself and one, behind a tab, for each of its parts:
 * `[12] STRUCT 'foo' size=8 vlen=2`. The shape is that of `bpftool btf dump … format raw`. Throws BtfError for an id that
 * there is not.
 */
export function describeType(btf: Btf, id: number): string[] {
  const type = btf.type(id);
  const { line, parts } = detail(btf, type);
  const head = `[${id}] ${KIND[type.kind]} ${quote(type.name)}`;
  return [line === "" ? head : `${head} ${line}`, ...parts.map((part) => `\t${part}`)];
}

interface Detail {
  readonly line: string;
  readonly parts: readonly string[];
}

function detail(btf: Btf, type: BtfType): Detail {
  const only = (line: string): Detail => ({ line, parts: [] });
  switch (type.kind) {
    case "void":
      return only("");
    case "int":
      return only(`size=${type.size} bits_offset=${type.bitOffset} nr_bits=${type.bits} encoding=${encodingOf(type)}`);
    case "pointer":
    case "typedef":
    case "volatile":
    case "const":
    case "restrict":
    case "typeTag":
      return only(`type_id=${type.type}`);
    case "array":
      return only(`type_id=${type.element} index_type_id=${type.index} nr_elems=${type.length}`);
    case "struct":
    case "union":
      return {
        line: `size=${type.size} vlen=${type.members.length}`,
        parts: type.members.map(
          ({ name, type: id, bitOffset, bitSize }) =>
            `${quote(name)} type_id=${id} bits_offset=${bitOffset}${bitSize > 0 ? ` bitfield_size=${bitSize}` : ""}`,
        ),
      };
    case "enum":
    case "enum64": {
      const suffix = type.kind === "enum" ? "" : type.signed ? "LL" : "ULL";
      return {
        line: `encoding=${type.signed ? "SIGNED" : "UNSIGNED"} size=${type.size} vlen=${type.values.length}`,
        parts: type.values.map(({ name, value }) => `${quote(name)} val=${value}${suffix}`),
      };
    }
    case "forward":
      return only(`fwd_kind=${type.union ? "union" : "struct"}`);
    case "function":
      return only(`type_id=${type.type} linkage=${type.linkage}`);
    case "prototype":
      return {
        line: `ret_type_id=${type.result} vlen=${type.parameters.length}`,
        parts: type.parameters.map(({ name, type: id }) => `${quote(name)} type_id=${id}`),
      };
    case "variable":
      // The comma is bpftool's.
      return only(`type_id=${type.type}, linkage=${type.linkage}`);
    case "section":
      return {
        line: `size=${type.size} vlen=${type.variables.length}`,
        parts: type.variables.map(({ type: id, offset, size }) => {
          const entry = btf.type(id);
          const named = entry.kind === "variable" || entry.kind === "function";
          return `type_id=${id} offset=${offset} size=${size}${named ? ` (${KIND[entry.kind]} ${quote(entry.name)})` : ""}`;
        }),
      };
    case "float":
      return only(`size=${type.size}`);
    case "declTag":
      return only(`type_id=${type.type} component_idx=${type.component}`);
  }
}

/** One word, as in bpftool: more than one cannot be said. */
function encodingOf({ signed, char, bool }: IntType): string {
  const words = [...(signed ? ["SIGNED"] : []), ...(char ? ["CHAR"] : []), ...(bool ? ["BOOL"] : [])];
  return words.length === 0 ? "(none)" : words.join("|");
}

function quote(name: string): string {
  return `'${name === "" ? "(anon)" : name}'`;
}
