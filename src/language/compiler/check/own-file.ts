import type { BindingIdentifier, Expression, Statement, VariableDeclarator } from "@oxc-project/types";
import { visit } from "../syntax/walk.ts";
import type { Checker } from "./checker.ts";
import { NOT_CONSTANT, tryConstant } from "./constants.ts";
import { declareConstant, type ImportFile, importNames, type Later } from "./declarations.ts";
import { type Constant, type Entity, entityOf, type FileScope, functionSource } from "./entity.ts";
import { isProgramCall } from "./programs.ts";
import { vocabularyCallee } from "./type-expressions.ts";

/** Whether a file is kernel code altogether, by its name. */
export function isKernelFile(path: string): boolean {
  return /\.bpf\.[cm]?[jt]s$/.test(path);
}

/**
 * Declares what is kernel code in a file that is JavaScript's own: what calls words of `skep/kernel` outside of functions, constants,
 * and functions, which are looked at when kernel code calls them. All else is left alone: it may be anything. Of programs only
 * those that are wanted, by their names.
 */
export function declareOwnFile(
  cx: Checker,
  file: FileScope,
  body: readonly Statement[],
  wanted: ReadonlySet<string> | undefined,
  importFile: ImportFile,
): Later[] {
  const later: Later[] = [];
  const foreign = (name: string): void => {
    if (!file.names.has(name)) file.names.set(name, { kind: "foreign" });
  };
  const statements = body.map((node) =>
    node.type === "ExportNamedDeclaration" && node.declaration !== null ? node.declaration : node,
  );
  for (const node of statements)
    if (node.type === "FunctionDeclaration" && node.id !== null)
      file.names.set(node.id.name, {
        kind: "function",
        source: functionSource(file, node.id.name, node, cx.span(file, node)),
      });
  for (const node of statements) {
    if (node.type === "ImportDeclaration") {
      const from = node.source.value;
      if (from === "skep/kernel" || from.startsWith("btf:") || isKernelFile(from))
        cx.report.attempt(() => importNames(cx, file, node, importFile));
      else for (const { local } of node.specifiers) foreign(local.name);
    } else if (node.type === "VariableDeclaration") {
      for (const one of node.declarations)
        if (node.kind !== "const" || !declared(cx, file, one, wanted, later))
          for (const name of names(one)) foreign(name);
    } else if (node.type === "ClassDeclaration" && node.id !== null) foreign(node.id.name);
  }
  return later;
}

/** Whether a constant is anything to kernel code; then it is declared. */
function declared(
  cx: Checker,
  file: FileScope,
  node: VariableDeclarator,
  wanted: ReadonlySet<string> | undefined,
  later: Later[],
): boolean {
  const { id, init } = node;
  if (id.type !== "Identifier" || init === null || file.names.has(id.name)) return false;
  if (init.type === "CallExpression" && vocabularyCallee(file, init) !== undefined) {
    if (isProgramCall(file, init) && wanted?.has(id.name) === false) return false;
    cx.report.attempt(() => declareConstant(cx, file, node, (name) => name, later));
    return true;
  }
  const entity = otherEntity(cx, file, id.name, init);
  if (entity !== undefined) file.names.set(id.name, entity);
  return entity !== undefined;
}

function otherEntity(cx: Checker, file: FileScope, name: string, init: Expression): Entity | undefined {
  const other = entityOf(file, init);
  if (other !== undefined && (other.kind !== "vocabulary" || init.type !== "Identifier")) return other;
  if (init.type === "ArrowFunctionExpression" || init.type === "FunctionExpression")
    return { kind: "function", source: functionSource(file, name, init, cx.span(file, init)) };
  // What is none (a fraction, a bigint) is no fault: it is for JavaScript.
  const { diagnostics } = cx.report;
  const { length } = diagnostics;
  let value: ReturnType<typeof tryConstant> = NOT_CONSTANT;
  cx.report.attempt(() => {
    value = tryConstant(cx, file, init);
  });
  diagnostics.length = length;
  return constantOf(value);
}

function constantOf(value: ReturnType<typeof tryConstant>): Entity | undefined {
  return value === NOT_CONSTANT || value === undefined ? undefined : { kind: "constant", value: value as Constant };
}

/** The names that a declaration gives. */
function names({ id }: VariableDeclarator): string[] {
  const found: string[] = [];
  visit(id, (node) => {
    if (node.type === "Identifier") found.push((node as BindingIdentifier).name);
  });
  return found;
}
