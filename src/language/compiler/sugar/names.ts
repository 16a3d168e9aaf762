import type { Node, Program } from "@oxc-project/types";
import { visit } from "../syntax/walk.ts";
import type { Range } from "./nodes.ts";

/** The names of a module: what it declares anywhere, and what it speaks of. */
export interface Names {
  readonly declared: ReadonlySet<string>;
  /** With the place where each is first used. */
  readonly used: ReadonlyMap<string, Range>;
}

/**
 * Which names are whose. A name that is declared anywhere in the module counts as declared everywhere: sugar never takes a
 * name away from whoever wrote it.
 */
export function namesOf(program: Program): Names {
  const declared = new Set<string>();
  const used = new Map<string, Range>();
  visit(program, (node, parent) => {
    if (isDeclaring(node)) for (const name of patternNames(node)) declared.add(name);
    if (
      node.type === "ImportSpecifier" ||
      node.type === "ImportDefaultSpecifier" ||
      node.type === "ImportNamespaceSpecifier"
    )
      declared.add(node.local.name);
    if (node.type === "Identifier" && !isPropertyName(node, parent) && !used.has(node.name))
      used.set(node.name, { start: node.start, end: node.end });
  });
  return { declared, used };
}

type Declaring = Node & { readonly id?: unknown; readonly params?: unknown };

function isDeclaring(node: Node): node is Declaring {
  return (
    node.type === "VariableDeclarator" ||
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression" ||
    node.type === "ClassDeclaration" ||
    node.type === "CatchClause"
  );
}

/** The names that a declaration's patterns bind. */
function* patternNames(node: Declaring): Generator<string> {
  const parts = [node.id, "param" in node ? node.param : undefined, ...(Array.isArray(node.params) ? node.params : [])];
  for (const part of parts) {
    if (typeof part !== "object" || part === null) continue;
    const names: string[] = [];
    visit(part as Node, (inner, parent) => {
      if (inner.type === "Identifier" && !isPropertyName(inner, parent)) names.push(inner.name);
    });
    yield* names;
  }
}

/** Whether an identifier names a member or a property, and no variable. */
function isPropertyName(node: Node, parent: Node | undefined): boolean {
  if (parent?.type === "MemberExpression") return !parent.computed && parent.property === node;
  if (parent?.type === "Property") return !parent.computed && parent.key === node && parent.value !== node;
  return parent?.type === "ImportSpecifier" || parent?.type === "ExportSpecifier";
}
