import { parse } from "../syntax/parse.ts";
import { isNode as isAnyNode, visit } from "../syntax/walk.ts";

/** Where a name stands in the sources. */
export interface NamedPlace {
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

/** What sources name of the kernel. */
export interface Named {
  /** `category:name`. */
  readonly tracepoints: Names;
  readonly rawTracepoints: Names;
  readonly functions: Names;
  readonly hooks: Names;
  readonly iterators: Names;
  /** Structs that are named as such. */
  readonly structs: Names;
  /** Every name that is read behind a point or taken out of an object: those of members are among them. */
  readonly members: ReadonlySet<string>;
}

/** Each name with the place where it stands first. */
export type Names = ReadonlyMap<string, NamedPlace>;

type Kind = Exclude<keyof Named, "members">;

/** What the functions of `skep/kernel` name by their first argument. */
const NAMING: Readonly<Record<string, Kind>> = {
  tracepoint: "tracepoints",
  rawTracepoint: "rawTracepoints",
  tpBtf: "rawTracepoints",
  kprobe: "functions",
  kretprobe: "functions",
  fentry: "functions",
  fexit: "functions",
  lsm: "hooks",
  iter: "iterators",
};

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

/**
 * Goes through sources for what they name of the kernel. What the parser makes nothing of, the compiler will complain about: here
 * it names nothing. Names are taken by how they are written, whatever shadows them: a declaration too many does no harm.
 */
export function namedIn(files: ReadonlyMap<string, string>): Named {
  const named: Record<Kind, Map<string, NamedPlace>> & { readonly members: Set<string> } = {
    tracepoints: new Map(),
    rawTracepoints: new Map(),
    functions: new Map(),
    hooks: new Map(),
    iterators: new Map(),
    structs: new Map(),
    members: new Set(),
  };
  for (const [path, text] of files) {
    const { program } = parse(path, text, 0);
    const words = wordsOf(program as unknown as Node);
    const add = (kind: Kind, name: string, { start, end }: Node) => {
      if (!named[kind].has(name)) named[kind].set(name, { path, start, end });
    };
    visit(program, (one) => {
      const node = one as unknown as Node;
      const member = memberName(node);
      if (member !== undefined) named.members.add(member);
      if (node.type === "ImportDeclaration" && isKernelModule(node["source"]))
        for (const { imported } of node["specifiers"] as { imported?: Node }[])
          if (imported !== undefined) add("structs", nameOf(imported) ?? "", imported);
      // import("btf:vmlinux").file
      if (node.type === "TSImportType" && isKernelModule(node["source"]) && isNode(node["qualifier"]))
        add("structs", nameOf(node["qualifier"]) ?? "", node["qualifier"]);
      if (node.type !== "CallExpression") return;
      const word = wordOf(node["callee"] as Node, words);
      if (word === "task") add("structs", "task_struct", node);
      const kind = NAMING[word ?? ""];
      const [first] = node["arguments"] as readonly Node[];
      const name = first === undefined ? undefined : textOf(first);
      if (kind !== undefined && first !== undefined && name !== undefined) add(kind, name, first);
    });
  }
  return named;
}

/** What `skep/kernel`'s words are called in a file: by their own names where it imports nothing, as one-liners do. */
interface Words {
  readonly names: ReadonlyMap<string, string>;
  readonly namespaces: ReadonlySet<string>;
}

function wordsOf(program: Node): Words {
  const names = new Map<string, string>();
  const namespaces = new Set<string>();
  for (const node of program["body"] as readonly Node[]) {
    if (node.type !== "ImportDeclaration" || textOf(node["source"] as Node) !== "skep/kernel") continue;
    for (const specifier of node["specifiers"] as readonly Node[]) {
      const local = (specifier["local"] as Node)["name"] as string;
      if (specifier.type === "ImportNamespaceSpecifier") namespaces.add(local);
      else if (isNode(specifier["imported"])) names.set(local, nameOf(specifier["imported"]) ?? local);
    }
  }
  return { names, namespaces };
}

function wordOf(callee: Node, { names, namespaces }: Words): string | undefined {
  if (callee.type === "Identifier") {
    const name = callee["name"] as string;
    return names.size === 0 && namespaces.size === 0 ? name : names.get(name);
  }
  if (callee.type !== "MemberExpression" || callee["computed"] === true) return undefined;
  const object = callee["object"] as Node;
  return object.type === "Identifier" && namespaces.has(object["name"] as string)
    ? nameOf(callee["property"] as Node)
    : undefined;
}

/** `object.name`, `object["name"]`, `{ name }` taken out of one. */
function memberName(node: Node): string | undefined {
  if (node.type === "MemberExpression")
    return node["computed"] === true ? textOf(node["property"] as Node) : nameOf(node["property"] as Node);
  if (node.type === "Property" && node["computed"] !== true) return nameOf(node["key"] as Node);
  return undefined;
}

function isKernelModule(source: unknown): boolean {
  return isNode(source) && textOf(source)?.startsWith("btf:") === true;
}

function isNode(value: unknown): value is Node {
  return isAnyNode(value);
}

function nameOf(node: Node): string | undefined {
  return typeof node["name"] === "string" ? node["name"] : textOf(node);
}

/** The text that a literal is. */
function textOf(node: Node): string | undefined {
  if (node.type === "Literal") return typeof node["value"] === "string" ? node["value"] : undefined;
  if (node.type !== "TemplateLiteral" || (node["expressions"] as readonly unknown[]).length > 0) return undefined;
  const [quasi] = node["quasis"] as { value: { cooked: string | null } }[];
  return quasi?.value.cooked ?? undefined;
}
