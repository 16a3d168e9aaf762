import { parseSync } from "oxc-parser";

/** A TypeScript file cannot be run by leaving its types out. */
export class StripError extends SyntaxError {
  override readonly name = "StripError";
  readonly code = "SKEP_STRIP";
}

/** What of a tree is needed here. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/**
 * JavaScript out of TypeScript by blanks in the place of types: every line and column stays what it was. For Nodes that do not do
 * so themselves (before 22.18). Throws StripError for syntax errors and for what is more than types (enum, namespace, parameter
 * properties, decorated or `import x = …`).
 */
export function stripTypes(path: string, text: string): string {
  const { program, errors } = parseSync(path, text, { lang: "ts", sourceType: "module" });
  const [error] = errors;
  if (error !== undefined) throw new StripError(`${path}: ${error.message}`);
  return new Stripper(path, text).strip(program as unknown as Node);
}

/** Declarations that are types alone. */
const TYPES_ALONE: ReadonlySet<string> = new Set([
  "TSInterfaceDeclaration",
  "TSTypeAliasDeclaration",
  "TSDeclareFunction",
  "TSGlobalDeclaration",
]);
/** Parts that are types, in the middle of others. */
const PARTS: ReadonlySet<string> = new Set([
  "TSTypeAnnotation",
  "TSTypeParameterDeclaration",
  "TSTypeParameterInstantiation",
  "TSClassImplements",
]);
const NOT_ERASABLE: Readonly<Record<string, string>> = {
  TSEnumDeclaration: "An enum",
  TSModuleDeclaration: "A namespace",
  TSParameterProperty: "A parameter property",
  TSImportEqualsDeclaration: "`import x = …`",
  TSExportAssignment: "`export = …`",
};

class Stripper {
  readonly #path: string;
  readonly #text: string;
  /** Pieces to be replaced, in no order; none lies in another but at its edge. */
  readonly #pieces: { readonly start: number; readonly end: number; readonly by: string }[] = [];

  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  strip(program: Node): string {
    this.#visit(program);
    let out = "";
    let at = 0;
    for (const { start, end, by } of this.#pieces.sort((a, b) => a.start - b.start || b.end - a.end)) {
      if (start < at) continue;
      out += this.#text.slice(at, start) + by;
      at = end;
    }
    return out + this.#text.slice(at);
  }

  #visit(node: Node): void {
    if (this.#strip(node)) return;
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) {
        for (const one of value) if (isNode(one)) this.#visit(one);
      } else if (isNode(value)) this.#visit(value);
    }
  }

  /** Whether nothing is left to be visited in it. */
  #strip(node: Node): boolean {
    const { type, start, end } = node;
    if (TYPES_ALONE.has(type) || node["declare"] === true) {
      this.#blank(start, end, ";");
      return true;
    }
    if (PARTS.has(type)) {
      this.#blank(start, end);
      return true;
    }
    switch (type) {
      case "ImportDeclaration":
        if (node["importKind"] === "type") this.#blank(start, end, ";");
        else this.#specifiers(node, "importKind");
        return true;
      case "ExportAllDeclaration":
        if (node["exportKind"] === "type") this.#blank(start, end, ";");
        return true;
      case "ExportNamedDeclaration": {
        const declaration = node["declaration"];
        const alone = isNode(declaration) && (TYPES_ALONE.has(declaration.type) || declaration["declare"] === true);
        if (node["exportKind"] === "type" || alone) {
          this.#blank(start, end, ";");
          return true;
        }
        if (!isNode(declaration)) {
          this.#specifiers(node, "exportKind");
          return true;
        }
        return false;
      }
      case "TSAsExpression":
      case "TSSatisfiesExpression":
      case "TSNonNullExpression":
      case "TSInstantiationExpression": {
        const inner = node["expression"] as Node;
        this.#visit(inner);
        // Brackets around what is inside belong to it.
        let from = inner.end;
        while (/[\s)]/.test(this.#text[from] ?? "") && from < end) from++;
        this.#blank(from, end);
        return true;
      }
      case "TSTypeAssertion": {
        const inner = node["expression"] as Node;
        this.#blank(start, inner.start);
        this.#visit(inner);
        return true;
      }
      case "ArrowFunctionExpression":
        this.#arrowResult(node);
        return false;
      case "Identifier":
      case "ObjectPattern":
      case "ArrayPattern":
        this.#pattern(node);
        return false;
      default:
    }
    const what = NOT_ERASABLE[type];
    if (what !== undefined)
      throw new StripError(
        `${this.#path}: ${what} is more than a type: it cannot be left out to make JavaScript of the file. Write it without.`,
      );
    return false;
  }

  /** `import { a, type B }`. */
  #specifiers(node: Node, kind: string): void {
    for (const one of node["specifiers"] as readonly Node[]) {
      if (one[kind] !== "type") continue;
      // With the comma behind it.
      const comma = /^\s*,/.exec(this.#text.slice(one.end));
      this.#blank(one.start, one.end + (comma?.[0].length ?? 0));
    }
  }

  /** `name?: T`: the question mark is no part of the annotation. */
  #pattern(node: Node): void {
    if (node["optional"] !== true) return;
    const annotation = node["typeAnnotation"];
    const end = isNode(annotation) ? annotation.start : node.end;
    const mark = this.#text.lastIndexOf("?", end);
    if (mark >= node.start) this.#blank(mark, mark + 1);
  }

  /** `(a): T => …` with a line's end in `T`: no line may end before the arrow, so the bracket moves behind it. */
  #arrowResult(node: Node): void {
    const result = node["returnType"];
    if (!isNode(result) || !this.#text.slice(result.start, result.end).includes("\n")) return;
    const bracket = this.#text.lastIndexOf(")", result.start);
    this.#pieces.push({
      start: bracket,
      end: result.end,
      by: `${blanks(this.#text.slice(bracket, result.end - 1))})`,
    });
  }

  #blank(start: number, end: number, first = ""): void {
    // A statement that is gone must not join those around it.
    const text = blanks(this.#text.slice(start, end));
    this.#pieces.push({ start, end, by: first + text.slice(first.length) });
  }
}

function blanks(text: string): string {
  return text.replace(/[^\n\r\u2028\u2029]/g, " ");
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}
