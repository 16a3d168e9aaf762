import type { Expression, ImportDeclaration, Statement, VariableDeclarator } from "@oxc-project/types";
import { OWN_WORDS, TYPE_WORDS, WORDS } from "../vocabulary/words.ts";
import type { Checker } from "./checker.ts";
import { NOT_CONSTANT, tryConstant } from "./constants.ts";
import { type Entity, entityOf, type FileScope, functionSource } from "./entity.ts";
import { checkFunction } from "./functions.ts";
import { globalOf, mapOf } from "./map-declarations.ts";
import { declareProgram, isProgramCall } from "./programs.ts";
import { Abandoned, type Placed } from "./report.ts";
import { TYPE_MAKERS, typeOfDescriptor, typeOfEntity, vocabularyCallee } from "./type-expressions.ts";

/** Finds a module that is imported; undefined when there is none. */
export type ImportFile = (from: FileScope, specifier: string) => FileScope | undefined;

/** Programs wait until everything that they may name is declared. */
export type Later = () => void;

/** Declares what a file's statements say, in their order. Programs are checked at the end, by the functions that are given back. */
export function declareFile(
  cx: Checker,
  file: FileScope,
  body: readonly Statement[],
  isEntry: boolean,
  importFile: ImportFile,
): Later[] {
  const later: Later[] = [];
  const isExported = (name: string): string | undefined => (isEntry ? exportedName(file, name) : undefined);
  for (const node of body)
    if (node.type === "ExportNamedDeclaration" && node.declaration === null && node.source === null)
      for (const { local, exported } of node.specifiers)
        if (local.type === "Identifier" && exported.type === "Identifier") file.exports.set(exported.name, local.name);
  // Functions may be called before the line that they are declared in.
  for (const node of body) {
    const declaration = node.type === "ExportNamedDeclaration" ? node.declaration : node;
    if (declaration?.type === "FunctionDeclaration" && declaration.id !== null)
      cx.report.attempt(() =>
        define(cx, file, declaration.id as Placed & { name: string }, {
          kind: "function",
          source: functionSource(file, declaration.id?.name ?? "", declaration, cx.span(file, declaration)),
        }),
      );
  }
  for (const node of body) {
    const isExport = node.type === "ExportNamedDeclaration";
    const statement = isExport ? node.declaration : node;
    cx.report.attempt(() => {
      if (node.type === "ImportDeclaration") return importNames(cx, file, node, importFile);
      if (isExport && node.declaration === null) {
        if (node.source !== null)
          cx.report.fail("EB1016", cx.span(file, node), "A module gives its own declarations only.");
        return;
      }
      if (statement?.type === "VariableDeclaration") {
        if (statement.kind !== "const")
          cx.report.fail("EB1017", cx.span(file, statement), "Outside of functions there are constants only.", {
            help: "For a value that programs change declare `global(u64, 0)`.",
          });
        for (const one of statement.declarations) {
          if (isExport && one.id.type === "Identifier") file.exports.set(one.id.name, one.id.name);
          declareConstant(cx, file, one, isExported, later);
        }
        return;
      }
      if (statement?.type === "FunctionDeclaration") {
        const source = statement.id === null ? undefined : file.names.get(statement.id.name);
        if (isExport && statement.id !== null) file.exports.set(statement.id.name, statement.id.name);
        if (source?.kind === "function") later.push(() => void checkFunction(cx, source.source, source.source.span));
        return;
      }
      if (
        statement === null ||
        statement?.type === "TSTypeAliasDeclaration" ||
        statement?.type === "TSInterfaceDeclaration" ||
        statement?.type === "EmptyStatement" ||
        statement?.type === "TSModuleDeclaration"
      )
        return;
      if (
        statement?.type === "ExpressionStatement" &&
        statement.expression.type === "CallExpression" &&
        isProgramCall(file, statement.expression)
      ) {
        // A program without a name: of one-liners, and of those that nobody asks for by name.
        const call = statement.expression;
        if (file.withoutPrograms !== true) later.push(() => declareProgram(cx, file, call, "program", isEntry));
        return;
      }
      cx.report.fail(
        "EB1018",
        cx.span(file, node),
        "Outside of functions there are declarations only: a module of the kernel does nothing when it is loaded.",
      );
    });
  }
  return later;
}

/** The name that others know a declaration by; undefined when it is not exported. */
function exportedName(file: FileScope, local: string): string | undefined {
  for (const [exported, name] of file.exports) if (name === local) return exported;
  return undefined;
}

function define(cx: Checker, file: FileScope, id: Placed & { readonly name: string }, entity: Entity): void {
  if (file.names.has(id.name))
    cx.report.fail("TS2451", cx.span(file, id), `There is a \`${id.name}\` in this file already.`);
  file.names.set(id.name, entity);
}

