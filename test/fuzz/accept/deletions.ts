import { parse } from "../../../src/language/compiler/syntax/parse.ts";

/** A source without one of its checks. */
export interface Deletion {
  readonly what: string;
  readonly text: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const CASTS = /^[ui](8|16|32|64)$/;

/**
 * The source once for each check in it, without that: `if (…) return` gone, `if (…) {…}` without its test, `x & mask` and `x % n`
 * and `u32(x)` as `x`, `x ?? y` as `x`, `a && b` as one of the two, `{ atMost: n }` and `&& atMost(n)` gone.
 */
export function deletions(text: string): Deletion[] {
  const found: Deletion[] = [];
  const of = (node: Node): string => text.slice(node.start, node.end);
  const replace = (node: Node, by: string): void => {
    const line = text.slice(0, node.start).split("\n").length;
    const shown = of(node).replaceAll(/\s+/g, " ").slice(0, 80);
    found.push({
      what: `line ${line}: \`${shown}\` becomes \`${by.replaceAll(/\s+/g, " ").slice(0, 60)}\``,
      text: text.slice(0, node.start) + by + text.slice(node.end),
    });
  };
  const visit = (node: Node, inFunction: boolean): void => {
    if (inFunction) check(node, of, replace);
    const inside = inFunction || node.type === "ArrowFunctionExpression" || node.type === "FunctionDeclaration";
    for (const value of Object.values(node))
      for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) visit(child, inside);
  };
  visit(parse("m.bpf.ts", text, 0).program as unknown as Node, false);
  return found;
}

function check(node: Node, of: (node: Node) => string, replace: (node: Node, by: string) => void): void {
  switch (node.type) {
    case "IfStatement": {
      const then = node["consequent"] as Node;
      if (node["alternate"] !== null) {
        replace(node, of(then));
        replace(node, of(node["alternate"] as Node));
      } else {
        replace(node, "");
        if (!leaves(then)) replace(node, of(then));
      }
      return;
    }
    case "BinaryExpression":
      if (node["operator"] === "&" || node["operator"] === "%") replace(node, of(node["left"] as Node));
      return;
    case "LogicalExpression":
      replace(node, of(node["left"] as Node));
      if (node["operator"] !== "??") replace(node, of(node["right"] as Node));
      return;
    case "ConditionalExpression":
      replace(node, of(node["consequent"] as Node));
      replace(node, of(node["alternate"] as Node));
      return;
    case "CallExpression": {
      const callee = node["callee"] as Node;
      const args = node["arguments"] as readonly Node[];
      const [first] = args;
      if (callee.type !== "Identifier" || first === undefined) return;
      if (CASTS.test(of(callee))) replace(node, of(first));
      else if (of(callee) === "min" && args.length === 2) replace(node, of(first));
      else if (of(callee) === "range" && args.length > 1)
        replace(node, `range(${args.slice(0, -1).map(of).join(", ")})`);
      return;
    }
    default:
  }
}

/** `return`, `continue`, `break`, alone or in a block. */
function leaves(node: Node): boolean {
  if (node.type !== "BlockStatement") return /^(Return|Continue|Break)Statement$/.test(node.type);
  const last = (node["body"] as readonly Node[]).at(-1);
  return last !== undefined && leaves(last);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}
