import type { Expression, Statement, VariableDeclaration, VariableDeclarator } from "@oxc-project/types";
import type { Expr, Local, Loop, Place, Stmt } from "../hir.ts";
import { isAggregate, type Type, VOID } from "../type.ts";
import { coerce, contentOf } from "./assign.ts";
import { argumentsOf } from "./calls.ts";
import { condition } from "./conditions.ts";
import { constantOf, NOT_CONSTANT, shown, tryConstant } from "./constants.ts";
import { Facts } from "./entity.ts";
import { abandon, binaryName, expr, value, valueFor } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { asInteger, binary, number, plain } from "./integers.ts";
import { contextField, memberOf, pointerPlace } from "./members.ts";
import { entityOf, typeOfAnnotation, vocabularyCallee } from "./type-expressions.ts";
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
      const { test, whenTrue, whenFalse } = condition(fc, node.test);
      const start = fc.facts;
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

function bodyOf(node: Statement): Statement[] {
  return node.type === "BlockStatement" ? (node.body as Statement[]) : [node];
}

function declaration(fc: FunctionChecker, node: VariableDeclaration): Stmt[] {
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

function define(
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
  if (id.type !== "ObjectPattern" || init === null) return abandon(fc);
  const binding = init.type === "Identifier" ? fc.scope.find(init.name) : undefined;
  const source = binding?.kind === "context" ? undefined : value(fc, init);
  return id.properties.map((property): Stmt => {
    if (
      property.type !== "Property" ||
      property.computed ||
      property.key.type !== "Identifier" ||
      property.value.type !== "Identifier"
    )
      return fc.fail(
        "EB1008",
        property,
        "Fields are taken by their plain names here, without other values for what is missing.",
      );
    const field = property.key.name;
    const init: Expr =
      binding?.kind === "context"
        ? contextField(fc, binding.shape, field, property)
        : memberOf(fc, source as Expr, field, property, property);
    const local: Local = { name: property.value.name, type: init.type, mutable: false, span: fc.span(property) };
    define(fc, local.name, local, isConst, property, property);
    return { op: "let", local, init, span: fc.span(property) };
  });
}

/** An expression whose value nobody looks at. */
function effect(fc: FunctionChecker, node: Expression): Stmt[] {
  const span = fc.span(node);
  if (node.type === "AssignmentExpression") return [assignment(fc, node)];
  if (node.type === "UpdateExpression") {
    const by = node.operator === "++" ? "add" : "sub";
    return [change(fc, node.argument as Expression, by, number(1n, span), node, node)];
  }
  if (node.type === "SequenceExpression") return node.expressions.flatMap((one) => effect(fc, one));
  const done = expr(fc, node);
  // A text that stands alone is a directive (`"use strict"`): nothing.
  if (node.type === "Literal" && typeof node.value === "string") return [];
  if (!hasEffect(done)) fc.cx.report.warn("EB2019", span, `\`${fc.text(node)}\` computes something that nobody uses.`);
  return [{ op: "expr", value: done, span }];
}

function hasEffect(value: Expr): boolean {
  if (value.op === "helper") return ["signal", "signalThread", "random"].includes(value.name);
  return (
    value.op === "call" ||
    value.op === "print" ||
    /^(map|ring|cell|storage|stack)/.test(value.op) ||
    value.op === "chain"
  );
}

function assignment(fc: FunctionChecker, node: Extract<Expression, { type: "AssignmentExpression" }>): Stmt {
  const target = node.left as Expression;
  const span = fc.span(node);
  if (node.left.type === "ObjectPattern" || node.left.type === "ArrayPattern")
    return fc.fail("EB1008", node.left, "One variable is assigned to at a time here.");
  if (node.operator !== "=") {
    const name = binaryName(node.operator.slice(0, -1));
    if (name === undefined)
      return fc.fail("EB1009", node, `\`${node.operator}\` is not in kernel TypeScript.`, { help: "Write an `if`." });
    return change(fc, target, name, value(fc, node.right), node, node.right);
  }
  if (target.type === "Identifier") {
    const binding = fc.scope.find(target.name);
    if (binding?.kind === "broken") return abandon(fc);
    if (binding?.kind === "local") {
      const { local } = binding;
      if (binding.isConst) return constant(fc, target, local.name);
      const given = expr(fc, node.right, local.type);
      noteSign(fc, binding.node, local, given);
      const next = coerce(fc, given, local.type, node.right, { what: `\`${local.name}\`` });
      local.mutable = true;
      if (local.type.kind === "optional")
        fc.facts = next.op === "wrap" ? fc.facts.with([local]) : fc.facts.without([local]);
      if (isAggregate(local.type)) {
        const place: Place = { base: { kind: "local", local }, offset: 0, indices: [], type: local.type, span };
        return { op: "store", place, value: next, span };
      }
      return { op: "assign", local, value: next, span };
    }
  }
  const place = writable(fc, target);
  const stored = valueFor(fc, node.right, place.type, `\`${fc.text(target)}\``);
  return { op: "store", place, value: contentOf(stored), span };
}

/** A variable without annotation that a signed value is given to is signed: the function is checked again, knowing that. */
function noteSign(fc: FunctionChecker, node: object, local: Local, given: Expr): void {
  if (local.type.kind !== "int" || !local.type.plain || local.type.signed) return;
  if (given.type.kind !== "int" || !given.type.signed || fc.signedLocals.has(node)) return;
  fc.signedLocals.add(node);
  fc.foundSigned = true;
}

/** `target op= by`. */
function change(
  fc: FunctionChecker,
  target: Expression,
  by: Parameters<typeof binary>[1],
  amount: Expr,
  node: Expression,
  amountNode: Expression,
): Stmt {
  const span = fc.span(node);
  if (target.type === "Identifier") {
    const binding = fc.scope.find(target.name);
    if (binding?.kind === "broken") return abandon(fc);
    if (binding?.kind === "local" && !isAggregate(binding.local.type)) {
      const { local } = binding;
      if (binding.isConst) return constant(fc, target, local.name);
      const result = binary(fc, by, value(fc, target), amount, node, [target, amountNode]);
      noteSign(fc, binding.node, local, result);
      local.mutable = true;
      return { op: "assign", local, value: coerce(fc, result, local.type, node, { what: `\`${local.name}\`` }), span };
    }
  }
  const place = writable(fc, target);
  const read: Expr = { op: "read", place, type: place.type, span: fc.span(target) };
  // The types are checked as for `a = a op b`; what is written is cut off to the place's width as the machine does.
  asInteger(fc, read, target);
  const given = asInteger(fc, amount, amountNode);
  return { op: "update", place, binary: by, value: given, span };
}

function constant(fc: FunctionChecker, node: Expression, name: string): never {
  return fc.fail("TS2588", node, `\`${name}\` is a constant.`, { help: "Declare it with `let`." });
}

/** A place that programs may write. */
export function writable(fc: FunctionChecker, node: Expression): Place {
  const entity =
    node.type === "Identifier"
      ? fc.scope.find(node.name) === undefined
        ? entityOf(fc.file, node)
        : undefined
      : undefined;
  if (entity !== undefined) {
    if (entity.kind === "broken") return abandon(fc);
    const help =
      entity.kind === "global" && entity.global.kind === "global" ? `Write \`${fc.text(node)}.value = …\`.` : undefined;
    return fc.fail(
      "EB3104",
      node,
      `\`${fc.text(node)}\` is declared outside of programs and cannot be assigned to.`,
      help === undefined ? { help: "For a value that programs change declare `global(u64, 0)`." } : { help },
    );
  }
  const target = expr(fc, node);
  if (target.op === "local" && target.type.kind === "reference") return pointerPlace(target, target.type.to);
  if (target.op !== "read") return fc.fail("TS2364", node, `\`${fc.text(node)}\` is no place that can be assigned to.`);
  const { base } = target.place;
  if (base.kind === "context")
    return fc.fail(
      "EB3104",
      node,
      `\`${fc.text(node)}\` is part of the program's context, which this kind of program cannot change.`,
    );
  if (base.kind === "pointer" && base.pointer.type.kind === "kernelPointer")
    return fc.fail("EB3103", node, `\`${fc.text(node)}\` is memory of the kernel, which programs only read.`);
  if (base.kind === "global" && base.global.kind === "param")
    return fc.fail(
      "EB3104",
      node,
      `\`${base.global.name}\` is a parameter: user space sets it before the program is loaded.`,
    );
  if (base.kind === "temporary")
    return fc.fail("TS2364", node, `\`${fc.text(node)}\` is no place that can be assigned to.`);
  return target.place;
}

/** An answer: one of a few numbers, written as it is. */
function verdict(fc: FunctionChecker, node: Expression, verdicts: number): Expr {
  const given = value(fc, node);
  const isAnswer = (one: Expr): boolean =>
    one.op === "conditional"
      ? isAnswer(one.then) && isAnswer(one.else)
      : one.op === "number" && one.value >= 0n && one.value < BigInt(verdicts);
  if (isAnswer(given)) return given;
  return fc.fail("TS2322", node, `\`${fc.text(node)}\` is no answer of this kind of program.`, {
    help: "It answers with `XDP.PASS`, `XDP.DROP`, `XDP.TX`, `XDP.REDIRECT` or `XDP.ABORTED`, written as such.",
  });
}

/** What is returned, as one of the type. Of programs that may give any number the kernel looks at the lower half. */
export function resultOf(fc: FunctionChecker, node: Expression, type: Type): Expr {
  if (fc.verdicts !== undefined) return verdict(fc, node, fc.verdicts);
  if (fc.isProgram && fc.returnsNothing && type.kind === "int") {
    const given = contentOf(expr(fc, node, type));
    if (given.type.kind === "int" && given.op !== "number")
      return { op: "convert", value: given, type, span: given.span };
    return coerce(fc, given, type, node, { what: "what is returned" });
  }
  return valueFor(fc, node, type, "what is returned");
}

function returned(
  fc: FunctionChecker,
  node: Expression | null,
  span: Stmt["span"],
  at: { start: number; end: number },
): Stmt {
  const { result } = fc;
  let given: Expr | undefined;
  if (node !== null && !(result?.kind === "void" && node.type === "Identifier" && node.name === "undefined")) {
    if (result === undefined) {
      given = contentOf(expr(fc, node));
      fc.result = given.type;
      if (isAggregate(given.type))
        return fc.fail("EB2020", node, `A function cannot give a ${typeName(given.type)}.`, {
          help: "Give it a place to write to: a parameter with the struct's type.",
        });
    } else if (result.kind === "void") {
      return fc.fail(
        "TS2322",
        node,
        fc.isProgram ? "This kind of program gives nothing back." : "This function gives nothing back.",
      );
    } else given = resultOf(fc, node, result);
  } else if (result !== undefined && result.kind !== "void" && !(fc.isProgram && fc.returnsNothing)) {
    return fc.fail("TS2322", at, `A ${typeName(result)} is to be returned here.`);
  } else if (result === undefined) fc.result = VOID;
  fc.facts = Facts.UNREACHABLE;
  return { op: "return", value: given, span };
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

/** Variables of the function that are assigned to within nodes: what was known of them is not known in a loop around. */
function assignedIn(fc: FunctionChecker, nodes: readonly unknown[]): Local[] {
  const found: Local[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) {
      for (const one of node) visit(one);
      return;
    }
    if (typeof node !== "object" || node === null) return;
    const one = node as {
      type?: string;
      left?: { type: string; name?: string };
      argument?: { type: string; name?: string };
    };
    const target =
      one.type === "AssignmentExpression" ? one.left : one.type === "UpdateExpression" ? one.argument : undefined;
    if (target?.type === "Identifier" && target.name !== undefined) {
      const binding = fc.scope.find(target.name);
      if (binding?.kind === "local") found.push(binding.local);
    }
    for (const child of Object.values(node)) if (typeof child === "object") visit(child);
  };
  visit(nodes);
  return found;
}

/** What is done in a loop, with what is known there and behind it. */
function loopBody(fc: FunctionChecker, loop: Loop, nodes: readonly unknown[], work: () => void): Facts {
  const around = { loop, continues: true, breaks: [] as Facts[] };
  fc.facts = fc.facts.without(assignedIn(fc, nodes));
  fc.surroundings.push(around);
  try {
    work();
  } finally {
    fc.surroundings.pop();
  }
  return around.breaks.reduce((all, facts) => all.meet(facts), Facts.UNREACHABLE);
}

function whileLoop(
  fc: FunctionChecker,
  testNode: Expression,
  body: Statement,
  testLast: boolean,
  label: string | undefined,
  node: Statement,
): Stmt {
  const loop: Loop = { label };
  const { test: rest, atMost } = splitAtMost(fc, testNode);
  const isEndless = rest !== undefined && rest.type === "Literal" && rest.value === true;
  let test: Expr | undefined;
  let inner: Stmt[] = [];
  let exit = Facts.UNREACHABLE;
  const breaks = loopBody(fc, loop, [testNode, body], () => {
    const entry = fc.facts;
    const tested = rest === undefined || isEndless || testLast ? undefined : condition(fc, rest);
    test = tested?.test;
    exit = tested === undefined ? exit : entry.with(tested.whenFalse);
    if (atMost !== undefined) exit = exit.meet(entry);
    fc.facts = tested === undefined ? entry : entry.with(tested.whenTrue);
    inner = block(fc, bodyOf(body));
    if (testLast && rest !== undefined && !isEndless) {
      // The test sees what holds at the end of the body, or at a `continue`: what held at the start.
      const last = fc.under(entry, () => condition(fc, rest));
      test = last.test;
      exit = exit.meet(entry);
    }
  });
  fc.facts = exit.meet(breaks);
  return { op: "loop", loop, test, testLast, body: inner, update: [], atMost, span: fc.span(node) };
}

/** `test && atMost(n)`: the test, and the bound. */
function splitAtMost(
  fc: FunctionChecker,
  node: Expression,
): { test: Expression | undefined; atMost: number | undefined } {
  if (node.type === "CallExpression" && vocabularyCallee(fc.file, node) === "atMost") {
    const [limit] = argumentsOf(fc, node, "atMost", 1) as [Expression];
    return { test: undefined, atMost: bound(fc, limit) };
  }
  if (node.type === "LogicalExpression" && node.operator === "&&") {
    for (const [side, other] of [
      [node.right, node.left],
      [node.left, node.right],
    ] as const) {
      const found = splitAtMost(fc, side);
      if (found.atMost === undefined) continue;
      return found.test === undefined
        ? { test: other, atMost: found.atMost }
        : fc.fail("EB2016", side, "`atMost(n)` stands last in a loop's condition.");
    }
  }
  return { test: node, atMost: undefined };
}

function bound(fc: FunctionChecker, node: Expression): number {
  const limit = constantOf(fc.cx, fc.file, node);
  if (typeof limit === "bigint" && limit >= 1n && limit <= 1n << 23n) return Number(limit);
  return fc.fail("EB2302", node, `A loop turns at least once and at most 8,388,608 times; this says ${shown(limit)}.`);
}

function forLoop(
  fc: FunctionChecker,
  node: Extract<Statement, { type: "ForStatement" }>,
  label: string | undefined,
): Stmt {
  const span = fc.span(node);
  return fc.inScope(() => {
    const loop: Loop = { label };
    const first: Stmt[] =
      node.init === null
        ? []
        : node.init.type === "VariableDeclaration"
          ? declaration(fc, node.init)
          : effect(fc, node.init);
    const { test: testNode, atMost } =
      node.test === null ? { test: undefined, atMost: undefined } : splitAtMost(fc, node.test);
    let test: Expr | undefined;
    let body: Stmt[] = [];
    let update: Stmt[] = [];
    let exit = Facts.UNREACHABLE;
    const breaks = loopBody(fc, loop, [node.test, node.update, node.body], () => {
      const entry = fc.facts;
      const tested = testNode === undefined ? undefined : condition(fc, testNode);
      test = tested?.test;
      exit = tested === undefined ? exit : entry.with(tested.whenFalse);
      if (atMost !== undefined) exit = exit.meet(entry);
      fc.facts = tested === undefined ? entry : entry.with(tested.whenTrue);
      body = block(fc, bodyOf(node.body));
      if (node.update !== null) update = fc.under(entry, () => effect(fc, node.update as Expression));
    });
    fc.facts = exit.meet(breaks);
    const turning: Stmt = { op: "loop", loop, test, testLast: false, body, update, atMost, span };
    return first.length === 0 ? turning : { op: "block", body: [...first, turning], span };
  });
}

function forOf(
  fc: FunctionChecker,
  node: Extract<Statement, { type: "ForOfStatement" }>,
  label: string | undefined,
): Stmt {
  const span = fc.span(node);
  if (node.await) return fc.fail("EB1001", node, "`for await` cannot be in the kernel: a program runs to its end.");
  const [declarator] = node.left.type === "VariableDeclaration" ? node.left.declarations : [];
  if (node.left.type !== "VariableDeclaration" || declarator === undefined || node.left.kind === "var")
    return fc.fail("EB1010", node.left, "The variable of a loop is declared in it: `for (const x of …)`.");
  const isConst = node.left.kind === "const";
  const loop: Loop = { label };
  const { right } = node;
  const inLoop = (names: readonly [VariableDeclarator["id"], Local][], make: (body: Stmt[]) => Stmt): Stmt =>
    fc.inScope(() => {
      for (const [id, local] of names) if (id.type === "Identifier") define(fc, id.name, local, isConst, id, id);
      const start = fc.facts;
      let body: Stmt[] = [];
      const breaks = loopBody(fc, loop, [node.body], () => {
        body = block(fc, bodyOf(node.body));
      });
      fc.facts = start.without(assignedIn(fc, [node.body])).meet(breaks);
      return make(body);
    });
  const simple = (type: Type): Local => {
    if (declarator.id.type !== "Identifier")
      return fc.fail("EB1008", declarator.id, "One variable takes each element here.");
    return { name: declarator.id.name, type, mutable: false, span: fc.span(declarator.id) };
  };
  if (right.type === "CallExpression" && vocabularyCallee(fc.file, right) === "range") {
    const list = argumentsOf(fc, right, "range", 1, 3);
    const last = list.at(-1);
    const options = last?.type === "ObjectExpression" ? last : undefined;
    const ends = options === undefined ? list : list.slice(0, -1);
    if (ends.length === 0 || ends.length > 2)
      return fc.fail("TS2554", right, "`range` takes an end, or a start and an end, and `{ atMost }` behind them.");
    const [a, b] = ends.map((end) => asInteger(fc, value(fc, end), end));
    const zero = number(0n, span);
    const [from, to] = b === undefined ? [zero, a as Expr] : [a as Expr, b];
    for (const [i, side] of [from, to].entries())
      if (side.type.kind === "int" && side.type.signed && side.type.bits === 64 && side.op !== "number")
        return fc.fail("EB2203", ends[Math.min(i, ends.length - 1)] as Expression, "An end of a range is unsigned.", {
          help: "Convert it: `u32(n)`, after a test that it is not negative.",
        });
    const local = simple({ kind: "int", bits: 64, signed: false, plain: true });
    const limit = options === undefined ? undefined : rangeLimit(fc, options);
    return inLoop([[declarator.id, local]], (body) => ({
      op: "range",
      loop,
      local,
      start: from,
      end: to,
      atMost: limit,
      body,
      span,
    }));
  }
  const entity =
    right.type === "Identifier" && fc.scope.find(right.name) === undefined ? entityOf(fc.file, right) : undefined;
  if (entity?.kind === "map") return entries(fc, entity.map, declarator, node, inLoop, loop);
  const over = contentOf(value(fc, right));
  if (over.type.kind !== "array" && over.type.kind !== "bytes")
    return fc.fail(
      "EB2303",
      right,
      `\`${fc.text(right)}\` is ${typeName(over.type)}: a loop goes over arrays, maps and ranges.`,
    );
  const element: Type = over.type.kind === "array" ? over.type.element : { kind: "int", bits: 8, signed: false };
  const place: Place =
    over.op === "read"
      ? over.place
      : { base: { kind: "temporary", value: over }, offset: 0, indices: [], type: over.type, span };
  const local = simple(isAggregate(element) ? { kind: "reference", to: element, memory: "map" } : element);
  return inLoop([[declarator.id, local]], (body) => ({ op: "each", loop, local, of: place, body, span }));
}

function rangeLimit(fc: FunctionChecker, node: Extract<Expression, { type: "ObjectExpression" }>): number {
  const [property] = node.properties;
  if (
    node.properties.length !== 1 ||
    property?.type !== "Property" ||
    property.key.type !== "Identifier" ||
    property.key.name !== "atMost"
  )
    return fc.fail("TS2353", node, "A range takes `{ atMost: n }`.");
  return bound(fc, property.value);
}

function entries(
  fc: FunctionChecker,
  map: Extract<ReturnType<typeof entityOf>, { kind: "map" }>["map"],
  declarator: VariableDeclarator,
  node: Extract<Statement, { type: "ForOfStatement" }>,
  inLoop: (names: readonly [VariableDeclarator["id"], Local][], make: (body: Stmt[]) => Stmt) => Stmt,
  loop: Loop,
): Stmt {
  const { id } = declarator;
  if (map.key === undefined || map.value === undefined || map.aggregate !== undefined)
    return fc.fail("EB2303", node.right, `A program cannot go over \`${map.name}\`.`);
  if (id.type !== "ArrayPattern")
    return fc.fail("EB1008", id, "A map's elements are pairs: `for (const [key, value] of map)`.");
  const as = (type: Type): Type => (isAggregate(type) ? { kind: "reference", to: type, memory: "map" } : type);
  const names = id.elements.map((element, i): [VariableDeclarator["id"], Local] | undefined => {
    if (element === null) return undefined;
    if (element.type !== "Identifier" || i > 1)
      return fc.fail("EB1008", element, "A map's elements are pairs: `for (const [key, value] of map)`.");
    return [
      element,
      { name: element.name, type: as((i === 0 ? map.key : map.value) as Type), mutable: false, span: fc.span(element) },
    ];
  });
  return inLoop(
    names.filter((one) => one !== undefined),
    (body) => ({ op: "entries", loop, map, key: names[0]?.[1], value: names[1]?.[1], body, span: fc.span(node) }),
  );
}
