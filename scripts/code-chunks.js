// The library again, in a form that starts faster (dist/esm → dist/code). An ES module is compiled anew in each process: V8
// has no place to keep what it compiled of one. So each file of the library is a function here, which src/sdk/code.ts compiles
// with the code that V8 kept of the last time, and what Node resolves is a small module that hands on what the function gives.
import { createHash } from "node:crypto";
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Script } from "node:vm";
import { parseSync } from "oxc-parser";

/** What a function gets; src/sdk/code.ts passes it. No file may have these names itself. */
const PARAMETERS = ["$code", "$builtin", "$meta", "$import", "$external"];

/**
 * Writes all modules of one folder into another, as functions and the modules that hand on what these give.
 * @param {string} from
 * @param {string} to It holds the loader already, as `code.js`.
 */
export function writeCodeChunks(from, to) {
  const files = readdirSync(from).filter((file) => file.endsWith(".js"));
  const parsed = new Map(files.map((file) => [file, parse(join(from, file))]));
  refuseCycles(parsed);
  const needed = new Set([...parsed.values()].flatMap((module) => ownRequests(module)));
  for (const [file, module] of parsed) {
    const isNeeded = needed.has(file);
    if (isNeeded && (isByItself(module) || externalsOf(module).length > 0))
      throw new Error(`${file} waits for something or has a package, and others of the library need it at once.`);
    if (isByItself(module)) copyFileSync(join(from, file), join(to, file));
    else writeChunk(to, file, module, isNeeded);
  }
}

/**
 * A text behind its hash, by which what V8 compiled of it is kept.
 * @param {string} text
 */
export function withHash(text) {
  return `/*${createHash("sha256").update(text).digest("hex").slice(0, 16)}*/${text}`;
}

