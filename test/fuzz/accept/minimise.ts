import { parse } from "../../../src/language/compiler/syntax/parse.ts";

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
}
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Ways to make a source shorter, those that take most away first. */
function edits(text: string): Edit[] {
  const found: Edit[] = [];
  const cut = (node: Node, replacement: Node | string): void => {
    const written = typeof replacement === "string" ? replacement : text.slice(replacement.start, replacement.end);
    if (written.length < node.end - node.start) found.push({ start: node.start, end: node.end, text: written });
  };
  const children = (node: Node): Node[] =>
    Object.entries(node).flatMap(([key, value]) => {
      if (key === "parent") return [];
      if (Array.isArray(value)) return value.filter(isNode);
      return isNode(value) ? [value] : [];
    });
  const visit = (node: Node): void => {
    const inner = children(node);
    if (/Statement$|Declaration$|^SwitchCase$/.test(node.type)) {
      cut(node, "");
      if (node.type !== "VariableDeclaration" && node.type !== "ExpressionStatement")
        for (const child of inner) if (/Statement$/.test(child.type)) cut(node, child);
    } else if (node.type === "Property") {
      // A field and the comma behind it.
      const comma = /^\s*,/.exec(text.slice(node.end))?.[0].length ?? 0;
      found.push({ start: node.start, end: node.end + comma, text: "" });
    } else if (/Expression$/.test(node.type)) {
      for (const child of inner) if (/Expression$|^Identifier$|^Literal$/.test(child.type)) cut(node, child);
      if (node.type !== "ArrowFunctionExpression") {
        cut(node, "0");
        cut(node, "1");
        cut(node, "pid()");
      }
    } else if (node.type === "Literal" && node.end - node.start > 1) cut(node, "1");
    for (const child of inner) visit(child);
  };
  visit(parse("m.bpf.ts", text, 0).program as unknown as Node);
  return found.sort((a, b) => b.end - b.start - b.text.length - (a.end - a.start - a.text.length));
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** Where the verifier takes seconds for each try, it is not waited for. */
const MOST_MS = 60_000;

/** The shortest source that was found for which `fails` still says so, in so many tries and a minute. */
export function minimise(text: string, fails: (text: string) => boolean, tries: number): string {
  const end = performance.now() + MOST_MS;
  let best = text;
  let left = tries;
  for (let more = true; more && left > 0 && performance.now() < end; ) {
    more = false;
    // One pass over the places of one text: after an edit the others behind it have moved.
    const all = edits(best);
    const taken: Edit[] = [];
    for (const edit of all) {
      if (left <= 0 || performance.now() > end) break;
      if (taken.some(({ start, end }) => edit.start < end && start < edit.end)) continue;
      left--;
      const candidate = apply(best, [...taken, edit]);
      if (!fails(candidate)) continue;
      taken.push(edit);
      more = true;
    }
    best = apply(best, taken);
  }
  return best.replaceAll(/\n\s*\n/g, "\n");
}

function apply(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const { start, end, text: by } of [...edits].sort((a, b) => b.start - a.start))
    result = result.slice(0, start) + by + result.slice(end);
  return result;
}
