import type { Node, Program } from "@oxc-project/types";
import fc from "fast-check";
import { parseSync } from "oxc-parser";
import { describe, expect, it } from "vitest";
import { visit } from "../syntax/walk.ts";
import { WORDS } from "../vocabulary/words.ts";
import { desugar } from "./index.ts";

function parse(text: string): Program {
  const { program, errors } = parseSync("-e.ts", text);
  expect(errors).toEqual([]);
  return program;
}

/** A module as text: enough of the language for what the tests write. */
function text(node: Node): string {
  const list = (nodes: readonly (Node | null)[]) => nodes.map((one) => (one === null ? "" : text(one))).join(", ");
  switch (node.type) {
    case "Program":
      return node.body.map(text).join("\n");
    case "ImportDeclaration":
      return `import { ${list(node.specifiers)} } from "${node.source.value}";`;
    case "ImportSpecifier":
      return `${text(node.imported)}${text(node.local) === text(node.imported) ? "" : ` as ${node.local.name}`}`;
    case "ExportNamedDeclaration":
      return `export ${node.declaration === null ? "" : text(node.declaration)}`;
    case "VariableDeclaration":
      return `${node.kind} ${list(node.declarations)};`;
    case "VariableDeclarator":
      return `${text(node.id)}${node.init === null ? "" : ` = ${text(node.init)}`}`;
    case "ExpressionStatement":
      return `${text(node.expression)};`;
    case "Identifier":
      return node.name;
    case "Literal":
      return node.raw ?? "";
    case "CallExpression":
      return `${text(node.callee)}(${list(node.arguments)})`;
    case "MemberExpression":
      return node.computed
        ? `${text(node.object)}[${text(node.property)}]`
        : `${text(node.object)}.${text(node.property)}`;
    case "ArrowFunctionExpression":
      return `(${list(node.params)}) => ${text(node.body)}`;
    case "BlockStatement":
      return `{ ${node.body.map(text).join(" ")} }`;
    case "IfStatement":
      return `if (${text(node.test)}) ${text(node.consequent)}${node.alternate === null ? "" : ` else ${text(node.alternate)}`}`;
    case "ObjectExpression":
      return `{ ${list(node.properties)} }`;
    case "Property":
      return `${text(node.key)}: ${text(node.value)}`;
    case "BinaryExpression":
      return `${text(node.left)} ${node.operator} ${text(node.right)}`;
    case "AssignmentExpression":
      return `${text(node.left)} ${node.operator} ${text(node.right)}`;
    case "UpdateExpression":
      return `${text(node.argument)}${node.operator}`;
    case "SequenceExpression":
      return list(node.expressions);
    case "ParenthesizedExpression":
      return `(${text(node.expression)})`;
    case "LogicalExpression":
      return `${text(node.left)} ${node.operator} ${text(node.right)}`;
    default:
      return `<${node.type}>`;
  }
}

/** What a one-liner becomes, as text. */
function module(source: string): string {
  const { program, diagnostics } = desugar(parse(source), WORDS);
  expect(diagnostics).toEqual([]);
  return text(program);
}

