import type { Stmt } from "../hir.ts";
import { walkExpr } from "./walk.ts";

/** Loops of more turns are turned by the kernel's own means, which look at their body a few times only. */
export const PLAIN = 512;

/**
 * About how many instructions the kernel goes through when it looks at statements: those of loops inside as often as they turn,
 * as far as one can tell from the source. `size` says how many a piece without loops becomes.
 */
export function verifiedCost(body: readonly Stmt[], size: (body: readonly Stmt[]) => number): number {
  let cost = size(body);
  for (const stmt of body) cost += inner(stmt, size);
  return cost;
}

function inner(stmt: Stmt, size: (body: readonly Stmt[]) => number): number {
  const all = (bodies: readonly (readonly Stmt[])[]): number =>
    bodies.reduce((sum, body) => sum + body.reduce((each, one) => each + inner(one, size), 0), 0);
  switch (stmt.op) {
    case "if":
      return all([stmt.then, stmt.else]);
    case "block":
      return all([stmt.body]);
    case "switch":
      return all(stmt.cases.map(({ body }) => body));
    case "loop":
      return (turnsGuess(stmt) - 1) * verifiedCost([...stmt.body, ...stmt.update], size);
    case "range":
    case "each":
      return (turnsGuess(stmt) - 1) * verifiedCost(stmt.body, size);
    case "entries":
      return all([stmt.body]);
    default:
      return 0;
  }
}

/** How often a loop inside may turn by jumps back; 1 where the kernel turns it. */
function turnsGuess(stmt: Extract<Stmt, { readonly op: "loop" | "range" | "each" }>): number {
  const turns = (() => {
    switch (stmt.op) {
      case "each":
        return stmt.of.type.kind === "array" ? stmt.of.type.length : 64;
      case "range": {
        const start = stmt.start.op === "number" ? stmt.start.value : 0n;
        if (stmt.end.op === "number") return Number(stmt.end.value - start);
        return Math.min(64, stmt.atMost ?? 64);
      }
      case "loop": {
        let limit = stmt.atMost ?? PLAIN;
        if (stmt.test !== undefined)
          walkExpr(stmt.test, {
            expr: (expr) => {
              if (expr.op === "number" && expr.value > 1n) limit = Math.min(limit, Number(expr.value));
            },
          });
        return limit;
      }
    }
  })();
  return turns > PLAIN ? 1 : Math.max(1, turns);
}
