import type { Diagnostic } from "../diagnostic.ts";
import type { FunctionDecl, Module } from "../hir.ts";
import { Builder } from "../ssa/builder.ts";
import type { Func } from "../ssa/ir.ts";
import type { Target } from "../target.ts";
import { lowerFunctionBody } from "./calls.ts";
import { type DataLayout, layoutData } from "./data-layout.ts";
import { freshName, Lowering, type Unit } from "./lowering.ts";
import { walkStmts } from "./walk.ts";

/** A module's functions in SSA form. */
export interface LoweredModule {
  /** Programs, the functions they call that were not put in place, and callbacks: callees before those who call them. */
  readonly functions: readonly Func[];
  /** The name in the object of each program, and of each function that is called. */
  readonly names: ReadonlyMap<FunctionDecl, string>;
  readonly layout: DataLayout;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * How a module is made. `fast`: as it runs fastest. `alone`: functions that take and give numbers are looked at by themselves, once (on
 * kernels that mistake callers they always are), and comparisons that are stored are computed without a branch, however long that is.
 * `sparing`: besides, all loops but the shortest are turned by the kernel's own means.
 */
export type Manner = (typeof MANNERS)[number];
export const MANNERS = ["fast", "alone", "sparing"] as const;

export interface LoweringOptions {
  readonly manner?: Manner;
}

/** Lowers a checked program. What the target cannot do is told in the diagnostics; then the functions are not whole. */
export function lowerModule(module: Module, target: Target, options: LoweringOptions = {}): LoweredModule {
  const takenNames = new Set<string>();
  const names = new Map<FunctionDecl, string>();
  // Programs have their own names: people look for them.
  for (const each of [...module.functions].sort(
    (a, b) => Number(b.program !== undefined) - Number(a.program !== undefined),
  ))
    names.set(each, freshName(takenNames, identifier(each.name)));
  const unit: Unit = {
    module,
    target,
    layout: layoutData(module),
    functions: [],
    diagnostics: [],
    names,
    takenNames,
    calls: countCalls(module),
    uses: new Map(),
    made: new Set(),
    manner: options.manner ?? "fast",
    written: new Map(),
  };
  for (const each of module.functions) if (each.program !== undefined) lowerProgram(unit, each);
  return { functions: unit.functions, names, layout: unit.layout, diagnostics: unit.diagnostics };
}

function lowerProgram(unit: Unit, decl: FunctionDecl): void {
  const builder = new Builder(unit.names.get(decl) as string, "program", ["context"], decl.span);
  const l = new Lowering(unit, builder, decl.program);
  const [context] = decl.params;
  if (context !== undefined) {
    const variable = l.newVariable(context.name);
    l.place(context, { kind: "value", variable });
    builder.write(variable, l.context());
  }
  lowerFunctionBody(l, decl);
  unit.functions.push(builder.finish());
}

/** By program: each is loaded with a copy of its own of what it calls. */
function countCalls({ functions }: Module): Map<FunctionDecl, number> {
  const most = new Map<FunctionDecl, number>();
  for (const program of functions) {
    if (program.program === undefined) continue;
    const calls = new Map<FunctionDecl, number>();
    const reached = [program];
    for (let next = reached.pop(); next !== undefined; next = reached.pop())
      walkStmts(next.body, {
        expr: (expr) => {
          if (expr.op !== "call") return;
          const known = calls.get(expr.callee) ?? 0;
          calls.set(expr.callee, known + 1);
          if (known === 0) reached.push(expr.callee);
        },
      });
    for (const [callee, count] of calls) most.set(callee, Math.max(count, most.get(callee) ?? 0));
  }
  return most;
}

/** Names as the kernel takes them for functions: C's letters. */
export function identifier(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_]/g, "_");
  return /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`;
}