/** @param {string} path */
function parse(path) {
  const text = readFileSync(path, "utf8").replace(/\n\/\/# sourceMappingURL=.*\n$/, "\n");
  // Read as Latin-1, which is fastest.
  if (/[^\0-\x7f]/.test(text)) throw new Error(`${path} is not ASCII.`);
  const taken = PARAMETERS.filter((name) => text.includes(name));
  if (taken.length > 0) throw new Error(`${path} has names that its function gets: ${taken.join(", ")}.`);
  const { program, module, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  return {
    path,
    text,
    program,
    importStatements: program.body.filter(({ type }) => type === "ImportDeclaration"),
    exportStatements: program.body.filter(({ type }) => type.startsWith("Export")),
    dynamicImports: module.dynamicImports,
    importMetas: module.importMetas,
  };
}

const isOwn = (request) => request.startsWith("./");
const isBuiltin = (request) => request.startsWith("node:");
const requestsOf = ({ importStatements }) => [...new Set(importStatements.map(({ source }) => source.value))];
const ownRequests = (module) =>
  requestsOf(module)
    .filter(isOwn)
    .map((own) => own.slice(2));
const externalsOf = (module) => requestsOf(module).filter((request) => !isOwn(request) && !isBuiltin(request));

/** What stays a module as it was: hooks, which Node loads by themselves, and threads that await something before they end. */
function isByItself(module) {
  return waits(module.program) || (externalsOf(module).length > 0 && ownRequests(module).length === 0);
}

/** Whether a module awaits something outside of functions. */
function waits(node) {
  if (/Function/.test(node.type)) return false;
  if (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && node.await)) return true;
  return childrenOf(node).some(waits);
}

/** The nodes of a syntax tree below one. */
function childrenOf(node) {
  return Object.values(node)
    .flat()
    .filter((value) => typeof value?.type === "string");
}

/** A function has run before those that need it; two that need each other would find nothing. */
function refuseCycles(parsed) {
  const done = new Set();
  const visit = (file, path) => {
    if (path.includes(file)) throw new Error(`Modules of the library need each other: ${[...path, file].join(" → ")}.`);
    if (done.has(file)) return;
    for (const own of ownRequests(parsed.get(file))) visit(own, [...path, file]);
    done.add(file);
  };
  for (const file of parsed.keys()) visit(file, []);
}

function writeChunk(to, file, module, isNeeded) {
  if (!isNeeded && isHandingOn(module)) return writeHandingOn(to, file, module);
  const name = file.slice(0, -".js".length);
  const exported = exportsOf(module);
  refuseChangingExports(module, exported);
  const externals = externalsOf(module);
  const returned = exported.map(({ name: as, local }) => (as === local ? as : `${as}:${local}`));
  const made = `(function(${PARAMETERS.join(",")}){"use strict";${rewrite(module)}\nreturn{${returned.join(",")}};})`;
  // Whether it can be compiled shows now, and not at a user's.
  new Script(made, { filename: `${name}.script.js` });
  writeFileSync(join(to, `${name}.script.js`), withHash(made));
  const handed = exported.map(({ name: as }) => as).join(",");
  const external = externals.map((request, i) => `import * as $${i} from${JSON.stringify(request)};`).join("");
  const passed = externals.map((request, i) => `,{${JSON.stringify(request)}:$${i}}`).join("");
  writeFileSync(
    join(to, file),
    `import{code}from"./code.js";${external}${exported.length > 0 ? `export const{${handed}}=` : ""}code("${name}"${passed});\n`,
  );
}

/** A public name that has nothing of its own: one file less to read. */
function isHandingOn({ program, importStatements, exportStatements }) {
  const requests = importStatements.map(({ source }) => source.value);
  return program.body.length === importStatements.length + exportStatements.length && requests.every(isOwn);
}

function writeHandingOn(to, file, module) {
  const exported = new Map(exportsOf(module).map(({ name, local }) => [local, name]));
  const handed = module.importStatements.map(({ source, specifiers }) => {
    const names = specifiers
      .filter(({ local }) => exported.has(local.name))
      .map(({ imported, local }) => `${imported.name}:${exported.get(local.name)}`);
    const given = `code("${source.value.slice(2, -".js".length)}");`;
    return names.length === 0 ? given : `export const{${names.join(",")}}=${given}`;
  });
  writeFileSync(join(to, file), `import{code}from"./code.js";${handed.join("")}\n`);
}

function exportsOf({ path, exportStatements }) {
  return exportStatements.flatMap(({ type, declaration, source, specifiers }) => {
    if (type !== "ExportNamedDeclaration" || declaration !== null || source !== null)
      throw new Error(`${path} exports in a form that is not expected here.`);
    return specifiers.map(({ local, exported }) => ({ name: exported.name, local: local.name }));
  });
}

/** What is handed on is handed on once: an export that is assigned later would be seen as it was. */
function refuseChangingExports({ path, program }, exported) {
  const locals = new Set(exported.map(({ local }) => local));
  const refuse = (name) => {
    throw new Error(`${path} exports ${name}, which is set later.`);
  };
  const visit = (node, isAtTop) => {
    const { type, left, argument, id, init } = node;
    if (type === "AssignmentExpression" && locals.has(left.name)) refuse(left.name);
    if (type === "UpdateExpression" && locals.has(argument.name)) refuse(argument.name);
    if (isAtTop && type === "VariableDeclarator" && init === null && locals.has(id.name)) refuse(id.name);
    for (const child of childrenOf(node)) visit(child, isAtTop && !/Function|Block/.test(type));
  };
  visit(program, true);
}

/** The text without its imports and exports, and with what takes their place. */
function rewrite({ path, text, importStatements, exportStatements, dynamicImports, importMetas }) {
  const edits = [
    ...importStatements.map((statement) => ({ ...placeOf(statement), by: bindings(path, statement) })),
    ...exportStatements.map((statement) => ({ ...placeOf(statement), by: "" })),
    ...dynamicImports.map(({ start }) => ({ start, end: start + "import".length, by: "$import" })),
    ...importMetas.map((place) => ({ ...placeOf(place), by: "$meta" })),
  ].sort((a, b) => b.start - a.start);
  return edits.reduce((done, { start, end, by }) => done.slice(0, start) + by + done.slice(end), text).trim();
}

const placeOf = ({ start, end }) => ({ start, end });

function bindings(path, { source, specifiers }) {
  const request = source.value;
  const given = isOwn(request)
    ? `$code("${request.slice(2, -".js".length)}")`
    : isBuiltin(request)
      ? `$builtin("${request}")`
      : `$external["${request}"]`;
  if (specifiers.length === 0) return `${given};`;
  const named = specifiers.filter(({ type }) => type === "ImportSpecifier");
  const names = named.map(({ imported, local }) =>
    imported.name === local.name ? local.name : `${imported.name}:${local.name}`,
  );
  const whole = specifiers.filter(({ type }) => type !== "ImportSpecifier");
  // The default of a module of Node's is the module.
  if (whole.some(({ type }) => type !== "ImportDefaultSpecifier") || (whole.length > 0 && !isBuiltin(request)))
    throw new Error(`${path} imports ${request} in a form that is not expected here.`);
  return [
    ...whole.map(({ local }) => `const ${local.name}=${given};`),
    ...(names.length > 0 ? [`const{${names.join(",")}}=${given};`] : []),
  ].join("");
}
