import type { Statement, VariableDeclaration, VariableDeclarator } from "@oxc-project/types";
import type { Expr, Local, Loop, Stmt } from "../hir.ts";
import { isAggregate, type Type } from "../type.ts";
import { returned } from "./answers.ts";
import { coerce } from "./assign.ts";
import { effect } from "./assignments.ts";
import { condition } from "./conditions.ts";
import { NOT_CONSTANT, tryConstant } from "./constants.ts";
import { Facts } from "./entity.ts";
import { expr, value } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { asInteger, plain } from "./integers.ts";
import { forLoop, forOf, whileLoop } from "./loops.ts";
import { contextField, memberOf, takenField } from "./members.ts";
import { abandon } from "./report.ts";
import { typeOfAnnotation } from "./type-expressions.ts";
import { typeName } from "./type-names.ts";

/** Statements in a block of their own names. What is wrong with one leaves the others to be looked at. */
export function block(fc: FunctionChecker, nodes: readonly Statement[]): Stmt[] {
  return fc.inScope(() => statements(fc, nodes));
}

export function statements(fc: FunctionChecker, nodes: readonly Statement[]): Stmt[] {
  const result: Stmt[] = [];
  for (const node of nodes) {
    const found = fc.cx.report.attempt(() => statement(fc, node));
    if (found !== undefined) result.push(...found);
    // Variables of a declaration that was refused are known, so that what uses them is not refused once more.
    else if (node.type === "VariableDeclaration") for (const { id } of node.declarations) markBroken(fc, id);
  }
  return result;
}

function markBroken(fc: FunctionChecker, id: VariableDeclarator["id"]): void {
  if (id.type === "Identifier" && !fc.scope.has(id.name)) fc.scope.set(id.name, { kind: "broken" });
  if (id.type === "ObjectPattern")
    for (const property of id.properties)
      if (property.type === "Property" && property.value.type === "Identifier") markBroken(fc, property.value);
}

function statement(fc: FunctionChecker, node: Statement, label?: string): Stmt[] {
  const span = fc.span(node);
  switch (node.type) {
    case "EmptyStatement":
      return [];
    case "BlockStatement":
      return [{ op: "block", body: block(fc, node.body as Statement[]), span }];
    case "VariableDeclaration":
      return declaration(fc, node);
    case "ExpressionStatement":
      return effect(fc, node.expression);
    case "IfStatement": {
      const { test, whenTrue, whenFalse, decided } = condition(fc, node.test);
      const start = fc.facts;
      if (decided !== undefined) {
        fc.facts = start.with(decided ? whenTrue : whenFalse);
        const taken = decided ? node.consequent : node.alternate;
        const other = decided ? node.alternate : node.consequent;
        if (other !== null) fc.cx.aside(() => fc.under(start, () => block(fc, bodyOf(other))));
        const before: Stmt[] = test.op === "boolean" ? [] : [{ op: "expr", value: test, span }];
        return [...before, { op: "block", body: taken === null ? [] : block(fc, bodyOf(taken)), span }];
      }
      fc.facts = start.with(whenTrue);
      const then = block(fc, bodyOf(node.consequent));
      const afterThen = fc.facts;
      fc.facts = start.with(whenFalse);
      const other = node.alternate === null ? [] : block(fc, bodyOf(node.alternate));
      fc.facts = afterThen.meet(fc.facts);
      return [{ op: "if", test, then, else: other, span }];
    }
    case "ReturnStatement":
      return [returned(fc, node.argument, span, node)];
    case "SwitchStatement":
      return [switched(fc, node, label)];
    case "WhileStatement":
      return [whileLoop(fc, node.test, node.body, false, label, node)];
    case "DoWhileStatement":
      return [whileLoop(fc, node.test, node.body, true, label, node)];
    case "ForStatement":
      return [forLoop(fc, node, label)];
    case "ForOfStatement":
      return [forOf(fc, node, label)];
    case "LabeledStatement":
      return statement(fc, node.body, node.label.name);
    case "BreakStatement":
    case "ContinueStatement": {
      const op = node.type === "BreakStatement" ? "break" : "continue";
      const wanted = node.label?.name;
      const around = fc.surroundings.findLast(
        ({ loop, continues }) => (op === "break" || continues) && (wanted === undefined || loop.label === wanted),
      );
      if (around === undefined)
        return fc.fail(op === "break" ? "TS1105" : "TS1104", node, `There is no loop that this \`${op}\` could be of.`);
      if (op === "break") around.breaks.push(fc.facts);
      fc.facts = Facts.UNREACHABLE;
      return [{ op, loop: around.loop, span }];
    }
    case "ForInStatement":
      return fc.fail(
        "EB1001",
        node,
        "`for … in` goes over names of properties, which there are none of in the kernel.",
        { help: "Use `for (const x of array)` or `for (const i of range(n))`." },
      );
    case "ThrowStatement":
    case "TryStatement":
      return fc.fail("EB1001", node, "There are no exceptions in the kernel.", {
        help: "Return a value that says what happened, or count it in a map.",
      });
    case "FunctionDeclaration":
      return fc.fail("EB1006", node, "A function is declared outside of programs and functions.");
    case "ClassDeclaration":
      return fc.fail("EB1001", node, "There are no classes in the kernel.", {
        help: "Use `struct({ … })` for data and functions for what is done with it.",
      });
    default:
      return fc.fail("EB1001", node, `\`${fc.text(node)}\`: kernel TypeScript has no such statement.`);
  }
}

export function bodyOf(node: Statement): Statement[] {
  return node.type === "BlockStatement" ? (node.body as Statement[]) : [node];
}

