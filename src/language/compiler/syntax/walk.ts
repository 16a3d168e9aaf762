import type { Node } from "@oxc-project/types";

export function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** Properties of nodes that lead back up. */
const UP = "parent";

/**
 * The tree with each node replaced by what `change` makes of it; `undefined` leaves the node and goes on into it. What
 * `change` gives is not looked into again. Nothing of the given tree is changed.
 */
export function rewrite<T extends Node>(node: T, change: (node: Node) => Node | undefined): T {
  const changed = change(node);
  return (changed ?? within(node, change)) as T;
}

/** Like `rewrite`, for what is in a node. */
export function within<T extends Node>(node: T, change: (node: Node) => Node | undefined): T {
  let copy: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(node)) {
    if (name === UP) continue;
    const next = rewriteValue(value, change);
    if (next === value) continue;
    copy ??= { ...(node as unknown as Record<string, unknown>) };
    copy[name] = next;
  }
  return (copy ?? node) as T;
}

function rewriteValue(value: unknown, change: (node: Node) => Node | undefined): unknown {
  if (Array.isArray(value)) {
    const next = value.map((item: unknown) => rewriteValue(item, change));
    return next.some((item, i) => item !== value[i]) ? next : value;
  }
  return isNode(value) ? rewrite(value, change) : value;
}

/** Visits a node and all that is in it, each before what is in it. */
export function visit(node: Node, seen: (node: Node, parent: Node | undefined) => void, parent?: Node): void {
  seen(node, parent);
  for (const [name, value] of Object.entries(node)) {
    if (name === UP) continue;
    if (Array.isArray(value)) {
      for (const item of value as unknown[]) if (isNode(item)) visit(item, seen, node);
    } else if (isNode(value)) visit(value, seen, node);
  }
}
