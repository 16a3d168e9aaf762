import type { CallExpression, Expression, Node, Program } from "@oxc-project/types";
import type { Diagnostic } from "../diagnostic.ts";
import { rewrite, within } from "../syntax/walk.ts";
import { PROGRAM_WORDS } from "../vocabulary/words.ts";
import { Aggregations } from "./aggregations.ts";
import { EXIT_TEXT } from "./exit.ts";
import { namesOf } from "./names.ts";
import {
  arrow,
  block,
  call,
  exportConst,
  identifier,
  importNames,
  isTest,
  number,
  type Range,
  statement,
  string,
} from "./nodes.ts";

/** A module as the checker takes it. */
export interface Desugared {
  readonly program: Program;
  readonly diagnostics: readonly Diagnostic[];
}

/** What the words of the vocabulary are also called in one-liners. */
const ALIASES: Readonly<Record<string, string>> = {
  tp: "tracepoint",
  rtp: "rawTracepoint",
  k: "kprobe",
  kr: "kretprobe",
  u: "uprobe",
  ur: "uretprobe",
  f: "fentry",
  fr: "fexit",
};
const SOURCE = "skep/kernel";
/** The process id of the command that is run: a parameter that user space sets. */
const COMMAND_PID = "cpid";
/** Ends the run. */
const EXIT = "exit";
/** In front of names that no source can have declared by chance. */
const OWN = "$";

/**
 * A one-liner as a module: what it uses of the vocabulary is imported, `tp("…", body)` becomes an exported program, an
 * expression in place of a function its body (with `ctx`), `count[key]++`, `sum[key] += x`, `hist[key](x)` … aggregations
 * of their own, `test && …` an `if`, `cpid` a parameter for the command's process id, `exit()`
 * what ends the run. The types of their keys are left to the checker (`infer`). What it declares itself is never touched. `vocabulary`
 * are the words of `skep/kernel`.
 */
export function desugar(program: Program, vocabulary: ReadonlySet<string>, file = 0): Desugared {
  const { declared, used } = namesOf(program);
  const free = (name: string) => !declared.has(name);
  const diagnostics: Diagnostic[] = [];
  const aggregations = new Aggregations(file, free, (diagnostic) => diagnostics.push(diagnostic));
  const imports = new Map<string, string>();
  for (const name of used.keys()) {
    if (!free(name)) continue;
    const word = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
    if (word !== undefined && vocabulary.has(word)) imports.set(name, word);
  }
  const local = (word: string) => {
    imports.set(OWN + word, word);
    return OWN + word;
  };
  const change = (node: Node): Node | undefined => {
    // `test && count++` as a statement, and as the whole of a function, is a test.
    if (node.type === "ExpressionStatement" && isTest(node.expression))
      return within(statement(node.expression), change);
    if (node.type === "ArrowFunctionExpression" && node.expression && isTest(node.body as Expression)) {
      const { body: test } = node as { readonly body: Expression };
      return within({ ...node, expression: false, body: block([statement(test)], test) }, change);
    }
    if (calledWord(node) === EXIT && free(EXIT) && (node as CallExpression).arguments.length === 0)
      return call(identifier(local("print"), node), [string(EXIT_TEXT, node)], node);
    return aggregations.use(node, inner);
  };
  const inner = (expression: Expression): Expression => rewrite(expression, change);
  const names = new Set([...declared, ...used.keys()]);
  const body = program.body.map((line) => {
    if (line.type !== "ExpressionStatement") return rewrite(line, change);
    const { expression } = line;
    const callee = calledWord(expression);
    const probe = callee === undefined ? undefined : free(callee) ? (ALIASES[callee] ?? callee) : callee;
    if (probe === undefined || !PROGRAM_WORDS.has(probe)) {
      diagnostics.push(noProbe(expression, file));
      return rewrite(line, change);
    }
    return exportConst(nextName(names, probe), asProgram(expression as CallExpression, change), line);
  });
  const made = aggregations.declarations(local);
  // A word that is added to (`bytes += n`) is an aggregation, and no longer the vocabulary's.
  for (const { name } of made) imports.delete(name);
  const first = used.get(COMMAND_PID);
  if (first !== undefined && free(COMMAND_PID)) {
    const type = identifier(local("u32"), first);
    const init = call(identifier(local("param"), first), [type, number(0, first)], first);
    made.push({ name: COMMAND_PID, init, range: first });
  }
  const head: Range = { start: program.start, end: program.start };
  const declarations = made.map(({ name, init, range }) => exportConst(name, init, range));
  const all = imports.size === 0 ? [] : [importNames(imports, SOURCE, head)];
  return {
    program: { ...program, body: [...all, ...declarations, ...body] },
    diagnostics,
  };
}

/** The word that a call calls: `print` of `print(x)`. */
function calledWord(node: Node): string | undefined {
  return node.type === "CallExpression" && !node.optional && node.callee.type === "Identifier"
    ? node.callee.name
    : undefined;
}

/** The call that makes a program, with a function for its body. */
function asProgram(node: CallExpression, change: (node: Node) => Node | undefined): CallExpression {
  const last = node.arguments.at(-1);
  if (
    last === undefined ||
    node.arguments.length < 2 ||
    last.type === "SpreadElement" ||
    last.type === "ArrowFunctionExpression" ||
    last.type === "FunctionExpression" ||
    last.type === "Identifier"
  )
    return within(node, change);
  const args = node.arguments.map((argument) => (argument === last ? arrow("ctx", last, last) : argument));
  return within({ ...node, arguments: args }, change);
}

function nextName(names: Set<string>, probe: string): string {
  let n = 1;
  while (names.has(`${probe}${n}`)) n++;
  names.add(`${probe}${n}`);
  return `${probe}${n}`;
}

function noProbe(node: Expression & Range, file: number): Diagnostic {
  return {
    code: "EB1051",
    severity: "error",
    message: "This stands outside of any program: it says what to do, and not when.",
    span: { file, start: node.start, end: node.end },
    help: 'Name the event it belongs to: tp("syscalls:sys_enter_openat", …), profile({ hz: 99 }, …).',
  };
}
