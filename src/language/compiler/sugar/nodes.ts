import type {
  ArrowFunctionExpression,
  BlockStatement,
  CallExpression,
  ExportNamedDeclaration,
  Expression,
  IdentifierName,
  IdentifierReference,
  IfStatement,
  ImportDeclaration,
  NumericLiteral,
  ObjectExpression,
  Statement,
  StringLiteral,
} from "@oxc-project/types";

/** Where a node that the sugar stands for is in the source: what is said of it is said there. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

const at = ({ start, end }: Range): { start: number; end: number } => ({ start, end });

export function identifier(name: string, range: Range): IdentifierReference {
  return { type: "Identifier", decorators: [], name, optional: false, typeAnnotation: null, ...at(range) };
}

function nameOf(name: string, range: Range): IdentifierName {
  return { type: "Identifier", decorators: [], name, optional: false, typeAnnotation: null, ...at(range) };
}

export function call(callee: Expression, args: readonly Expression[], range: Range): CallExpression {
  return { type: "CallExpression", callee, typeArguments: null, arguments: [...args], optional: false, ...at(range) };
}

/** `object.method(…args)`. */
export function callMethod(
  object: Expression,
  method: string,
  args: readonly Expression[],
  range: Range,
): CallExpression {
  const callee: Expression = {
    type: "MemberExpression",
    object,
    property: nameOf(method, object),
    optional: false,
    computed: false,
    ...at(object),
  };
  return call(callee, args, range);
}

export function number(value: number, range: Range): NumericLiteral {
  return { type: "Literal", value, raw: String(value), ...at(range) };
}

export function string(value: string, range: Range): StringLiteral {
  return { type: "Literal", value, raw: JSON.stringify(value), ...at(range) };
}

/** `{ name: value, … }`. */
export function object(
  fields: readonly (readonly [name: string, value: Expression])[],
  range: Range,
): ObjectExpression {
  return {
    type: "ObjectExpression",
    properties: fields.map(([name, value]) => ({
      type: "Property",
      kind: "init",
      key: nameOf(name, value),
      value,
      method: false,
      shorthand: false,
      computed: false,
      optional: false,
      ...at(value),
    })),
    ...at(range),
  };
}

export function block(body: readonly Statement[], range: Range): BlockStatement {
  return { type: "BlockStatement", body: [...body], ...at(range) };
}

/** An expression as a statement; of `a && b` and `a ? b : c` the tests that they are. */
export function statement(expression: Expression & Range): Statement {
  if (expression.type === "LogicalExpression" && expression.operator === "&&")
    return ifTrue(expression.left, statement(expression.right), null, expression);
  if (expression.type === "ConditionalExpression")
    return ifTrue(expression.test, statement(expression.consequent), statement(expression.alternate), expression);
  return { type: "ExpressionStatement", expression, directive: null, ...at(expression) };
}

function ifTrue(test: Expression, consequent: Statement, alternate: Statement | null, range: Range): IfStatement {
  return { type: "IfStatement", test, consequent, alternate, ...at(range) };
}

/** Whether `statement` makes a test of it. */
export function isTest(expression: Expression): boolean {
  return (
    (expression.type === "LogicalExpression" && expression.operator === "&&") ||
    expression.type === "ConditionalExpression"
  );
}

/** `(parameter) => body`. */
export function arrow(parameter: string, body: Expression, range: Range): ArrowFunctionExpression {
  return {
    type: "ArrowFunctionExpression",
    expression: true,
    async: false,
    typeParameters: null,
    params: [identifier(parameter, { start: range.start, end: range.start })],
    returnType: null,
    body,
    id: null,
    generator: false,
    ...at(range),
  };
}

/** `export const name = init;` */
export function exportConst(name: string, init: Expression, range: Range): ExportNamedDeclaration {
  return {
    type: "ExportNamedDeclaration",
    declaration: {
      type: "VariableDeclaration",
      kind: "const",
      declarations: [
        {
          type: "VariableDeclarator",
          id: identifier(name, range),
          init,
          definite: false,
          ...at(range),
        },
      ],
      declare: false,
      ...at(range),
    },
    specifiers: [],
    source: null,
    exportKind: "value",
    attributes: [],
    ...at(range),
  };
}

/** `import { imported as local, … } from "source";` */
export function importNames(names: ReadonlyMap<string, string>, source: string, range: Range): ImportDeclaration {
  return {
    type: "ImportDeclaration",
    specifiers: [...names].map(([local, imported]) => ({
      type: "ImportSpecifier",
      imported: nameOf(imported, range),
      local: identifier(local, range),
      importKind: "value",
      ...at(range),
    })),
    source: string(source, range),
    phase: null,
    attributes: [],
    importKind: "value",
    ...at(range),
  };
}
