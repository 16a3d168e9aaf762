// What the public modules export, as plain data: read from the declarations by TypeScript's own parser and checker, which
// version 7 offers as `typescript/unstable/*`. TypeDoc and API Extractor need version 6 or older.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { SyntaxKind } from "typescript/unstable/ast";
import { API, SymbolFlags } from "typescript/unstable/sync";

/**
 * Reads the modules of `root`/package.json `exports` from the declarations in `folder`, which stand there as in dist/.
 * Returns `{ modules: [{ name, text }], things: [{ name, path, exportedBy, kind, text, declarations }] }`.
 */
export function readModules(root, folder) {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === "object")
    .map(([subpath, { types }]) => ({
      name: subpath === "." ? manifest.name : `${manifest.name}${subpath.slice(1)}`,
      file: join(folder, relative("dist", types)),
    }));
  for (const { name, file } of entries)
    if (!existsSync(file)) throw new Error(`${name} has no declarations: ${file} is not there.`);
  const config = join(folder, "tsconfig.reference.json");
  const compilerOptions = {
    module: "NodeNext",
    target: "ES2023",
    lib: ["ES2023", "ESNext.Disposable"],
    types: ["node"],
    typeRoots: [join(root, "node_modules/@types")],
    skipLibCheck: true,
    noEmit: true,
  };
  writeFileSync(config, JSON.stringify({ compilerOptions, files: entries.map(({ file }) => file) }));
  const api = new API({ cwd: folder });
  try {
    const project = api.updateSnapshot({ openProjects: [config] }).getProjects()[0];
    return readEntries(entries, project, folder);
  } finally {
    api.close();
  }
}

function readEntries(entries, { program, checker }, folder) {
  const things = new Map();
  const modules = entries.map(({ name, file }) => {
    const source = program.getSourceFile(file);
    for (const exported of checker.getExportsOfModule(checker.getSymbolAtLocation(source))) {
      const symbol = exported.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      let thing = things.get(symbol.id);
      if (thing === undefined) {
        thing = { symbol, name: exported.name, exportedBy: [] };
        things.set(symbol.id, thing);
      }
      thing.exportedBy.push({ module: name, as: exported.name });
    }
    return { name, text: headerOf(source.text) };
  });
  for (const thing of things.values()) Object.assign(thing, describe(thing, checker, folder, things));
  return { modules, things: [...things.values()] };
}

/** What the first comment of a file says of it. */
function headerOf(text) {
  const comment = /^\s*\/\*\*([\s\S]*?)\*\//.exec(text)?.[1];
  return comment === undefined ? "" : commentText(comment).replace(/\s*@module\s*$/, "");
}

function describe({ symbol }, checker, folder, things) {
  const nodes = symbol.declarations.map((handle) => handle.resolve());
  const declarations = nodes.map((node) => ({
    signature: signatureOf(node),
    text: docOf(node),
    members: (node.members ?? []).filter(isPublic).map((member) => ({
      name: nameOf(member),
      signature: oneLine(withoutComments(sourceOf(member))),
      text: docOf(member),
      isCallable: CALLABLE.has(member.kind),
    })),
  }));
  return {
    path: relative(folder, nodes[0].getSourceFile().fileName),
    kind: KINDS.get(nodes[0].kind) ?? "value",
    text: declarations.find(({ text }) => text !== "")?.text ?? "",
    declarations,
    uses: usesOf(nodes, checker, things),
  };
}

const KINDS = new Map([
  [SyntaxKind.FunctionDeclaration, "function"],
  [SyntaxKind.ClassDeclaration, "class"],
  [SyntaxKind.InterfaceDeclaration, "interface"],
  [SyntaxKind.TypeAliasDeclaration, "type"],
  [SyntaxKind.VariableDeclaration, "constant"],
]);
const CALLABLE = new Set([
  SyntaxKind.MethodDeclaration,
  SyntaxKind.MethodSignature,
  SyntaxKind.Constructor,
  SyntaxKind.CallSignature,
]);

const nameOf = (node) => (node.kind === SyntaxKind.Constructor ? "constructor" : (node.name?.getText() ?? ""));

/** Members that users can reach: not `#private`, private or protected, and constructors only where they say what they are for. */
function isPublic(member) {
  if (/^#|^$/.test(nameOf(member))) return member.kind === SyntaxKind.IndexSignature || CALLABLE.has(member.kind);
  if (/^(private|protected)\b/.test(withoutComments(sourceOf(member)).trim())) return false;
  return member.kind !== SyntaxKind.Constructor || docOf(member) !== "";
}

/** The statement of a variable: it has the comment and the words before the name. */
function statementOf(node) {
  return node.kind === SyntaxKind.VariableDeclaration ? node.parent.parent : node;
}

/** The source of a node, without the comments before it. */
const sourceOf = (node) => node.getText();

function signatureOf(node) {
  const statement = statementOf(node);
  let text = sourceOf(statement);
  if (node.kind === SyntaxKind.ClassDeclaration || node.kind === SyntaxKind.InterfaceDeclaration) {
    // Its head alone: the members stand for themselves.
    const end = node.members.pos - statement.getStart();
    text = text.slice(0, end).replace(/\s*\{\s*$/, "");
  }
  text = text.replace(/^(?:export |declare |default )+/, "").replace(/;$/, "");
  return text.replace(/^( {4})+/gm, (indent) => " ".repeat(indent.length / 2));
}

/** The doc comment that stands directly before a node; a file's header may stand before that. */
function docOf(node) {
  const comment = statementOf(node).jsDoc?.at(-1);
  return comment === undefined ? "" : commentText(comment.getText().slice(3, -2));
}

/** A comment's text without its stars; of tags `@throws` and the like become sentences of their own. */
function commentText(comment) {
  return comment
    .split("\n")
    .map((line) => line.replace(/^\s*\*? ?/, "").trimEnd())
    .join("\n")
    .trim();
}

const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, "");
const oneLine = (text) => text.replace(/\s+/g, " ").replace(/;$/, "").trim();

/** Which other exported things a declaration names, in the order they appear. */
function usesOf(nodes, checker, things) {
  const identifiers = [];
  const walk = (node) => {
    if (node.kind === SyntaxKind.Identifier) identifiers.push(node);
    else node.forEachChild(walk);
  };
  for (const node of nodes) walk(node);
  const found = new Set();
  for (const symbol of identifiers.length === 0 ? [] : checker.getSymbolAtLocation(identifiers)) {
    if (symbol === undefined) continue;
    const target = symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    if (things.has(target.id)) found.add(things.get(target.id));
  }
  return [...found].filter((thing) => !nodes.includes(thing.symbol.declarations[0]?.resolve()));
}
