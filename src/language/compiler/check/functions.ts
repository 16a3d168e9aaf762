import type { ParamPattern, Statement } from "@oxc-project/types";
import type { FunctionDecl, Local, Stmt } from "../hir.ts";
import type { Span } from "../span.ts";
import { type Type, VOID } from "../type.ts";
import { resultOf } from "./answers.ts";
import type { Checker } from "./checker.ts";
import { Facts, type FunctionSource } from "./entity.ts";
import { expr } from "./expressions.ts";
import { FunctionChecker, type FunctionOptions } from "./function-checker.ts";
import { contentOf } from "./places.ts";
import { Abandoned } from "./report.ts";
import { statements } from "./statements.ts";
import { asParameter, typeOfAnnotation } from "./type-expressions.ts";
import { typeName } from "./type-names.ts";

/** What a function's body gives: its statements, and what it returns. */
export interface CheckedBody {
  readonly body: readonly Stmt[];
  readonly result: Type;
}

/**
 * Checks a body; once more when a variable turns out to need a sign. `bind` gives the parameters their names, and statements that
 * stand before the others.
 */
export function checkBody(
  cx: Checker,
  source: FunctionSource,
  options: Omit<FunctionOptions, "signedLocals">,
  bind: (fc: FunctionChecker) => readonly Stmt[],
): CheckedBody {
  const signedLocals = new Set<object>();
  const { diagnostics } = cx.report;
  const counts = { diagnostics: diagnostics.length, prints: cx.prints.length };
  for (;;) {
    const fc = new FunctionChecker(cx, source.file, { ...options, signedLocals });
    const first = bind(fc);
    const body = [...first, ...bodyOf(fc, source)];
    if (!fc.foundSigned) {
      const result = fc.result ?? VOID;
      // Behind a statement that was refused it is not known whether the end is reached.
      if (
        diagnostics.length === counts.diagnostics &&
        fc.facts.reachable &&
        result.kind !== "void" &&
        !(options.isProgram && options.returnsNothing)
      )
        cx.report.add("TS2366", source.span, `\`${source.name}\` ends without returning a ${typeName(result)}.`);
      return { body, result };
    }
    diagnostics.length = counts.diagnostics;
    cx.prints.length = counts.prints;
  }
}

function bodyOf(fc: FunctionChecker, { node }: FunctionSource): Stmt[] {
  const { body } = node;
  if (body === null) return [];
  if (body.type === "BlockStatement") return statements(fc, body.body as Statement[]);
  // `() => value`
  const found = fc.cx.report.attempt((): Stmt[] => {
    const span = fc.span(body);
    if (fc.result === undefined || fc.result.kind === "void") {
      const value = contentOf(expr(fc, body));
      if (fc.result === undefined && !fc.isProgram && value.type.kind !== "void") {
        fc.result = value.type;
        return [{ op: "return", value, span }];
      }
      return [{ op: "expr", value, span }];
    }
    const given = fc.isProgram && fc.returnsNothing ? expr(fc, body) : undefined;
    if (given?.type.kind === "void" || given?.type.kind === "bool") return [{ op: "expr", value: given, span }];
    return [{ op: "return", value: resultOf(fc, body, fc.result), span }];
  });
  const last = found?.at(-1);
  if (last?.op === "return" || found === undefined) fc.facts = Facts.UNREACHABLE;
  return found ?? [];
}

/** Refuses what functions of the kernel cannot be. */
export function refuseSpecial(cx: Checker, { node, span, name }: FunctionSource): void {
  const kind = node.async ? "async" : "generator" in node && node.generator ? "generator" : undefined;
  if (kind !== undefined)
    cx.report.fail(
      "EB1001",
      span,
      `\`${name}\` is ${kind === "async" ? "an `async` function" : "a generator"}, which cannot run in the kernel: a program runs to its end.`,
      { help: "Do the waiting in user space and pass the result through a map." },
    );
  if (node.typeParameters != null)
    cx.report.fail("EB1011", span, "Functions of the kernel have no type parameters.", {
      help: "Write the function once for each type.",
    });
}

/** A function of the source that something calls. Undefined when it was refused, which was reported. */
export function checkFunction(cx: Checker, source: FunctionSource, call: Span): FunctionDecl | undefined {
  if (source.decl !== undefined || source.failed) return source.decl;
  if (source.checking)
    return cx.report.fail("EB2310", call, `\`${source.name}\` calls itself, if only through others.`, {
      why: "The kernel wants to know how much stack a program takes and that it ends: it refuses recursion.",
      help: "Write a loop: `for (const i of range(n))` or `while (test && atMost(100))`.",
    });
  source.checking = true;
  try {
    source.decl = declareFunction(cx, source);
    cx.functions.push(source.decl);
    return source.decl;
  } catch (error) {
    source.failed = true;
    if (error instanceof Abandoned) return undefined;
    throw error;
  } finally {
    source.checking = false;
  }
}

function declareFunction(cx: Checker, source: FunctionSource): FunctionDecl {
  const { node, file } = source;
  refuseSpecial(cx, source);
  const params: Local[] = [];
  const annotation = node.returnType?.typeAnnotation;
  const result = annotation === undefined ? undefined : typeOfAnnotation(cx, file, annotation);
  const checked = checkBody(cx, source, { isProgram: false, result, returnsNothing: false }, (fc) => {
    params.length = 0;
    for (const param of node.params) params.push(parameter(fc, param));
    return [];
  });
  if (params.length > 5)
    cx.report.fail(
      "EB5003",
      source.span,
      `\`${source.name}\` has ${params.length} parameters, and a function of the kernel has five at most.`,
      { help: "Put them into a struct and pass that." },
    );
  return {
    name: cx.unique(source.name),
    exported: false,
    params,
    result: checked.result,
    body: checked.body,
    span: source.span,
  };
}

function parameter(fc: FunctionChecker, param: ParamPattern): Local {
  if (param.type !== "Identifier") return fc.fail("EB1008", param, "A parameter has a plain name here.");
  if (param.optional)
    return fc.fail("EB1008", param, "A parameter cannot be left out here.", {
      help: "Give it the type `T | undefined` and pass `undefined`.",
    });
  if (param.typeAnnotation == null)
    return fc.fail("TS7006", param, `Parameter \`${param.name}\` needs a type.`, {
      help: `Write \`${param.name}: u64\`.`,
    });
  const type = asParameter(typeOfAnnotation(fc.cx, fc.file, param.typeAnnotation.typeAnnotation));
  const local: Local = { name: param.name, type, mutable: false, span: fc.span(param) };
  fc.scope.set(param.name, { kind: "local", local, isConst: false, node: param });
  return local;
}
