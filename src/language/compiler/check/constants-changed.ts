import type { Expr, FunctionDecl, Local, Place, Stmt } from "../hir.ts";
import { walkStmts } from "../lower/walk.ts";
import type { Span } from "../span.ts";
import type { Reporter } from "./report.ts";

/**
 * Parameters of the module stand where nobody can write once the program is loaded. That they are not assigned to by name is seen
 * where that is done; here what is left: through another name for a part of them, and in functions that they are handed to.
 */
export function findChangedConstants(functions: readonly FunctionDecl[], report: Reporter): void {
  const changes = new Changes();
  for (const { body } of functions)
    changes.find(
      body,
      ({ base }) => base.kind === "global" && base.global.kind === "param",
      new Set(),
      (span) =>
        report.add("EB3104", span, "This would change a parameter: user space sets it before the program is loaded.", {
          why: "What is named here, or handed to a function that changes it, is the parameter itself and no copy.",
          help: "Copy it first: `let own: Kernel<typeof T> = parameter;`.",
        }),
    );
}

class Changes {
  readonly #known = new Map<FunctionDecl, boolean[]>();

  /** By parameter: whether the function changes what it is handed there. */
  #of(callee: FunctionDecl): boolean[] {
    const known = this.#known.get(callee);
    if (known !== undefined) return known;
    const changed = callee.params.map((param) => {
      let found = false;
      if (param.type.kind === "reference")
        this.find(
          callee.body,
          () => false,
          new Set([param]),
          () => {
            found = true;
          },
        );
      return found;
    });
    this.#known.set(callee, changed);
    return changed;
  }

  /** Tells where something is changed that `isMeant`, or one of the names, or another name for a part of these, stands for. */
  find(body: readonly Stmt[], isMeant: (place: Place) => boolean, names: Set<Local>, tell: (span: Span) => void): void {
    const isIn = (place: Place): boolean =>
      isMeant(place) || (place.base.kind === "pointer" && isPart(place.base.pointer));
    const isPart = (expr: Expr): boolean => {
      if (expr.op === "local") return names.has(expr.local);
      return (expr.op === "address" || expr.op === "read") && isIn(expr.place);
    };
    walkStmts(body, {
      stmt: (stmt) => {
        if ((stmt.op === "store" || stmt.op === "update") && isIn(stmt.place)) tell(stmt.span);
        if (stmt.op === "let" && stmt.local.type.kind === "reference" && stmt.init !== undefined && isPart(stmt.init))
          names.add(stmt.local);
        if (stmt.op === "each" && stmt.local.type.kind === "reference" && isIn(stmt.of)) names.add(stmt.local);
      },
      expr: (expr) => {
        if (expr.op === "cellAdd" || expr.op === "cellExchange" || expr.op === "cellCompareExchange") {
          if (isPart(expr.cell)) tell(expr.span);
        } else if (expr.op === "call") {
          const handed = expr.args.flatMap((arg, i) => (isPart(arg) ? [{ arg, i }] : []));
          if (handed.length === 0) return;
          const changed = this.#of(expr.callee);
          for (const { arg, i } of handed) if (changed[i]) tell(arg.span);
        }
      },
    });
  }
}
