import type { CallExpression, Expression, Node } from "@oxc-project/types";
import type { Diagnostic } from "../diagnostic.ts";
import { partNames } from "./keys.ts";
import { call, callMethod, identifier, object, type Range } from "./nodes.ts";

/** What a one-liner adds up without having declared it, and the word of the vocabulary that declares it. */
type Kind = "counter" | "sum" | "avg" | "min" | "max" | "histogram" | "linear";

/** The words that stand for an aggregation of a kind: `count[key]++`, `sum[key] += x`, `hist[key](x)`. */
const WORDS: Readonly<Record<string, Kind>> = {
  count: "counter",
  sum: "sum",
  avg: "avg",
  min: "min",
  max: "max",
  hist: "histogram",
  lhist: "linear",
};
/** What an aggregation is called whose word the vocabulary has for something else, too. */
const NAMES: Readonly<Record<string, string>> = { sum: "sums", avg: "averages", min: "minimum", max: "maximum" };
/** Words that are also functions of the vocabulary, with so many arguments. */
const FUNCTIONS: Readonly<Record<string, number>> = { min: 2, max: 2 };

interface Aggregation {
  readonly kind: Kind;
  readonly first: Range;
  /** How many parts the key has. */
  readonly parts: number;
  /** The names of the key's parts, where there are several. */
  readonly fields: readonly string[];
  /** Of `linear`: min, max, step, as they are written. */
  readonly bounds: readonly Expression[];
}

/** What is spoken of where an aggregation is used: its name, its kind if the word tells it, its key. */
interface Target {
  readonly name: string;
  /** As it is written. */
  readonly word: string;
  readonly kind: Kind | undefined;
  readonly key: Expression | undefined;
  readonly node: Node & Range;
}

/** The aggregations that a one-liner uses, by name, and their uses as calls of methods. */
export class Aggregations {
  readonly #free: (name: string) => boolean;
  readonly #report: (diagnostic: Diagnostic) => void;
  readonly #file: number;
  readonly #found = new Map<string, Aggregation>();

  /** `free`: whether the source has left a name to whoever wants it. */
  constructor(file: number, free: (name: string) => boolean, report: (diagnostic: Diagnostic) => void) {
    this.#file = file;
    this.#free = free;
    this.#report = report;
  }

  /** The call that a use of an aggregation stands for; undefined for anything else. `inner` is applied to what is in it. */
  use(node: Node, inner: (expression: Expression) => Expression): CallExpression | undefined {
    if (node.type === "UpdateExpression" && node.operator === "++") {
      const target = this.#target(node.argument);
      if (target === undefined || (target.kind ?? "counter") !== "counter") return undefined;
      return this.#call(target, "counter", "inc", [], node, inner);
    }
    if (node.type === "AssignmentExpression" && node.operator === "+=") {
      const target = this.#target(node.left);
      const kind = target?.kind ?? "sum";
      if (target === undefined || (kind !== "counter" && kind !== "sum")) return undefined;
      return this.#call(target, kind, "add", [node.right], node, inner);
    }
    if (node.type !== "CallExpression" || node.optional) return undefined;
    const target = this.#target(node.callee);
    if (target?.kind === undefined || target.kind === "counter" || target.kind === "sum") return undefined;
    const values: Expression[] = [];
    for (const argument of node.arguments) {
      if (argument.type === "SpreadElement") return undefined;
      values.push(argument);
    }
    if (target.key === undefined && FUNCTIONS[target.word] === values.length) return undefined;
    const [value, ...bounds] = values;
    if (value === undefined || bounds.length !== (target.kind === "linear" ? 3 : 0)) {
      const form = target.kind === "linear" ? "(value, min, max, step)" : "(value)";
      this.#say(node, "EB1052", `\`${target.word}\` takes ${form} here.`);
      return node;
    }
    return this.#call(target, target.kind, "record", [value], node, inner, bounds);
  }

