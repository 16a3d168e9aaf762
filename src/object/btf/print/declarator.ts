import type { Btf } from "../btf.ts";
import { BtfError } from "../btf-error.ts";
import type { TypeTagType } from "../type.ts";

/** How many pointers, arrays and qualifiers may stand before a type; more is taken for a loop. */
const DEPTH = 256;

/**
 * A declaration in C: `inner` (a name, or nothing) as of that type, `int (*inner)(void *)`. `base` spells what is no pointer,
 * array, qualifier or prototype. Throws BtfError for types that go in a circle.
 */
export function declare(btf: Btf, id: number, inner: string, base: (id: number) => string, depth = 0): string {
  let at = id;
  let text = inner;
  let qualifiers: string[] = [];
  // C reads [] and () before *: a pointer to one of these stands in parentheses.
  let pointer = false;
  for (let steps = depth; steps < DEPTH; steps++) {
    const type = btf.type(at);
    switch (type.kind) {
      case "const":
      case "volatile":
      case "restrict":
        if (!qualifiers.includes(type.kind)) qualifiers.push(type.kind);
        at = type.type;
        break;
      case "typeTag": {
        const attribute = attributeOf(type);
        if (attribute !== undefined) qualifiers.push(attribute);
        at = type.type;
        break;
      }
      case "pointer": {
        const own = qualifiers.join(" ");
        text = `*${own}${own !== "" && text !== "" ? " " : ""}${text}`;
        qualifiers = [];
        pointer = true;
        at = type.type;
        break;
      }
      case "array":
        text = `${pointer ? `(${text})` : text}[${type.length}]`;
        pointer = false;
        at = type.element;
        break;
      case "prototype": {
        const all = type.parameters.map((parameter, i) =>
          parameter.type === 0 && parameter.name === "" && i === type.parameters.length - 1
            ? "..."
            : declare(btf, parameter.type, "", base, steps + 1),
        );
        // `(...)` alone is no C; without a word on parameters, all are taken.
        const parameters = all.length === 0 ? "void" : all.length === 1 && all[0] === "..." ? "" : all.join(", ");
        text = `${pointer ? `(${text})` : text}(${parameters})`;
        pointer = false;
        qualifiers = [];
        at = type.result;
        break;
      }
      case "function":
      case "variable":
        at = type.type;
        break;
      default: {
        // What is no pointer cannot be `restrict`, unless it is another name for one.
        const words = qualifiers.filter((word) => word !== "restrict" || type.kind === "typedef");
        const before = words.filter((word) => !word.startsWith("__"));
        const after = words.filter((word) => word.startsWith("__"));
        return [...before, base(at), ...after, ...(text === "" ? [] : [text])].join(" ");
      }
    }
  }
  throw new BtfError(`Type ${id} has no end: its pointers and qualifiers go in a circle.`);
}

/** Of a text that is no attribute but some other C, nothing is printed. */
function attributeOf({ name, attribute }: TypeTagType): string | undefined {
  if (attribute === true) return /^\w+(\(\w*\))?$/.test(name) ? `__attribute__((${name}))` : undefined;
  return `__attribute__((btf_type_tag(${JSON.stringify(name)})))`;
}
