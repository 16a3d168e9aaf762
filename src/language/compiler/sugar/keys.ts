import type { Expression } from "@oxc-project/types";

/** What a part of a key or of a line is called, by what it is made of: `comm()` is comm, `ctx.ret` is ret. */
function partName(expression: Expression): string | undefined {
  switch (expression.type) {
    case "Identifier":
      return expression.name;
    case "CallExpression":
      // `userStr(ctx.filename)` is filename; `comm()` is comm; `u32(x)` is x.
      for (const argument of expression.arguments) {
        const name = argument.type === "SpreadElement" ? undefined : partName(argument);
        if (name !== undefined) return name;
      }
      return partName(expression.callee);
    case "MemberExpression":
      if (!expression.computed && expression.property.type === "Identifier") return expression.property.name;
      return partName(expression.object);
    case "BinaryExpression":
      return expression.left.type === "PrivateIdentifier" ? undefined : partName(expression.left);
    case "ParenthesizedExpression":
      return partName(expression.expression);
    default:
      return undefined;
  }
}

/** A name for each of several parts, no two alike. */
export function partNames(expressions: readonly Expression[]): string[] {
  const taken = new Set<string>();
  return expressions.map((expression, i) => {
    const base = partName(expression) ?? `part${i}`;
    let name = base;
    for (let n = 2; taken.has(name); n++) name = `${base}${n}`;
    taken.add(name);
    return name;
  });
}
