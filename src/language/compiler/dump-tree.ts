/** A syntax tree as indented text (`--dump=ast`): kinds, names and values; places as `start-end`. */
export function dumpTree(tree: unknown): string {
  const lines: string[] = [];
  walk(tree, "", "", lines);
  return `${lines.join("\n")}\n`;
}

const HIDDEN = new Set(["type", "start", "end", "decorators", "optional", "parent", "range"]);

function walk(node: unknown, name: string, indent: string, lines: string[]): void {
  const label = name === "" ? "" : `${name}: `;
  if (Array.isArray(node)) {
    for (const [i, one] of node.entries()) walk(one, `${name}[${i}]`, indent, lines);
    return;
  }
  if (typeof node !== "object" || node === null) {
    if (node !== undefined && node !== null && node !== false) lines.push(`${indent}${label}${scalar(node)}`);
    return;
  }
  const { type, start, end } = node as { type?: string; start?: number; end?: number };
  lines.push(`${indent}${label}${type ?? "object"}${start === undefined ? "" : ` ${start}-${end}`}`);
  for (const [key, value] of Object.entries(node)) if (!HIDDEN.has(key)) walk(value, key, `${indent}  `, lines);
}

function scalar(value: unknown): string {
  return typeof value === "bigint" ? `${value}n` : (JSON.stringify(value) ?? String(value));
}