describe("a one-liner", () => {
  it("imports what it uses, exports its programs, and declares what it counts", () => {
    expect(module('tracepoint("syscalls:sys_enter_openat", () => count[comm()]++)')).toBe(
      `import { tracepoint, comm, infer as $infer, counter as $counter } from "skep/kernel";
export const count = $counter($infer);
export const tracepoint1 = tracepoint("syscalls:sys_enter_openat", () => count.inc(comm()));`,
    );
  });

  it("may leave out the function, and say tp", () => {
    expect(module('tp("a:b", count++); tp("a:c", hist(ctx.ret))')).toBe(
      `import { tracepoint as tp, counter as $counter, histogram as $histogram } from "skep/kernel";
export const count = $counter();
export const hist = $histogram();
export const tracepoint1 = tp("a:b", (ctx) => count.inc());
export const tracepoint2 = tp("a:c", (ctx) => hist.record(ctx.ret));`,
    );
  });

  it("has sums, means, histograms and their like, with keys of several parts", () => {
    expect(
      module(`tp("a:b", (ctx) => {
        sum[comm(), pid()] += ctx.ret;
        avg[pid()](ctx.ret);
        min(ctx.ret);
        max[ctx.fd](min(ctx.ret, 5));
        lhist[pid(), pid()](ctx.ret, 0, 100, 10);
        if (ctx.ret < 0) errors[ctx.ret]++;
        bytes += ctx.ret;
        hist.reads[pid()](ctx.ret);
      })`),
    ).toBe(
      `import { tracepoint as tp, sum, comm, pid, avg, min, max, infer as $infer, sum as $sum, avg as $avg, min as $min, max as $max, linear as $linear, counter as $counter, histogram as $histogram } from "skep/kernel";
export const sums = $sum($infer);
export const averages = $avg($infer);
export const minimum = $min();
export const maximum = $max($infer);
export const lhist = $linear($infer, { min: 0, max: 100, step: 10 });
export const errors = $counter($infer);
export const bytes = $sum();
export const reads = $histogram($infer);
export const tracepoint1 = tp("a:b", (ctx) => { sums.add({ comm: comm(), pid: pid() }, ctx.ret); averages.record(pid(), ctx.ret); minimum.record(ctx.ret); maximum.record(ctx.fd, min(ctx.ret, 5)); lhist.record({ pid: pid(), pid2: pid() }, ctx.ret); if (ctx.ret < 0) errors.inc(ctx.ret); bytes.add(ctx.ret); reads.record(pid(), ctx.ret); });`,
    );
  });

  it("may test, and knows the command's process", () => {
    expect(module('tp("a:b", pid() === cpid && count++); tp("a:c", () => { pid() > 1 ? count++ : count++; })')).toBe(
      `import { tracepoint as tp, pid, counter as $counter, u32 as $u32, param as $param } from "skep/kernel";
export const count = $counter();
export const cpid = $param($u32, 0);
export const tracepoint1 = tp("a:b", (ctx) => { if (pid() === cpid) count.inc(); });
export const tracepoint2 = tp("a:c", () => { if (pid() > 1) count.inc(); else count.inc(); });`,
    );
  });

  it("asks for the command's process by a name of its own, not by that of a field", () => {
    expect(module('tp("a:b", ctx.cpid > 1 && count++)')).not.toContain("$param");
  });

  it("may end the run", () => {
    expect(module('tp("a:b", pid() === 1 && exit())')).toBe(
      `import { tracepoint as tp, pid, print as $print } from "skep/kernel";
export const tracepoint1 = tp("a:b", (ctx) => { if (pid() === 1) $print("\\u0001exit"); });`,
    );
  });

  it("keeps what it declares itself", () => {
    expect(
      module(`const count = hash(u32, u32);
        let hist = 1;
        const tracepoint1 = 2;
        tp("a:b", (ctx) => { let sum = 1; sum += 2; hist++; count[1]++; })`),
    ).toBe(
      `import { hash, u32, tracepoint as tp } from "skep/kernel";
const count = hash(u32, u32);
let hist = 1;
const tracepoint1 = 2;
export const tracepoint2 = tp("a:b", (ctx) => { let sum = 1; sum += 2; hist++; count[1]++; });`,
    );
  });

  it("says what is used in two ways, at both places", () => {
    const source =
      'tp("a:b", () => { count[pid()]++; count++; }); tp("a:c", () => { x++; x += 1; lhist(1, 0, 9, 1); lhist(1, 0, 9, 2); hist(1, 2); })';
    const { diagnostics } = desugar(parse(source), WORDS);
    expect(
      diagnostics.map(({ code, message, span, related }) => [
        code,
        message,
        source.slice(span.start, span.end),
        related?.length,
      ]),
    ).toEqual([
      ["EB1050", "The key of `count` has no part here and one part elsewhere.", "count++", 1],
      ["EB1050", "`x` is used as sum here and as counter elsewhere.", "x += 1", 1],
      ["EB1050", "The steps of `lhist` are others here than elsewhere.", "lhist(1, 0, 9, 2)", 1],
      ["EB1052", "`hist` takes (value) here.", "hist(1, 2)", undefined],
    ]);
  });

  it("without a program says when it should be done", () => {
    const { diagnostics } = desugar(parse("count[comm()]++"), WORDS);
    expect(diagnostics).toMatchObject([{ code: "EB1051", span: { file: 0, start: 0, end: 15 } }]);
  });

  it("keeps every place of the source, and changes nothing of the given tree", () => {
    const source = `tp("a:b", (ctx) => { sum[comm(), pid()] += ctx.ret; print(\`a\${pid()}b\`); })`;
    const tree = parse(source);
    const before = JSON.stringify(tree);
    const { program } = desugar(tree, WORDS);
    expect(JSON.stringify(tree)).toBe(before);
    visit(program, (node) => {
      expect(node.start).toBeGreaterThanOrEqual(0);
      expect(node.end).toBeLessThanOrEqual(source.length);
      expect(node.end).toBeGreaterThanOrEqual(node.start);
      if (node.type === "Identifier" && source.slice(node.start, node.end) === "ret") expect(node.name).toBe("ret");
    });
  });

  it("of any form is taken without harm", () => {
    const piece = fc.constantFrom(
      ...[
        "count",
        "hist",
        "sum",
        "print",
        "exit",
        "tp",
        "min",
        "x",
        "[",
        "]",
        "(",
        ")",
        "++",
        "+=",
        "=>",
        "{",
        "}",
        ",",
        ".",
        "`${",
        "}`",
      ],
      ...[
        "'a:b'",
        "1",
        "ctx",
        ";",
        "...",
        "?.",
        "class",
        "async ",
        "function ",
        "const ",
        "=",
        "()",
        "new ",
        "export ",
        "import ",
      ],
    );
    let whole = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const { program, errors } = parseSync("-e.ts", pieces.join(""));
        if (errors.length === 0) whole++;
        desugar(program, WORDS);
      }),
      { numRuns: 1500 },
    );
    expect(whole).toBeGreaterThan(20);
  });
});