export function declaration(fc: FunctionChecker, node: VariableDeclaration): Stmt[] {
  if (node.kind !== "const" && node.kind !== "let")
    return fc.fail("EB1007", node, `\`${node.kind}\` is not for the kernel: write \`const\` or \`let\`.`);
  return node.declarations.flatMap((one) => declare(fc, one, node.kind === "const"));
}

function declare(fc: FunctionChecker, node: VariableDeclarator, isConst: boolean): Stmt[] {
  const { id, init } = node;
  if (init === null)
    return fc.fail("EB2012", node, "A variable begins with a value here.", {
      help: "Write `let x: u64 = 0;`, or `let x: u64 | undefined = undefined;`.",
    });
  if (id.type === "ObjectPattern") return destructure(fc, node, isConst);
  if (id.type !== "Identifier")
    return fc.fail("EB1008", id, "Elements of arrays are taken one by one here: `const a = x[0];`.");
  const annotated =
    id.typeAnnotation == null ? undefined : typeOfAnnotation(fc.cx, fc.file, id.typeAnnotation.typeAnnotation);
  let given = expr(fc, init, annotated);
  if (given.op === "undefined" && annotated === undefined)
    return fc.fail("EB2012", init, "What this variable will hold is not known from `undefined`.", {
      help: `Say it: \`let ${id.name}: u64 | undefined = undefined;\`.`,
    });
  const name = `\`${id.name}\``;
  if (annotated !== undefined) given = coerce(fc, given, annotated, init, { what: name });
  if (given.type.kind === "void")
    return fc.fail("EB2107", init, `\`${fc.text(init)}\` gives nothing that could be kept.`);
  const type = annotated ?? inferred(fc, given, isConst, node);
  if (type.kind === "optional" && isAggregate(type.of))
    return fc.fail(
      "EB2018",
      node,
      `${name} would be a ${typeName(type.of)} or nothing; only what fits a register can be absent.`,
    );
  const local: Local = { name: id.name, type, mutable: false, span: fc.span(id) };
  define(fc, id.name, local, isConst, node, id);
  if (type.kind === "optional" && given.op === "wrap") fc.facts = fc.facts.with([local]);
  return [{ op: "let", local, init: { ...given, type } as Expr, span: fc.span(node) }];
}

/** What a variable without annotation holds: 64 bits, where its value is a number that is written or computed. */
function inferred(fc: FunctionChecker, given: Expr, isConst: boolean, node: object): Type {
  const { type } = given;
  if (isConst || type.kind !== "int") return type;
  return fc.signedLocals.has(node) ? plain(true) : type;
}

export function define(
  fc: FunctionChecker,
  name: string,
  local: Local,
  isConst: boolean,
  node: object,
  at: { start: number; end: number },
): void {
  if (fc.scope.has(name)) fc.fail("TS2451", at, `There is a \`${name}\` in this block already.`);
  fc.scope.set(name, { kind: "local", local, isConst, node });
}

/** `const { a, b: c } = x`. */
function destructure(fc: FunctionChecker, node: VariableDeclarator, isConst: boolean): Stmt[] {
  const { id, init } = node;
  if (id.type !== "ObjectPattern" || init === null) return abandon();
  const binding = init.type === "Identifier" ? fc.scope.find(init.name) : undefined;
  const source = binding?.kind === "context" ? undefined : value(fc, init);
  return id.properties.map((property): Stmt => {
    const { field, id: taken } = takenField(fc, property);
    const init: Expr =
      binding?.kind === "context"
        ? contextField(fc, binding.shape, field, property)
        : memberOf(fc, source as Expr, field, property, property);
    const local: Local = { name: taken.name, type: init.type, mutable: false, span: fc.span(property) };
    define(fc, local.name, local, isConst, property, property);
    return { op: "let", local, init, span: fc.span(property) };
  });
}

function switched(
  fc: FunctionChecker,
  node: Extract<Statement, { type: "SwitchStatement" }>,
  label: string | undefined,
): Stmt {
  const on = asInteger(fc, value(fc, node.discriminant), node.discriminant);
  const loop: Loop = { label };
  const start = fc.facts;
  const around = { loop, continues: false, breaks: [] as Facts[] };
  fc.surroundings.push(around);
  const cases: { values: bigint[]; body: Stmt[] }[] = [];
  let defaultCase = -1;
  let values: bigint[] = [];
  const seen = new Set<bigint>();
  fc.facts = Facts.UNREACHABLE;
  try {
    fc.inScope(() => {
      for (const one of node.cases) {
        if (one.test === null) defaultCase = cases.length;
        else {
          const constant = tryConstant(fc.cx, fc.file, one.test);
          if (constant === NOT_CONSTANT || typeof constant !== "bigint")
            return fc.fail("EB2021", one.test, "A `case` is a number that is known when the program is compiled.");
          if (seen.has(constant)) return fc.fail("EB2021", one.test, `There is a \`case\` for ${constant} before.`);
          seen.add(constant);
          values.push(BigInt.asUintN(64, constant));
        }
        // `case 1: case 2:` share what follows.
        if (
          one.consequent.length === 0 &&
          one !== node.cases.at(-1) &&
          one.test !== null &&
          defaultCase !== cases.length
        )
          continue;
        fc.facts = fc.facts.meet(start);
        cases.push({ values, body: statements(fc, one.consequent) });
        values = [];
      }
    });
  } finally {
    fc.surroundings.pop();
  }
  let after = defaultCase === -1 ? fc.facts.meet(start) : fc.facts;
  for (const facts of around.breaks) after = after.meet(facts);
  fc.facts = after;
  return { op: "switch", value: on, cases, defaultCase, loop, span: fc.span(node) };
}
