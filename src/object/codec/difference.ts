import type { ArrayLayout, BitsLayout, Layout, StructLayout } from "./layout.ts";

/**
 * The first thing in which bytes of one layout read otherwise by another, in words (`value.latency: u64 at byte 8, then at
 * byte 16`); undefined when all reads the same.
 */
export function layoutDifference(before: Layout, after: Layout, at = "value"): string | undefined {
  const [was, is] = [describe(before), describe(after)];
  if (was !== is) return `${at}: ${was}, then ${is}`;
  if (before.kind === "array") return layoutDifference(before.element, (after as ArrayLayout).element, `${at}[]`);
  return before.kind === "struct" ? fieldDifference(before, after as StructLayout, at) : undefined;
}

function fieldDifference(before: StructLayout, after: StructLayout, at: string): string | undefined {
  const left = new Map(after.fields.map((field) => [field.name, field]));
  for (const { name, offset, layout } of before.fields) {
    const field = left.get(name);
    left.delete(name);
    if (field === undefined) return `${at}.${name}: there, then not`;
    if (field.offset !== offset)
      return `${at}.${name}: ${describe(layout)} at byte ${offset}, then at byte ${field.offset}`;
    const inner = layoutDifference(layout, field.layout, `${at}.${name}`);
    if (inner !== undefined) return inner;
  }
  const [added] = left.keys();
  return added === undefined ? undefined : `${at}.${added}: not there, then there`;
}

function describe(layout: Layout): string {
  switch (layout.kind) {
    case "struct":
      return `a struct of ${layout.size} bytes`;
    case "array":
      return `an array of ${layout.length}`;
    case "bits": {
      const { bits, shift, signed }: BitsLayout = layout;
      return `${bits} ${signed ? "signed " : ""}bits from bit ${shift}`;
    }
    case "bytes":
    case "str":
      return `${layout.kind}(${layout.size})`;
    case "u64n":
    case "i64n":
      // How it is wished to read is not what it is.
      return layout.kind.slice(0, -1);
    default:
      return layout.kind;
  }
}
