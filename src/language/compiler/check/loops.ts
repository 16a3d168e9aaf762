import type { Expression, Node, Statement, VariableDeclarator } from "@oxc-project/types";
import type { Expr, Local, Loop, MapDecl, Place, Stmt } from "../hir.ts";
import { visit } from "../syntax/walk.ts";
import { isAggregate, type Type, U8 } from "../type.ts";
import { effect } from "./assignments.ts";
import { argumentsOf } from "./calls.ts";
import { condition } from "./conditions.ts";
import { constantOf, shown, tryConstant } from "./constants.ts";
import { Facts } from "./entity.ts";
import { entityHere, value } from "./expressions.ts";
import type { FunctionChecker } from "./function-checker.ts";
import { asInteger, number, plain } from "./integers.ts";
import { contentOf } from "./places.ts";
import { block, bodyOf, declaration, define } from "./statements.ts";
import { vocabularyCallee } from "./type-expressions.ts";
import { typeName } from "./type-names.ts";

/** Variables of the function that are assigned to within nodes: what was known of them is not known in a loop around. */
function assignedIn(fc: FunctionChecker, nodes: readonly (Node | null)[]): Local[] {
  const found: Local[] = [];
  for (const node of nodes) {
    if (node === null) continue;
    visit(node, (one) => {
      const target =
        one.type === "AssignmentExpression" ? one.left : one.type === "UpdateExpression" ? one.argument : undefined;
      const binding = target?.type === "Identifier" ? fc.scope.find(target.name) : undefined;
      if (binding?.kind === "local") found.push(binding.local);
    });
  }
  return found;
}

/** A loop's test before each turn: what is known in the body, and, given back, behind the loop. */
function testFirst(
  fc: FunctionChecker,
  node: Expression | undefined,
  atMost: number | undefined,
): { readonly test: Expr | undefined; readonly exit: Facts } {
  const entry = fc.facts;
  const tested = node === undefined ? undefined : condition(fc, node);
  const exit = tested === undefined ? Facts.UNREACHABLE : entry.with(tested.whenFalse);
  if (tested !== undefined) fc.facts = entry.with(tested.whenTrue);
  return { test: tested?.test, exit: atMost === undefined ? exit : exit.meet(entry) };
}

/** What is done in a loop, with what is known there and behind it. */
function loopBody(fc: FunctionChecker, loop: Loop, nodes: readonly (Node | null)[], work: () => void): Facts {
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

export function whileLoop(
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
    ({ test, exit } = testFirst(fc, isEndless || testLast ? undefined : rest, atMost));
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

export function forLoop(
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
      ({ test, exit } = testFirst(fc, testNode, atMost));
      body = block(fc, bodyOf(node.body));
      if (node.update !== null) update = fc.under(entry, () => effect(fc, node.update as Expression));
    });
    fc.facts = exit.meet(breaks);
    const turning: Stmt = { op: "loop", loop, test, testLast: false, body, update, atMost, span };
    return first.length === 0 ? turning : { op: "block", body: [...first, turning], span };
  });
}

export function forOf(
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
      let entry = fc.facts;
      let body: Stmt[] = [];
      const breaks = loopBody(fc, loop, [node.body], () => {
        entry = fc.facts;
        body = block(fc, bodyOf(node.body));
      });
      fc.facts = entry.meet(breaks);
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
    for (const end of ends) {
      const side = end === ends.at(-1) ? to : from;
      if (side.type.kind !== "int" || !side.type.signed) continue;
      // Of 32 bits and fewer, too: -1 would be taken for the largest number that there is.
      const known = side.op === "number" ? side.value : tryConstant(fc.cx, fc.file, end);
      if (typeof known === "bigint" && known >= 0n) continue;
      return fc.fail("EB2203", end, "An end of a range is unsigned.", {
        help: "Convert it: `u32(n)`, after a test that it is not negative.",
      });
    }
    const local = simple(plain(false));
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
  const entity = entityHere(fc, right);
  if (entity?.kind === "map") return entries(fc, entity.map, declarator, node, inLoop, loop);
  const over = contentOf(value(fc, right));
  if (over.type.kind !== "array" && over.type.kind !== "bytes")
    return fc.fail(
      "EB2303",
      right,
      `\`${fc.text(right)}\` is ${typeName(over.type)}: a loop goes over arrays, maps and ranges.`,
    );
  const element: Type = over.type.kind === "array" ? over.type.element : U8;
  const place: Place =
    over.op === "read"
      ? over.place
      : { base: { kind: "temporary", value: over }, offset: 0, indices: [], type: over.type, span };
  // What the context holds has no address of its own: it is copied.
  const inPlace = isAggregate(element) && place.base.kind !== "context";
  const local = simple(inPlace ? { kind: "reference", to: element, memory: "map" } : element);
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
  map: MapDecl,
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
