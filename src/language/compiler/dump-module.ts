import { typeName } from "./check/type-names.ts";
import type { FunctionDecl, Module } from "./hir.ts";
import type { Type } from "./type.ts";

/** A checked program as indented text (`--dump=types`): every expression with its type. */
export function dumpModule({ maps, globals, functions }: Module): string {
  const lines: string[] = [];
  for (const { name, kind, key, value, maxEntries } of maps) {
    const types = [key, value].filter((type) => type !== undefined).map(typeName);
    lines.push(`map ${name}: ${kind}(${[...types, maxEntries].join(", ")})`);
  }
  for (const { name, kind, type } of globals) lines.push(`${kind} ${name}: ${typeName(type)}`);
  for (const func of functions) {
    const where = func.program === undefined ? "function" : `program ${func.program.section}/${func.program.attachTo}`;
    const params = func.params.map((local) => `${local.name}: ${typeName(local.type)}`).join(", ");
    lines.push(`${where} ${func.name}(${params}): ${typeName(func.result)}`);
    for (const statement of func.body) walk(statement, "", "  ", lines);
  }
  return `${lines.join("\n")}\n`;
}

const HIDDEN = new Set(["op", "span", "type", "access", "callee", "map", "local", "global", "site", "loop"]);

function walk(node: unknown, name: string, indent: string, lines: string[]): void {
  const label = name === "" ? "" : `${name}: `;
  if (Array.isArray(node)) {
    for (const [i, one] of node.entries()) walk(one, `${name}[${i}]`, indent, lines);
    return;
  }
  if (node instanceof Uint8Array) {
    lines.push(`${indent}${label}${JSON.stringify(new TextDecoder().decode(node))}`);
    return;
  }
  if (typeof node !== "object" || node === null) {
    if (node !== undefined)
      lines.push(`${indent}${label}${typeof node === "bigint" ? `${node}n` : JSON.stringify(node)}`);
    return;
  }
  const { op, kind, type } = node as { op?: string; kind?: string; type?: Type };
  const named = node as {
    map?: { name: string };
    local?: { name: string };
    global?: { name: string };
    callee?: FunctionDecl;
  };
  const who = named.map?.name ?? named.local?.name ?? named.global?.name ?? named.callee?.name;
  const typed = type === undefined || typeof type !== "object" ? "" : ` : ${typeName(type)}`;
  lines.push(`${indent}${label}${op ?? kind ?? ""}${who === undefined ? "" : ` ${who}`}${typed}`);
  for (const [key, value] of Object.entries(node))
    if (!HIDDEN.has(key) && key !== "kind" && !isEmpty(value)) walk(value, key, `${indent}  `, lines);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.length === 0);
}