/** Declares a constant outside of functions. */
export function declareConstant(
  cx: Checker,
  file: FileScope,
  node: VariableDeclarator,
  exportOf: (name: string) => string | undefined,
  later: Later[],
): undefined {
  const { id, init } = node;
  if (id.type !== "Identifier" || init === null)
    return cx.report.fail("EB1008", cx.span(file, node), "A declaration has a plain name and a value here.");
  try {
    define(cx, file, id, entityOfInitialiser(cx, file, id.name, init, exportOf(id.name), later));
  } catch (error) {
    if (error instanceof Abandoned && !file.names.has(id.name)) file.names.set(id.name, { kind: "broken" });
    throw error;
  }
}

function entityOfInitialiser(
  cx: Checker,
  file: FileScope,
  name: string,
  init: Expression,
  exported: string | undefined,
  later: Later[],
): Entity {
  const other = entityOf(file, init);
  if (other !== undefined && (other.kind !== "vocabulary" || init.type !== "Identifier")) return other;
  const scalar = typeOfEntity(other);
  if (scalar !== undefined) return { kind: "type", type: scalar };
  const isExported = exported !== undefined;
  const known = exported ?? name;
  if (init.type === "CallExpression") {
    const callee = vocabularyCallee(file, init) ?? "";
    if (TYPE_MAKERS.has(callee)) return { kind: "type", type: typeOfDescriptor(cx, file, init, name) };
    const map = mapOf(cx, file, init, known, isExported);
    if (map !== undefined) {
      cx.maps.push(map);
      return { kind: "map", map };
    }
    const global = globalOf(cx, file, init, known, isExported);
    if (global !== undefined) {
      cx.globals.push(global);
      return { kind: "global", global };
    }
    if (isProgramCall(file, init)) {
      if (file.withoutPrograms !== true) later.push(() => declareProgram(cx, file, init, known, isExported));
      return { kind: "program", name: known };
    }
  }
  if (init.type === "ArrowFunctionExpression" || init.type === "FunctionExpression") {
    const source = functionSource(file, name, init, cx.span(file, init));
    later.push(() => void checkFunction(cx, source, source.span));
    return { kind: "function", source };
  }
  const value = tryConstant(cx, file, init);
  if (value !== NOT_CONSTANT) return { kind: "constant", value };
  return cx.report.fail(
    "EB1019",
    cx.span(file, init),
    `What \`${name}\` is cannot be known when the program is compiled.`,
    {
      help: "Outside of functions stand types, maps, parameters, programs, functions, and constants that are written or computed from such.",
    },
  );
}

function isWord(name: string): boolean {
  return WORDS.has(name) || TYPE_WORDS.has(name) || OWN_WORDS.has(name);
}

/** Declares what an import names. */
export function importNames(cx: Checker, file: FileScope, node: ImportDeclaration, importFile: ImportFile): undefined {
  const from = node.source.value;
  const span = cx.span(file, node.source);
  const isVocabulary = from === "skep/kernel";
  const isKernel = from.startsWith("btf:");
  if (!isVocabulary && !isKernel && !from.startsWith("."))
    return cx.report.fail("EB1021", span, `"${from}" cannot be imported by kernel code.`, {
      why: "Everything that is imported becomes part of the program.",
      help: 'Kernel code imports from "skep/kernel", from "btf:vmlinux" and from other `*.bpf.ts` files.',
    });
  const other = isVocabulary || isKernel ? undefined : importFile(file, from);
  if (!isVocabulary && !isKernel && other === undefined)
    return cx.report.fail("TS2307", span, `There is no file "${from}".`, {
      ...(!from.endsWith(".ts") && { help: "Write the name with its end: `./events.bpf.ts`." }),
    });
  for (const specifier of node.specifiers) {
    const { local } = specifier;
    const find = (name: string): Entity | undefined => {
      if (isVocabulary) return isWord(name) ? { kind: "vocabulary", name } : undefined;
      if (isKernel) return { kind: "kernelType", name };
      const declared = other?.exports.get(name);
      return declared === undefined ? undefined : other?.names.get(declared);
    };
    if (specifier.type === "ImportNamespaceSpecifier") {
      define(cx, file, local, { kind: "namespace", members: find });
      continue;
    }
    if (specifier.type === "ImportDefaultSpecifier")
      return cx.report.fail("TS1192", cx.span(file, specifier), `"${from}" has no default export.`);
    const name = specifier.imported.type === "Identifier" ? specifier.imported.name : String(specifier.imported.value);
    const entity = find(name);
    if (entity === undefined)
      return cx.report.fail("TS2305", cx.span(file, specifier), `"${from}" has no \`${name}\`.`);
    define(cx, file, local, entity);
  }
}