  /** The names that the source takes of the vocabulary for them. */
  get kinds(): readonly Kind[] {
    return [...new Set([...this.#found.values()].map(({ kind }) => kind))];
  }

  /** What declares each: name, how it is made, and where it was first spoken of. `local` gives a word's name in the module. */
  declarations(local: (word: string) => string): { name: string; init: Expression; range: Range }[] {
    return [...this.#found].map(([name, { kind, first, parts, bounds }]) => {
      const args: Expression[] = parts === 0 ? [] : [identifier(local("infer"), first)];
      if (kind === "linear") {
        const [min, max, step] = bounds as readonly [Expression, Expression, Expression];
        args.push(
          object(
            [
              ["min", min],
              ["max", max],
              ["step", step],
            ],
            first,
          ),
        );
      }
      return { name, init: call(identifier(local(kind), first), args, first), range: first };
    });
  }

  #call(
    { name, key, node: place }: Target,
    kind: Kind,
    method: string,
    values: readonly Expression[],
    node: Node & Range,
    inner: (expression: Expression) => Expression,
    bounds: readonly Expression[] = [],
  ): CallExpression {
    const parts = key === undefined ? [] : key.type === "SequenceExpression" ? key.expressions : [key];
    const before = this.#found.get(name);
    const known = before ?? { kind, first: place, parts: parts.length, fields: partNames(parts), bounds };
    this.#found.set(name, known);
    if (known.kind !== kind)
      this.#say(node, "EB1050", `\`${name}\` is used as ${kind} here and as ${known.kind} elsewhere.`, known.first);
    else if (known.parts !== parts.length)
      this.#say(
        node,
        "EB1050",
        `The key of \`${name}\` has ${count(parts.length)} here and ${count(known.parts)} elsewhere.`,
        known.first,
      );
    else if (!sameSource(known.bounds, bounds))
      this.#say(node, "EB1050", `The steps of \`${name}\` are others here than elsewhere.`, known.first);
    const args = values.map(inner);
    if (key !== undefined) {
      const inside = parts.map(inner);
      const fields = inside.map((part, i) => [known.fields[i] ?? `part${i}`, part] as const);
      args.unshift(inside.length === 1 ? (inside[0] as Expression) : object(fields, key));
    }
    return callMethod(identifier(name, place), method, args, node);
  }

  /** `name`, `word.name`, either with `[key]`. */
  #target(node: Node): Target | undefined {
    let inner: Node = node;
    let key: Expression | undefined;
    if (inner.type === "MemberExpression" && inner.computed && !inner.optional) {
      key = inner.property;
      inner = inner.object;
    }
    const range = node as Node & Range;
    if (inner.type === "Identifier" && this.#free(inner.name))
      return { name: NAMES[inner.name] ?? inner.name, word: inner.name, kind: kindOf(inner.name), key, node: range };
    if (inner.type !== "MemberExpression" || inner.computed || inner.optional) return undefined;
    const { object: word, property } = inner;
    if (word.type !== "Identifier" || property.type !== "Identifier" || !this.#free(word.name)) return undefined;
    const kind = kindOf(word.name);
    return kind === undefined || !this.#free(property.name)
      ? undefined
      : { name: property.name, word: word.name, kind, key, node: range };
  }

  #say({ start, end }: Range, code: string, message: string, first?: Range): void {
    this.#report({
      code,
      severity: "error",
      message,
      span: { file: this.#file, start, end },
      ...(first !== undefined && {
        related: [{ span: { file: this.#file, start: first.start, end: first.end }, message: "first used here" }],
      }),
    });
  }
}

function kindOf(name: string): Kind | undefined {
  return Object.hasOwn(WORDS, name) ? WORDS[name] : undefined;
}

function count(parts: number): string {
  return parts === 0 ? "no part" : parts === 1 ? "one part" : `${parts} parts`;
}

/** Whether expressions are written alike. */
function sameSource(a: readonly Expression[], b: readonly Expression[]): boolean {
  const text = (list: readonly Expression[]) =>
    JSON.stringify(list, (name, value: unknown) => (name === "start" || name === "end" ? undefined : value));
  return text(a) === text(b);
}
